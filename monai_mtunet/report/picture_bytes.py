"""Pictures as small files."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

from ..pictures.picture import Picture

__all__ = ["data_uri", "encode_picture"]

_QUALITY = 88  # of JPEG


def encode_picture(picture: Picture, longest: int, exact: bool) -> tuple[str, bytes]:
    """A picture as PNG or JPEG, whichever suits it.

    Args:
        picture: RGB (H, W, 3).
        longest: its longest side in the file, in pixels; larger ones are made smaller.
        exact: whether colors stand for classes, which must not mix.

    Returns:
        "png" or "jpg", and the file's content.
    """
    image = Image.fromarray(np.ascontiguousarray(picture))
    factor = longest / max(image.size)
    if factor < 1:
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        image = image.resize(size, Image.Resampling.NEAREST if exact else Image.Resampling.BOX)
    png = _encode(image, "PNG", optimize=True)
    if exact:
        return "png", png
    jpeg = _encode(image, "JPEG", quality=_QUALITY)
    return ("png", png) if len(png) <= len(jpeg) else ("jpg", jpeg)


def _encode(image: Image.Image, kind: str, **options: int | bool) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def data_uri(content: bytes, ending: str) -> str:
    """A file's content as an address that holds it.

    Args:
        content: of the file.
        ending: "png", "jpg" or "svg".
    """
    kind = {"png": "png", "jpg": "jpeg", "svg": "svg+xml"}[ending]
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
