"""Several metrics of instances that look at each image once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import torch
from ignite.metrics.metric import sync_all_reduce
from torch import Tensor

from .instance_metric import InstanceMetric
from .instance_overlap import InstanceOverlap

__all__ = ["JointInstanceMetric"]


class JointInstanceMetric(InstanceMetric):
    """Several metrics of the same instances: to find what overlaps costs more than to count, and is done once.

    Args:
        parts: the metrics, of the same classes, averaging and ``ignore_index``.
        kwargs: of ignite's metric: ``output_transform``, ``device``.

    Returns:
        ``compute`` gives the figures of all, one after another.

    Raises:
        ValueError: When there is no metric, or they differ in their classes, averaging or ``ignore_index``.

    Example:
        >>> metric = JointInstanceMetric([InstancePanopticQuality(), SplitMerge()])
        >>> metric.update((torch.tensor([[[1, 1, 2, 2]]]), torch.tensor([[[5, 5, 5, 5]]])))
        >>> metric.compute()  # PQ, SQ, RQ, split, merged
        tensor([0., 0., 0., 1., 0.])
    """

    def __init__(self, parts: Sequence[InstanceMetric], **kwargs: Any) -> None:
        same = {(part.num_classes, part.average, part.ignore_index) for part in parts}
        if len(same) != 1:
            told = ", ".join(sorted(map(str, same)))
            raise ValueError(f"All parts must have the same classes, averaging and ignore_index, got {told}.")
        self.parts = tuple(parts)
        self._columns = sum(part._columns for part in parts)
        num_classes, average, ignore_index = same.pop()
        super().__init__(num_classes, average, ignore_index, **kwargs)

    def _count(self, overlap: InstanceOverlap) -> Sequence[float]:
        return list(chain.from_iterable(part._count(overlap) for part in self.parts))

    def _figures(self, counts: Tensor) -> Tensor:
        columns = counts.split([part._columns for part in self.parts], dim=1)
        return torch.cat([part._figures(own) for part, own in zip(self.parts, columns, strict=True)])

    @sync_all_reduce("_counts")
    def compute(self) -> Tensor:
        """The figures of all parts."""
        return self._compute()
