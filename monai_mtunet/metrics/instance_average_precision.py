"""Average precision of instances without scores, as the 2018 Data Science Bowl has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from ignite.metrics.metric import sync_all_reduce
from torch import Tensor

from .instance_metric import InstanceMetric
from .instance_overlap import InstanceOverlap

__all__ = ["InstanceAveragePrecision"]


class InstanceAveragePrecision(InstanceMetric):
    """TP / (TP + FP + FN) at several thresholds of the intersection over union, averaged over them and over images.

    This is the score of the 2018 Data Science Bowl (Caicedo et al., "Nucleus segmentation across imaging experiments:
    the 2018 Data Science Bowl", Nature Methods 16, 2019). It is not COCO's average precision, which is the area under a
    curve over confidences: instance maps have none.

    A predicted and a true instance match if their IoU is greater than the threshold. Voxels without a target are
    left out, and a prediction without a match of which more than half lies there is no FP, as in
    `InstancePanopticQuality`. An image with neither true nor predicted instances (of a class) has no score and is
    left out.

    Args:
        thresholds: of the IoU, each at least 0.5, so that nothing has two matches, and below 1.
        num_classes: see `InstanceMetric`, also for what ``update`` takes.
        average: see `InstanceMetric`.
        ignore_index: see `InstanceMetric`.
        kwargs: of ignite's metric: ``output_transform``, ``device``.

    Returns:
        ``compute`` gives the mean over the thresholds, and then the score at each of them, 0..1, NaN where no image has
        one. Without averaging (1 + thresholds, num_classes).

    Raises:
        ValueError: When there is no threshold, or one is not within 0.5..1.

    Example:
        >>> metric = InstanceAveragePrecision(thresholds=(0.5, 0.75))
        >>> metric.update((torch.tensor([[[1, 1, 1, 0, 2]]]), torch.tensor([[[7, 7, 7, 7, 2]]])))
        >>> metric.compute()  # IoU are 3 / 4 and 1; at 0.75 one match, one too many and one missed
        tensor([0.6667, 1.0000, 0.3333])
    """

    def __init__(
        self,
        thresholds: Sequence[float] = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95),
        num_classes: int | None = None,
        average: bool = True,
        ignore_index: int = 255,
        **kwargs: Any,
    ) -> None:
        if not thresholds or not all(0.5 <= threshold < 1 for threshold in thresholds):
            raise ValueError(f"Thresholds must be at least 0.5 and below 1, got {list(thresholds)}.")
        self.thresholds = tuple(thresholds)
        self._columns = len(self.thresholds) + 1
        super().__init__(num_classes, average, ignore_index, **kwargs)

    def _count(self, overlap: InstanceOverlap) -> Sequence[float]:
        """The score at each threshold, and 1 for the image that has one."""
        iou, scores = overlap.iou(), []
        for threshold in self.thresholds:
            match = iou > threshold
            counts = ~overlap.ignored
            counts[overlap.predicted[match]] = True
            union = int(counts.sum()) + len(overlap.true_size) - int(match.sum())
            if union == 0:
                return [0.0] * self._columns
            scores.append(float(match.sum()) / union)
        return [*scores, 1.0]

    def _figures(self, counts: Tensor) -> Tensor:
        scores = counts[:, :-1] / counts[:, -1:]  # 0 / 0 is NaN: no image has a score
        return torch.cat([scores.mean(1, keepdim=True), scores], dim=1).T

    @sync_all_reduce("_counts")
    def compute(self) -> Tensor:
        """The mean, and the score at each threshold."""
        return self._compute()
