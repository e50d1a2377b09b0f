"""Weights from how fast the losses fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .loss_history import LossHistory
from .windowed_weighting import WindowedWeighting

_SMALLEST = 1e-12


class DynamicWeightAverage(WindowedWeighting):
    """DWA: ``w_k = K exp(r_k / T) / sum_i exp(r_i / T)`` with ``r_k = L_k(t-1) / L_k(t-2)``, L an epoch's mean loss.

    Liu et al. 2019, "End-to-End Multi-Task Learning with Attention", equation 7: what falls slowly gets more weight.
    A loss's scale does not matter. ``r_k`` is 1 until two epochs are known, so the first two epochs weigh equally.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top.
        temperature: T; the larger, the more equal.

    Raises:
        ValueError: When the temperature is not positive.

    Example:
        >>> weighting = DynamicWeightAverage(["segment", "depth"], temperature=2.0)
    """

    def __init__(
        self, tasks: Sequence[str], weights: Mapping[str, float] | None = None, temperature: float = 2.0
    ) -> None:
        super().__init__(tasks, weights, start=1.0)
        if temperature <= 0:
            raise ValueError(f"temperature must be positive, got {temperature}.")
        self.temperature = temperature
        self.means = LossHistory(len(self.tasks), length=2)

    def update(self, mean: Tensor, variance: Tensor, observed: Tensor) -> Tensor:
        """Equation 7."""
        self.means.push(mean, observed)
        last, before = self.means.values.clamp(min=_SMALLEST)
        ratio = torch.where(self.means.count > 1, last / before, torch.ones_like(last))
        return len(self.tasks) * torch.softmax(ratio / self.temperature, dim=0)
