"""The geometric mean of the losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .task_weighting import TaskWeighting


class GeometricMeanWeighting(TaskWeighting):
    """``L = prod_k L_k^(a_k / sum a)``, whose gradient is that of the losses' logarithms times L.

    Chennupati et al. 2019, "MultiNet++", equation 3; the exponents are an addition. It is computed as the weighted sum
    with ``w_k = a_k / sum a * L / L_k``, detached, which has the same value and gradient. A task that is missing has
    no factor; a factor 0 would hide every other task, so losses below ``smallest`` count as ``smallest``.

    Args:
        tasks: the names of the tasks whose losses will come, which must not be negative.
        weights: exponent a_k per task name, 1 where none is given.
        smallest: smallest factor.

    Raises:
        ValueError: When ``smallest`` is not positive.

    Example:
        >>> weighting = GeometricMeanWeighting(["segment", "depth"])
        >>> weighting({"segment": torch.tensor(4.0), "depth": torch.tensor(1.0)})
        tensor(2.)
    """

    def __init__(
        self, tasks: Sequence[str], weights: Mapping[str, float] | None = None, smallest: float = 1e-12
    ) -> None:
        super().__init__(tasks, weights)
        if smallest <= 0:
            raise ValueError(f"smallest must be positive, got {smallest}.")
        self.smallest = smallest

    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """``L / (L_k * sum a)``; the base multiplies by a_k."""
        total = self.importance[present].sum()
        total = torch.where(total > 0, total, torch.ones_like(total))  # all exponents 0: all weights will be 0
        logarithms = losses.clamp(min=self.smallest).log()
        mean = (self.importance[present] * logarithms).sum() / total
        return torch.exp(mean - logarithms) / total
