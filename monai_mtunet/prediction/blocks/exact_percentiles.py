"""Percentiles of volumes that are larger than memory, exact."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["exact_percentiles"]

_HALF = 16  # bits; a float32 is ordered by its upper half, then by its lower one


def exact_percentiles(
    parts: Callable[[], Iterable[NDArray[np.float32]]], percentiles: Sequence[float]
) -> NDArray[np.float64] | None:
    """What ``numpy.percentile`` gives for all finite values together, to the last bit.

    The bits of float32 numbers can be turned into integers of the same order. A histogram of their upper halves tells
    where a rank lies, one of the lower halves within that place which number it is: two passes, and memory for 65,536
    counts per pass, whatever the number of values.

    Args:
        parts: starts a pass over the values, in parts of any shape.
        percentiles: within 0..100.

    Returns:
        One value per percentile; None where no value is finite.
    """
    upper = np.zeros(1 << _HALF, dtype=np.int64)
    for part in parts():
        upper += np.bincount(_keys(part) >> _HALF, minlength=1 << _HALF)
    count = int(upper.sum())
    if count == 0:
        return None
    places = np.asarray(percentiles, dtype=np.float64) / np.float32(100) * (count - 1)
    ranks = np.floor(places).astype(np.int64)
    wanted = np.unique(np.concatenate([ranks, np.minimum(ranks + 1, count - 1)]))
    values = dict(zip(wanted.tolist(), _values_of(parts, wanted, upper), strict=True))
    low = np.array([values[rank] for rank in ranks.tolist()])
    high = np.array([values[min(rank + 1, count - 1)] for rank in ranks.tolist()])
    return _between(low, high, places - ranks)


def _keys(part: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Finite numbers as unsigned integers of the same order."""
    bits = part[np.isfinite(part)].view(np.uint32)
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))


def _values_of(
    parts: Callable[[], Iterable[NDArray[np.float32]]], ranks: NDArray[np.int64], upper: NDArray[np.int64]
) -> NDArray[np.float32]:
    """The numbers of these ranks, from 0, of all values in order."""
    ends = np.cumsum(upper)
    halves = np.searchsorted(ends, ranks, side="right")
    lower = {int(half): np.zeros(1 << _HALF, dtype=np.int64) for half in halves}
    for part in parts():
        keys = _keys(part)
        for half, counts in lower.items():
            inside = keys[keys >> _HALF == half] & np.uint32((1 << _HALF) - 1)
            counts += np.bincount(inside, minlength=1 << _HALF)
    keys = np.empty(len(ranks), dtype=np.uint32)
    for index, (rank, half) in enumerate(zip(ranks, halves, strict=True)):
        before = ends[half] - upper[half]
        keys[index] = (half << _HALF) | np.searchsorted(np.cumsum(lower[int(half)]), rank - before, side="right")
    return np.where(keys >> 31, keys & np.uint32((1 << 31) - 1), ~keys).view(np.float32)


def _between(low: NDArray[np.float32], high: NDArray[np.float32], part: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear interpolation with NumPy's rounding, which is exact at both ends."""
    difference = high - low
    result = low + difference * part
    return np.where(part >= 0.5, high - difference * (1 - part), result)
