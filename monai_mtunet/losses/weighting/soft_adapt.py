"""Weights from how the losses change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .loss_history import LossHistory
from .windowed_weighting import WindowedWeighting

_SMALLEST = 1e-12


class SoftAdapt(WindowedWeighting):
    """``w = softmax(beta * s)`` with the losses' rates of change ``s_k = L_k(t) - L_k(t-1)``.

    Heydari et al. 2019, "SoftAdapt: Techniques for Adaptive Loss Weighting of Neural Networks with Multi-Part Loss
    Functions": with ``beta > 0`` the loss that falls least gets most weight. Variants:

    - ``"plain"``: as above;
    - ``"normalized"``: ``s_k / sum_i |s_i|`` in place of ``s_k``, so that a common scale of the losses cancels;
    - ``"loss_weighted"``: ``w_k = L_k exp(beta s_k) / sum_i L_i exp(beta s_i)``.

    L(t) is the mean over a window, of an epoch or of some iterations (1: the single losses). Weights are equal until
    every task has been seen in two windows, and sum to 1 over all tasks.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top.
        beta: how much the rates matter; may be negative.
        variant: one of the above.
        window: ``"epoch"`` or a number of iterations.

    Raises:
        ValueError: When ``variant`` or ``window`` is none of these.

    Example:
        >>> weighting = SoftAdapt(["segment", "depth"], variant="normalized", window=50)
    """

    iterations: Tensor

    def __init__(
        self,
        tasks: Sequence[str],
        weights: Mapping[str, float] | None = None,
        beta: float = 0.1,
        variant: str = "plain",
        window: int | str = "epoch",
    ) -> None:
        super().__init__(tasks, weights, start=1 / len(tasks))
        if variant not in ("plain", "normalized", "loss_weighted"):
            raise ValueError(f"variant must be 'plain', 'normalized' or 'loss_weighted', got {variant!r}.")
        if window != "epoch" and not (isinstance(window, int) and window > 0):
            raise ValueError(f"window must be 'epoch' or a positive number of iterations, got {window!r}.")
        self.beta = beta
        self.variant = variant
        self.length = window if isinstance(window, int) else None
        self.means = LossHistory(len(self.tasks), length=2)
        self.register_buffer("iterations", torch.tensor(0))

    def observe(self, losses: Tensor, present: list[int]) -> None:
        """Add to the window, and close it when it is full."""
        super().observe(losses, present)
        if self.length is not None:
            self.iterations += 1
            if int(self.iterations) % self.length == 0:
                self.close_window()

    def epoch_completed(self) -> None:
        """Update the weights, if the window is the epoch."""
        if self.length is None:
            self.close_window()

    def update(self, mean: Tensor, variance: Tensor, observed: Tensor) -> Tensor:
        """The softmax of the rates."""
        self.means.push(mean, observed)
        last, before = self.means.values
        rates = last - before
        if self.variant == "normalized":
            rates = rates / rates.abs().sum().clamp(min=_SMALLEST)
        scores = self.beta * rates
        if self.variant == "loss_weighted":
            scores = scores + last.clamp(min=_SMALLEST).log()
        equal = torch.full_like(scores, 1 / len(self.tasks))
        return torch.where((self.means.count > 1).all(), torch.softmax(scores, dim=0), equal)
