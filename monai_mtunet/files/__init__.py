"""Image files: every format by its library, read and written whole or box by box. Nothing here knows a task."""

from .create_like import create_like
from .open_image import open_image

__all__ = ["create_like", "open_image"]
