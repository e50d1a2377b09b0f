"""How a synthetic sample is acquired: as an RGB image, or as a scanner would give a volume."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["Acquisition", "draw_acquisition"]


class Acquisition(NamedTuple):
    """What a loader of synthetic samples needs beside the scene.

    Attributes:
        spacing: edge lengths of a voxel.
        channels: of the image.
        unit: what intensities on the 0-255 scale are multiplied by.
        affine: of the spacing, (D + 1, D + 1).
    """

    spacing: list[float]
    channels: int
    unit: float
    affine: Tensor


def draw_acquisition(seed: int, spatial_dims: int) -> Acquisition:
    """Of images RGB on the 0-255 scale; of volumes one channel, slices 1 to 2 mm apart, and a unit of their own.

    Args:
        seed: that of the sample.
        spatial_dims: 2 or 3.
    """
    spacing, channels, unit = [1.0, 1.0], 3, 1.0
    if spatial_dims == 3:
        rng = np.random.RandomState(seed)
        spacing, channels, unit = [1.0, 1.0, rng.uniform(1, 2)], 1, 10 ** rng.uniform(0, 3)
    return Acquisition(spacing, channels, unit, torch.diag(torch.tensor([*spacing, 1.0], dtype=torch.float64)))
