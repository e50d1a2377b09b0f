"""Randomness that is fresh in training and repeats in validation."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from monai.transforms import Randomizable

__all__ = ["Repeatable"]


class Repeatable(Randomizable):
    """Base of transforms whose random numbers are either fresh or a function of the image.

    Fresh numbers, the default, are for training. They come from the transform's own random state, which MONAI's
    ``set_determinism``, ``Compose.set_random_state`` and data loaders control. Reproducible ones are for validation.
    They are a function of the image's values and ``seed`` alone: the same in every epoch, on every rank, with any
    number of workers and any cache; the random state is neither used nor advanced.

    Args:
        reproducible: whether an image gets the same numbers every time.
        seed: with ``reproducible``: another seed gives the same image other numbers, 0 .. 2**32 - 1.
    """

    def __init__(self, reproducible: bool = False, seed: int = 0) -> None:
        self.reproducible = reproducible
        self.seed = seed

    def state_for(self, data: torch.Tensor) -> np.random.RandomState:
        """The random state to sample from for an image."""
        if not self.reproducible:
            return self.R
        content = data.cpu().contiguous().numpy().data  # crc32 reads 1 GB/s: less work than the noise itself
        return np.random.RandomState(zlib.crc32(content, self.seed))
