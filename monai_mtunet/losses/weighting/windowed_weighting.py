"""What the methods that update their weights from time to time have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .loss_window import LossWindow
from .task_weighting import TaskWeighting


class WindowedWeighting(TaskWeighting):
    """Base of the methods whose weights follow from the losses' mean and variance over whole epochs.

    A task that is missing from a batch does not count in its statistics; one that is missing from a whole epoch keeps
    them. A method implements :meth:`update`.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top.
        start: the weight of every task before the first update.
    """

    current: Tensor

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float] | None, start: float) -> None:
        super().__init__(tasks, weights)
        self.window = LossWindow(len(self.tasks))
        self.register_buffer("current", torch.full((len(self.tasks),), start))

    def observe(self, losses: Tensor, present: list[int]) -> None:
        """Add to the window's statistics."""
        self.window.add(losses, present)

    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """The weights since the last update."""
        return self.current[present]

    def epoch_completed(self) -> None:
        """Update the weights."""
        self.close_window()

    @torch.no_grad()
    def close_window(self) -> None:
        """Update the weights from the window, and open a new one."""
        self.current.copy_(self.update(*self.window.close()))

    @abstractmethod
    def update(self, mean: Tensor, variance: Tensor, observed: Tensor) -> Tensor:
        """New weights (T,) from the closed window's (T,) means, variances and which tasks it observed."""
