"""Numbers that describe the intensities of an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .noise_level import noise_level

__all__ = ["PERCENTILES", "intensity_statistics"]

PERCENTILES = (0.5, 5.0, 50.0, 95.0, 99.5)


def intensity_statistics(values: NDArray[np.number], foreground: NDArray[np.bool_] | None) -> list[dict[str, float]]:
    """Of each channel: ``mean``, ``std``, ``min``, ``max``, percentiles (``p0.5``, ...), ``noise``, ``not_finite``.

    Args:
        values: (C, *spatial).
        foreground: (*spatial), of which the same is told with the prefix ``foreground_``, and ``foreground_voxels``;
            None where there is no label.

    Returns:
        One dictionary per channel. What is not finite is only counted.
    """
    return [_of_channel(channel, foreground) for channel in values]


def _of_channel(values: NDArray[np.number], foreground: NDArray[np.bool_] | None) -> dict[str, float]:
    finite = np.isfinite(values)
    found = {"not_finite": float(finite.size - np.count_nonzero(finite)), **_of_values(values[finite])}
    found["noise"] = noise_level(values)
    if foreground is not None:
        inside = values[finite & foreground]
        found |= {f"foreground_{name}": value for name, value in _of_values(inside).items()}
        found["foreground_voxels"] = float(inside.size)
    return found


def _of_values(values: NDArray[np.number]) -> dict[str, float]:
    if not values.size:
        return {}
    values = values.astype(np.float64)
    percentiles = np.percentile(values, PERCENTILES)
    return {
        "mean": float(values.mean()), "std": float(values.std()),
        "min": float(values.min()), "max": float(values.max()),
        **{f"p{percent:g}": float(value) for percent, value in zip(PERCENTILES, percentiles, strict=True)},
    }  # fmt: skip
