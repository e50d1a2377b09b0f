"""The base of transforms that make one target of an image or of another target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import ensure_tuple_rep

__all__ = ["MakeTarget"]


class MakeTarget(MapTransform):
    """Base of transforms that make one target of an image or of another target, which stays.

    A source that is None is missing on purpose: nothing is made of it, and `FillMissingTargetsd` fills the target.

    Args:
        keys: keys of the sources.
        new_keys: where to put the targets, one per key: the name of the task.
        allow_missing_keys: whether a source may be absent; then nothing is made of it either.
    """

    def __init__(self, keys: KeysCollection, new_keys: KeysCollection, allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.new_keys = ensure_tuple_rep(new_keys, len(self.keys))

    @abstractmethod
    def make(self, source: torch.Tensor) -> torch.Tensor:
        """The target of a source (C, *spatial)."""

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the targets to a sample."""
        sample = dict(data)
        for key, new_key in self.key_iterator(sample, self.new_keys):
            if sample[key] is not None:
                sample[new_key] = self.make(sample[key])
        return sample
