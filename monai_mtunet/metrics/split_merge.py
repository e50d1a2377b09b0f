"""How many objects are split, and how many are merged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from ignite.metrics.metric import sync_all_reduce
from numpy.typing import NDArray
from torch import Tensor

from .instance_metric import InstanceMetric
from .instance_overlap import InstanceOverlap

__all__ = ["SplitMerge"]

Array = NDArray[np.int64]


class SplitMerge(InstanceMetric):
    """True objects that are split, and true objects that are merged with others, per image.

    The definitions are those of over- and under-segmentation in Hoover et al., "An experimental comparison of range
    image segmentation algorithms", PAMI 18(7), 1996:

    - An object is *split* if two or more predicted instances each have at least the share ``tolerance`` of their voxels
      in it, and together cover that share of it.
    - Objects are *merged* if two or more each have at least that share of their voxels in one predicted instance, and
      together cover that share of it. Every one of them counts.

    ``tolerance`` is more than 0.5, so that each region belongs to one other at most. Thus a fragment that hardly covers
    anything is no split by itself, and objects that are swallowed by the background are missed, not merged. Voxels
    without a target are left out; nothing else is said of predictions that lie mostly there.

    Args:
        tolerance: share of voxels, above 0.5 and at most 1. Hoover et al. go from 0.51 to 0.95.
        relative: whether to give shares of all true objects instead of numbers per image.
        num_classes: see `InstanceMetric`, also for what ``update`` takes. Objects merged with those of another class do
            not count.
        average: see `InstanceMetric`.
        ignore_index: see `InstanceMetric`.
        kwargs: of ignite's metric: ``output_transform``, ``device``.

    Returns:
        ``compute`` gives (split, merged), 0 or more per image, or 0..1 with ``relative``; NaN where there are
        no true objects. Without averaging (2, num_classes).

    Raises:
        ValueError: When the tolerance is not above 0.5 and at most 1.

    Example:
        >>> metric = SplitMerge()
        >>> metric.update((torch.tensor([[[1, 1, 2, 2, 3, 3]]]), torch.tensor([[[5, 5, 5, 5, 6, 7]]])))
        >>> metric.compute()  # 5 is split into 1 and 2; 6 and 7 are merged into 3
        tensor([1., 2.])
    """

    _columns = 4

    def __init__(
        self,
        tolerance: float = 0.51,
        relative: bool = False,
        num_classes: int | None = None,
        average: bool = True,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> None:
        if not 0.5 < tolerance <= 1:
            raise ValueError(f"The tolerance must be above 0.5 and at most 1, got {tolerance}.")
        self.tolerance = tolerance
        self.relative = relative
        super().__init__(num_classes, average, ignore_index, **kwargs)

    def _count(self, overlap: InstanceOverlap) -> Sequence[float]:
        """Split objects, merged objects, all objects, and 1 for the image."""
        predicted, true = (overlap.predicted, overlap.predicted_size), (overlap.true, overlap.true_size)
        split = self._parts(overlap.shared, *predicted, *true) > 1
        merged = self._parts(overlap.shared, *true, *predicted)
        return int(split.sum()), int(merged[merged > 1].sum()), len(overlap.true_size), 1

    def _parts(self, shared: Array, parts: Array, part_size: Array, wholes: Array, whole_size: Array) -> Array:
        """Of how many parts each whole is made; 0 if they cover too little of it."""
        inside = shared >= self.tolerance * part_size[parts]
        covered = np.bincount(wholes[inside], shared[inside], len(whole_size))
        count = np.bincount(wholes[inside], minlength=len(whole_size))
        return np.where(covered >= self.tolerance * whole_size, count, 0)

    def _figures(self, counts: Tensor) -> Tensor:
        split, merged, objects, images = counts.unbind(1)
        known = torch.where(objects > 0, objects if self.relative else images, torch.nan)
        return torch.stack([split, merged]) / known

    @sync_all_reduce("_counts")
    def compute(self) -> Tensor:
        """(split, merged)."""
        return self._compute()
