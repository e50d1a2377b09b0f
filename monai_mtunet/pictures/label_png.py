"""Label maps as PNGs of class numbers, whose palette makes them pictures too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["label_png"]


def label_png(labels: NDArray[Any], colors: Mapping[int, Sequence[int]]) -> Image.Image:
    """A label map as a picture, to be saved as PNG.

    Args:
        labels: (H, W), 0..255.
        colors: RGB of each label; 255, missing, is white unless given, and all others are black.

    Returns:
        A picture of mode "P" that holds the labels.
    """
    picture = Image.fromarray(labels.astype(np.uint8))
    # All 256 colors: Pillow saves as few bits per label as the palette needs, and would cut off the 255.
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[255] = 255
    for label, color in colors.items():
        palette[label] = color
    picture.putpalette(palette.tobytes())
    return picture
