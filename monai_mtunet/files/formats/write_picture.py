"""Pictures as they are written: PNG, with a palette where it is a label map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from ...pictures import label_png
from ..axes import StoredAxes
from ..raw_array import RawArray
from ..raw_writer import Finish

__all__ = ["fits_png", "picture_axes", "png_of"]


def fits_png(shape: tuple[int, ...], dtype: np.dtype[Any]) -> bool:
    """Whether a PNG holds the values: 8 bits gray or in colors, or 16 bits gray."""
    return (dtype.name == "uint8" and shape[0] in (1, 3, 4)) or (dtype.name == "uint16" and shape[0] == 1)


def picture_axes(shape: tuple[int, ...]) -> StoredAxes:
    """Axes of a picture: colors last."""
    return StoredAxes("yx", shape[1:], "yx") if shape[0] == 1 else StoredAxes("yxc", (*shape[1:], shape[0]), "yx")


def png_of(colors: Mapping[int, Sequence[int]], dpi: tuple[float, float] | None = None) -> Finish:
    """What makes a PNG of the values, of label maps with a color for each number; pixels per inch where given."""
    return partial(_save, dict(colors), {} if dpi is None else {"dpi": dpi})


def _save(colors: Mapping[int, Sequence[int]], options: Mapping[str, Any], stored: RawArray, path: Path) -> None:
    values = stored[...]
    picture = label_png(values, colors) if colors and values.dtype == np.uint8 else Pillow.fromarray(values)
    picture.save(path, format="PNG", **options)
