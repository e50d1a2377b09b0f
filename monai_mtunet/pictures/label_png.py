"""Label maps as PNGs of class numbers, whose palette makes them pictures too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["label_png"]


def label_png(labels: NDArray[Any], palette: Sequence[Sequence[int]]) -> Image.Image:
    """A label map as a picture, to be saved as PNG.

    Args:
        labels: (H, W), 0..255.
        palette: RGB per label from 0 on; 255, missing, is white, and all others are black.

    Returns:
        A picture of mode "P" that holds the labels.
    """
    picture = Image.fromarray(labels.astype(np.uint8))
    # All 256 colors: Pillow saves as few bits per label as the palette needs, and would cut off the 255.
    colors = np.zeros((256, 3), dtype=np.uint8)
    colors[255] = 255
    colors[: len(palette)] = palette
    picture.putpalette(colors.tobytes())
    return picture
