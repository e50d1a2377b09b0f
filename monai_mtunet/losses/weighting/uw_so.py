"""Weights from the analytically optimal task uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .task_weighting import TaskWeighting

_SMALLEST = 1e-12


class SoftOptimalUncertaintyWeighting(TaskWeighting):
    """UW-SO: ``w = softmax((1 / L) / T)`` over the tasks, with ``L`` detached, in every iteration.

    Kirchdorfer et al. 2024, "Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning": 1 / L is what
    uncertainty weighting would learn, the softmax tempers it. The weights sum to 1 over the tasks that are present.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top.
        temperature: T, in units of 1 / loss. It needs tuning: the smaller, the more the smallest loss takes all.

    Raises:
        ValueError: When the temperature is not positive.

    Example:
        >>> weighting = SoftOptimalUncertaintyWeighting(["segment", "depth"], temperature=10.0)
        >>> weighting({"segment": torch.tensor(0.5), "depth": torch.tensor(0.5)})
        tensor(0.5000)
    """

    def __init__(
        self, tasks: Sequence[str], weights: Mapping[str, float] | None = None, temperature: float = 10.0
    ) -> None:
        super().__init__(tasks, weights)
        if temperature <= 0:
            raise ValueError(f"temperature must be positive, got {temperature}.")
        self.temperature = temperature

    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """``softmax((1 / L) / T)``."""
        return torch.softmax(1 / losses.clamp(min=_SMALLEST) / self.temperature, dim=0)
