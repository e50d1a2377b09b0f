"""How well edges are found, within a tolerance of their place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from ignite.metrics import Metric
from ignite.metrics.metric import reinit__is_reduced, sync_all_reduce
from torch import Tensor


class EdgeFMeasure(Metric):
    """F-measure, precision and recall of edges at the threshold that is best for the whole data set (ODS).

    A predicted edge voxel is right if there is a true one within the tolerance; a true edge voxel is found if there is
    a predicted one within it. At each of 99 thresholds of the probability (0.01 to 0.99) precision is the share
    of predicted voxels that are right and recall that of true voxels that are found, counted over all voxels of the
    data set; the F-measure is their harmonic mean.

    The Berkeley benchmark (Martin, Fowlkes and Malik, "Learning to detect natural image boundaries", PAMI 2004)
    differs: it thins what is predicted, matches predicted and true voxels one to one (a bipartite graph) and takes
    0.0075 of the image's diagonal for tolerance. Here several voxels may match the same one, so that lines are not
    punished for being thick up to the tolerance, and figures are higher than the benchmark's; but this works in 3D,
    and on the network's device.

    Voxels whose label is ``ignore_index`` are left out: what is predicted there is neither wrong nor finds anything.

    Args:
        tolerance: distance in voxels, Euclidean; 0 for exact places.
        ignore_index: the label of voxels without a target.
        kwargs: of ignite's metric: ``output_transform``, ``device``.

    Returns:
        ``compute`` gives (F-measure, precision, recall), 0..1, NaN where no voxel is a true edge.

    Raises:
        ValueError: When the tolerance is negative.

    Example:
        >>> metric = EdgeFMeasure(tolerance=1)
        >>> metric.update((torch.tensor([[[0.0, 0.9, 0.0, 0.8]]]), torch.tensor([[[1, 0, 0, 0]]])))
        >>> metric.compute()  # at a threshold from 0.81 on only the voxel beside the edge is predicted
        tensor([1., 1., 1.])
    """

    _state_dict_all_req_keys = ("_counts",)

    def __init__(self, tolerance: float = 2.0, ignore_index: int = 255, **kwargs: Any) -> None:
        if tolerance < 0:
            raise ValueError(f"The tolerance must not be negative, got {tolerance}.")
        self.tolerance = tolerance
        self.ignore_index = ignore_index
        self.thresholds = torch.arange(1, 100) / 100
        super().__init__(**kwargs)

    @reinit__is_reduced
    def reset(self) -> None:
        """Forget all batches."""
        # Per threshold: predicted, right, found; and true, the same at all.
        self._counts = torch.zeros(4, len(self.thresholds), dtype=torch.int64, device=self._device)

    @reinit__is_reduced
    def update(self, output: Sequence[Tensor]) -> None:
        """Take up a batch: probabilities and labels, both (B, *spatial)."""
        # What a network fails to predict is no edge: NaN must not find any.
        probabilities, labels = output[0].detach().float().nan_to_num(nan=0.0), output[1]
        valid = labels != self.ignore_index
        edges = labels == 1
        probabilities = probabilities.masked_fill(~valid, -1)
        near_edges = _highest_within(edges.float(), self.tolerance) > 0
        nearby = _highest_within(probabilities, self.tolerance)
        batch = (
            self._count(probabilities[valid]),
            self._count(probabilities[valid & near_edges]),
            self._count(nearby[edges]),
            edges.sum().expand(len(self.thresholds)),
        )
        self._counts += torch.stack(batch).to(self._device)

    def _count(self, values: Tensor) -> Tensor:
        """How many reach each threshold."""
        reached = torch.bucketize(values, self.thresholds.to(values.device), right=True)
        per_threshold = torch.bincount(reached, minlength=len(self.thresholds) + 1)
        return per_threshold.flip(0).cumsum(0).flip(0)[1:]

    @sync_all_reduce("_counts")
    def compute(self) -> Tensor:
        """(F-measure, precision, recall) at the best threshold."""
        predicted, right, found, true = self._counts.double()
        # Where nothing is predicted nothing is found: with a precision of 0 instead of 0 / 0 the F-measure is 0.
        precision, recall = right / predicted.clamp(min=1), found / true
        f_measure = 2 * precision * recall / (precision + recall).clamp(min=1e-12)
        best = f_measure.argmax()
        if true[0] == 0:
            return torch.full((3,), torch.nan)
        return torch.stack([f_measure[best], precision[best], recall[best]]).float().cpu()


def _highest_within(values: Tensor, distance: float) -> Tensor:
    """The highest value within a distance of every voxel of images (B, *spatial)."""
    reach, sizes = int(distance), values.shape[1:]
    padded = torch.nn.functional.pad(values, [reach, reach] * len(sizes), value=-torch.inf)
    highest = values
    for offset in itertools.product(range(2 * reach + 1), repeat=len(sizes)):
        if sum((step - reach) ** 2 for step in offset) <= distance**2:
            window = [slice(step, step + size) for step, size in zip(offset, sizes, strict=True)]
            moved = (slice(None), *window)
            highest = torch.maximum(highest, padded[moved])
    return highest
