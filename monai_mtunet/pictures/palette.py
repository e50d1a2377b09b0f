"""Colors for classes that come without a palette of their own."""

from __future__ import annotations

import itertools

import numpy as np
from skimage.color import rgb2lab

# Okabe and Ito, "Color Universal Design" (2008): apart for every common kind of color blindness.
OKABE_ITO = [(0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0)]
OKABE_ITO += [(204, 121, 167)]
_WHITE = (255, 255, 255)  # drawn where a target is missing


def distinct_colors(count: int) -> list[tuple[int, int, int]]:
    """Colors for ``count`` classes, black (the usual background) first.

    The first eight are the palette of Okabe and Ito. Each further one is the color farthest, in CIELAB, from all
    before it and from white: apart for normal sight, but not for every color blindness.

    Args:
        count: number of classes.

    Returns:
        RGB triples in 0..255.
    """
    colors = OKABE_ITO[:count]
    levels = range(0, 256, 51)
    candidates = list(itertools.product(levels, levels, levels))
    while len(colors) < count:
        apart = np.linalg.norm(_lab(candidates)[:, None] - _lab([_WHITE, *colors]), axis=-1).min(axis=1)
        colors.append(candidates[int(apart.argmax())])
    return colors


def _lab(colors: list[tuple[int, int, int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(rgb2lab(np.array(colors) / 255))
