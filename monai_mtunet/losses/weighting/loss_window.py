"""Running mean and variance of the tasks' losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LossWindow(nn.Module):
    """Mean and variance of each task's losses since the window was opened (Welford's algorithm).

    A task counts only where it is present and its loss is finite.

    Args:
        tasks: number of tasks, T.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor

    def __init__(self, tasks: int) -> None:
        super().__init__()
        for name in ("count", "mean", "squares"):
            self.register_buffer(name, torch.zeros(tasks))

    def add(self, losses: Tensor, present: list[int]) -> None:
        """Take up (P,) losses of the tasks at the positions ``present``."""
        finite = torch.isfinite(losses)
        mean, count = self.mean[present], self.count[present] + finite
        difference = torch.where(finite, losses - mean, torch.zeros_like(losses))
        updated = mean + difference / count.clamp(min=1)
        self.count[present] = count
        self.mean[present] = updated
        self.squares[present] += difference * (mean + difference - updated)

    def close(self) -> tuple[Tensor, Tensor, Tensor]:
        """Open a new window.

        Returns:
            Of the closed one, each (T,): means, population variances, and which tasks were observed at all.
        """
        mean, variance, observed = self.mean.clone(), self.squares / self.count.clamp(min=1), self.count > 0
        for buffer in (self.count, self.mean, self.squares):
            buffer.zero_()
        return mean, variance, observed
