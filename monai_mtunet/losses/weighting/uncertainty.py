"""Weights from learned task uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from .task_weighting import TaskWeighting

_SMALLEST = 1e-12


class UncertaintyWeighting(TaskWeighting):
    """Homoscedastic uncertainty: ``sum_k L_k / (2 exp(s_k)) + s_k / 2`` with learned ``s_k = log sigma_k^2``.

    Kendall et al. 2018, "Multi-Task Learning Using Uncertainty to Weigh Losses", equation 7, for all tasks alike as in
    MTAN. The ``s_k`` are parameters: give them to the optimizer by
    :func:`~monai_mtunet.losses.parameter_groups`. They learn from the mean loss of all ranks, so that they
    stay the same on every rank without DistributedDataParallel. There is one parameter per task, which gets no gradient
    at all from a batch that lacks the task: a zero gradient would let Adam's momentum move it.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, of both its terms.
        initial: where every ``s_k`` starts; MTAN's -0.5 by default.

    Example:
        >>> weighting = UncertaintyWeighting(["segment", "depth"], initial=0.0)
        >>> weighting({"segment": torch.tensor(2.0), "depth": torch.tensor(1.0)}).item()
        1.5
    """

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float] | None = None, initial: float = -0.5) -> None:
        super().__init__(tasks, weights)
        self.log_variances = nn.ParameterDict({name: nn.Parameter(torch.tensor(float(initial))) for name in self.tasks})

    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """``1 / (2 exp(s))``."""
        return torch.exp(-self._log_variances(present)) / 2

    def own_term(self, losses: Tensor, present: list[int]) -> Tensor:
        """``s / 2``, and the gradient of ``L / (2 exp(s))`` with respect to ``s``."""
        s = self._log_variances(present)
        weights = torch.exp(-s) / 2
        # Where a loss is 0 the optimum of s is minus infinity: ending at log(1e-12) keeps the weights finite.
        gradient_only = (weights - weights.detach()) * losses.clamp(min=_SMALLEST)
        return (self.importance[present] * (gradient_only + s / 2)).sum()

    def _log_variances(self, present: list[int]) -> Tensor:
        return torch.stack([self.log_variances[self.tasks[index]] for index in present])
