"""How a scanner would give a synthetic volume."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["Scan", "sample_scan"]


class Scan(NamedTuple):
    """What differs from scan to scan, beside the scene.

    Attributes:
        spacing: edge lengths of a voxel.
        unit: what intensities on the 0-255 scale are multiplied by.
    """

    spacing: tuple[float, float, float]
    unit: float


def sample_scan(seed: int) -> Scan:
    """Slices 1 to 2 mm apart, and a unit of the volume's own, 1 to 1,000.

    Args:
        seed: that of the sample.
    """
    rng = np.random.RandomState(seed)
    return Scan(spacing=(1.0, 1.0, rng.uniform(1, 2)), unit=10 ** rng.uniform(0, 3))
