"""Edges as a task."""

from __future__ import annotations

from typing import Any

import torch
from ignite.metrics import Metric
from torch import Tensor, nn

from ...losses import BalancedEdgeLoss
from ...metrics import EdgeFMeasure
from ...pictures import ColorBar
from ...pictures.picture import Picture
from ..task import Task
from .class_numbers import check_class_numbers


class EdgeTask(Task):
    """Whether there is an edge in a voxel, in 2D and 3D.

    Targets are (1, *spatial) integers: 1 for edges, 0, or ``ignore_index`` where it is not known; `CannyEdgesd` makes
    them of images. Metrics, over all voxels of the data set and at the threshold of the probability that is best for
    it (ODS): ``<name>_f``, ``<name>_precision`` and ``<name>_recall``, NaN where no target has an edge. Places count as
    equal within ``tolerance``: see :class:`EdgeFMeasure`, also for what differs from the Berkeley benchmark.

    It is saved as float32 probabilities.

    Args:
        name: the task's name.
        tolerance: distance in voxels between a predicted and a true edge that are the same.
        ignore_index: the label of voxels without a target.
        loss: replaces the default, the class-balanced cross-entropy of holistically-nested edge detection.

    Raises:
        ValueError: When the tolerance is negative, or ``ignore_index`` is 0 or 1.

    Example:
        >>> EdgeTask("edges", tolerance=2)
    """

    target_classes = 2

    def __init__(
        self, name: str, tolerance: float = 2.0, ignore_index: int = 255, loss: nn.Module | None = None
    ) -> None:
        super().__init__(name, 1, loss)
        if tolerance < 0:
            raise ValueError(f"Task {name!r}: tolerance must not be negative, got {tolerance}.")
        if ignore_index in (0, 1):
            raise ValueError(f"Task {name!r}: ignore_index {ignore_index} is what marks edges or none; choose 255.")
        self.tolerance = tolerance
        self.ignore_index = ignore_index

    def default_loss(self) -> nn.Module:
        """Class-balanced cross-entropy over the valid voxels."""
        return BalancedEdgeLoss(self.ignore_index)

    def metrics(self, spatial_dims: int) -> dict[str, Metric]:
        """See the class."""
        measure = EdgeFMeasure(self.tolerance, self.ignore_index, output_transform=self._probabilities_and_labels)
        return {f"{self.name}_{what}": measure[index] for index, what in enumerate(("f", "precision", "recall"))}

    def _probabilities_and_labels(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        return output["pred"][self.name].float().sigmoid().squeeze(1), output["label"][self.name].squeeze(1)

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, 1, *spatial) -> int64, checked to be 0, 1 or ``ignore_index``."""
        if target.shape[1] != 1:
            raise ValueError(
                f"Task {self.name!r}: edges must have one channel (B, 1, *spatial), got {tuple(target.shape)}."
            )
        return check_class_numbers(target, self.name, 2, self.ignore_index)

    def missing_value(self) -> Tensor:
        """See :meth:`Task.missing_value`."""
        return torch.tensor([self.ignore_index], dtype=torch.int16)

    def postprocess(self, prediction: Tensor) -> Tensor:
        """Logits (1, *spatial) -> probabilities, float32."""
        # In double precision: the last digit of float32's depends on where a voxel is in memory, as vector instructions
        # leave a rest to scalar ones, and so would differ between an image and its parts.
        return prediction.double().sigmoid().float()

    def undo_postprocess(self, values: Tensor) -> Tensor:
        """Probabilities (1, *spatial) -> logits.

        Raises:
            ValueError: When a value is no probability.
        """
        if not ((values >= 0) & (values <= 1)).all():  # NaN neither
            raise ValueError(f"Task {self.name!r}: probabilities are within 0..1, got others.")
        return values.double().logit().float()  # in float64, so that the way back gives the same probability

    def values_of_target(self, target: Tensor) -> Tensor:
        """Labels (1, *spatial) as probabilities; NaN where they are missing."""
        return target.float().masked_fill(target == self.ignore_index, torch.nan)

    def draw(self, values: Tensor) -> Picture:
        """Probabilities (1, H, W) as colors; missing is white."""
        return self.color_bar().draw(values[0])

    def color_bar(self) -> ColorBar:
        """See :meth:`Task.color_bar`."""
        return ColorBar(0, 1, f"{self.name} [probability]", "magma")

    def metadata(self, spatial_dims: int) -> dict[str, Any]:
        """See :meth:`Task.metadata`."""
        return super().metadata(spatial_dims) | {
            "type": "probabilities",
            "value_range": [0, 1],
            "channel_def": {"0": "edge"},
        }
