"""What a network needs, told before it runs."""

from .inference_memory import inference_memory
from .window_size import window_for

__all__ = ["inference_memory", "window_for"]
