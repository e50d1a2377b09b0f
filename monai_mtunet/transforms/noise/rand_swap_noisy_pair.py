"""Noise2Noise: two noisy acquisitions of the same thing, each the other's target."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import ensure_tuple

__all__ = ["RandSwapNoisyPaird"]


class RandSwapNoisyPaird(RandomizableTransform, MapTransform):
    """Swap the two acquisitions of a pair, so that each is input and target in turn.

    Lehtinen et al., "Noise2Noise: learning image restoration without clean data", ICML 2018: with the squared error, a
    noisy target teaches what the clean one would, as long as its noise has zero mean and is independent of the input's.
    Where there is one acquisition, noise twice makes a pair: two noise transforms, ``reproducible`` with
    different seeds for a fixed pair.

    Voxels where the second acquisition is missing (NaN), or a sample without it, stay as they are.

    Args:
        keys: the image, and the second acquisition under the name of the restoration task. They must be of
            one shape, and registered.
        prob: probability to swap.

    Raises:
        ValueError: When there are not two keys.

    Example:
        >>> pair = {"image": torch.zeros(1, 8, 8), "denoise": torch.ones(1, 8, 8)}
        >>> float(RandSwapNoisyPaird(("image", "denoise"), prob=1.0)(pair)["image"].mean())
        1.0
    """

    def __init__(self, keys: KeysCollection, prob: float = 0.5) -> None:
        MapTransform.__init__(self, keys)
        RandomizableTransform.__init__(self, prob)
        if len(ensure_tuple(keys)) != 2:
            raise ValueError(f"A pair has two keys, the image's and the second acquisition's, got {keys}.")

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Swap, or do not.

        Raises:
            ValueError: When the acquisitions differ in shape.
        """
        sample = dict(data)
        first_key, second_key = self.keys
        first, second = sample[first_key], sample[second_key]
        if first.shape != second.shape:
            raise ValueError(f"{first_key} {tuple(first.shape)} and {second_key} {tuple(second.shape)} are no pair.")
        self.randomize(None)
        if self._do_transform:
            valid = torch.isfinite(second)
            sample[first_key] = torch.where(valid, second, first)
            sample[second_key] = torch.where(valid, first, second)
        return sample
