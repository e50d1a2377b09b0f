"""What tasks share that predict real values."""

from __future__ import annotations

from typing import Any

import torch
from ignite.metrics import Metric
from monai.handlers import IgniteMetricHandler
from monai.metrics import CumulativeIterationMetric
from torch import Tensor

from ..task import Task


class RegressionTask(Task):
    """Real values per voxel, NaN where they are missing: the base of restoration, depth, distances and normals."""

    def prepare_target(self, target: Tensor) -> Tensor:
        """(B, C, *spatial) -> float32, checked for channels and infinities."""
        if target.shape[1] != self.channels:
            raise ValueError(
                f"Task {self.name!r} has {self.channels} channel(s), its target has shape {tuple(target.shape)}."
            )
        if torch.isinf(target).any():
            raise ValueError(f"Task {self.name!r}: the target holds infinite values; mark missing voxels with NaN.")
        return target.float()

    def _measure(self, metric: CumulativeIterationMetric) -> Metric:
        """Attach a metric of (prediction, target) to an engine's output."""
        return IgniteMetricHandler(metric, output_transform=self._prediction_and_target)

    def _prediction_and_target(self, output: dict[str, Any]) -> tuple[Tensor, Tensor]:
        return output["pred"][self.name].float(), output["label"][self.name]
