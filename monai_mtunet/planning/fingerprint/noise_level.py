"""How noisy an image is, from itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

__all__ = ["noise_level"]

_SECOND_DIFFERENCE = np.array([1.0, -2.0, 1.0])
_OF_NORMAL = 0.6745  # the median of the absolute values of a standard normal distribution


def noise_level(values: NDArray[np.number]) -> float:
    """Standard deviation of white noise, in the image's unit.

    Second differences along the two longest axes leave little but noise of what is smooth (Immerkaer, "Fast noise
    variance estimation", 1996); the median of their absolute values does not see edges. Noise that is correlated
    between voxels, as that of resampled images, is underestimated.

    Args:
        values: (*spatial). What is exactly 0 is left out: many programs cut the background off.

    Returns:
        0 where too little is left.
    """
    first, second = np.argsort(values.shape)[::-1][:2]
    if values.shape[second] < len(_SECOND_DIFFERENCE):
        return 0.0
    differences = values.astype(np.float64)
    counted = values != 0
    for axis in (first, second):
        differences = convolve1d(differences, _SECOND_DIFFERENCE, axis=axis)
        counted[(slice(None),) * axis + ([0, -1],)] = False  # the image's border has no such difference
    inside = differences[counted & np.isfinite(differences)]
    if not inside.size:
        return 0.0
    gain = float(np.square(_SECOND_DIFFERENCE).sum())  # the squares of the product filter sum up to its square
    return float(np.median(np.abs(inside)) / _OF_NORMAL / gain)
