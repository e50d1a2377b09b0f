"""Panoptic quality: how many instances are found, and how well."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ignite.metrics.metric import sync_all_reduce
from torch import Tensor

from .instance_metric import InstanceMetric
from .instance_overlap import InstanceOverlap

__all__ = ["InstancePanopticQuality"]


class InstancePanopticQuality(InstanceMetric):
    """PQ, SQ and RQ of instances (Kirillov et al., "Panoptic Segmentation", CVPR 2019, equation 1).

    A predicted and a true instance match if their intersection over union is greater than 0.5; then neither has
    another match. SQ is the mean IoU of the matches (TP), RQ = TP / (TP + FP / 2 + FN / 2), and PQ = SQ * RQ. Counts
    are summed over the images of the data set first, then PQ is computed per class, then averaged over classes.

    As there, voxels whose target is missing are taken off predictions before IoU is computed, and a prediction without
    a match of which more than half lies there is no FP. Without a match, SQ is 0, as in the authors' code.

    MONAI's ``PanopticQualityMetric`` gives the same counts where both apply, in 3D too (tests compare them). It is not
    used, since it knows no missing voxels, compares classes voxel by voxel so that an instance whose voxels are
    classified differently falls into pieces, gives 0 where there is nothing to measure, and holds a map of the whole
    image for every instance.

    Args:
        num_classes: see `InstanceMetric`, also for what ``update`` takes.
        average: see `InstanceMetric`.
        ignore_index: see `InstanceMetric`.
        kwargs: of ignite's metric: ``output_transform``, ``device``.

    Returns:
        ``compute`` gives (PQ, SQ, RQ), 0..1; NaN where there are neither true nor predicted instances. Without
        averaging (3, num_classes).

    Example:
        >>> metric = InstancePanopticQuality()
        >>> metric.update((torch.tensor([[[1, 1, 1, 0, 2]]]), torch.tensor([[[7, 7, 7, 7, 0]]])))
        >>> metric.compute()  # one match with an IoU of 3 / 4, and one too many
        tensor([0.5000, 0.7500, 0.6667])
    """

    _columns = 4

    def _count(self, overlap: InstanceOverlap) -> Sequence[float]:
        """TP, FP, FN and the sum of the matches' IoU."""
        iou = overlap.iou()
        match = iou > 0.5
        wrong = ~overlap.ignored
        wrong[overlap.predicted[match]] = False
        found = int(match.sum())
        return found, int(wrong.sum()), len(overlap.true_size) - found, float(iou[match].sum())

    def _figures(self, counts: Tensor) -> Tensor:
        found, wrong, missed, iou = counts.unbind(1)
        recognition = found / (found + wrong / 2 + missed / 2)  # 0 / 0 is NaN: nothing to measure
        segmentation = torch.where(recognition == 0, 0, iou / found)
        return torch.stack([segmentation * recognition, segmentation, recognition])

    @sync_all_reduce("_counts")
    def compute(self) -> Tensor:
        """(PQ, SQ, RQ)."""
        return self._compute()
