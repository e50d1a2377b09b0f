"""What all weighting methods have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..over_ranks import mean_over_ranks


class TaskWeighting(nn.Module, ABC):
    """Base of the weighting methods: ``sum_k weights_k * w_k * L_k``, with ``w_k`` from the method.

    A method sees the losses' means over all ranks, detached, so that its weights are the same on every rank, and only
    of tasks that have something to learn. It implements :meth:`weigh`; :meth:`observe` and :meth:`epoch_completed` if
    it keeps statistics (in buffers); :meth:`own_term` if it has parameters.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top of the method's weight; a task that is not named has 1.

    Attributes:
        applied_weights: the weights of the last call by task name, detached, for logging.

    Raises:
        ValueError: When ``weights`` names a task that does not exist, or a weight is negative.
    """

    importance: Tensor

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float] | None = None) -> None:
        super().__init__()
        weights = dict(weights or {})
        unknown = sorted(set(weights) - set(tasks))
        if unknown:
            raise ValueError(f"Weights are given for unknown task(s) {unknown}; the tasks are {list(tasks)}.")
        negative = {name: weight for name, weight in weights.items() if weight < 0}
        if negative:
            raise ValueError(f"Loss weights must not be negative, got {negative}.")
        self.tasks = tuple(tasks)
        importance = torch.tensor([float(weights.get(name, 1.0)) for name in tasks])
        self.register_buffer("importance", importance, persistent=False)  # the configuration's, not the checkpoint's
        self.applied_weights: dict[str, Tensor] = {}

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Combine.

        Args:
            losses: 0-d tensor per task; a task without anything to learn is left out.

        Returns:
            0-d tensor.

        Raises:
            ValueError: When there is no loss, or one of an unknown task.
        """
        unknown = [name for name in losses if name not in self.tasks]
        if unknown or not losses:
            raise ValueError(f"Losses came for task(s) {list(losses)}; the tasks are {list(self.tasks)}.")
        present = [index for index, name in enumerate(self.tasks) if name in losses]
        values = torch.stack([losses[self.tasks[index]] for index in present]).float()
        means = mean_over_ranks(values)
        with torch.no_grad():
            if self.training:
                self.observe(means, present)
            weights = self.importance[present] * self.weigh(means, present)
        self.applied_weights = {
            self.tasks[index]: weight for index, weight in zip(present, weights.unbind(), strict=True)
        }
        return (weights * values).sum() + self.own_term(means, present)

    @abstractmethod
    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """The method's weights.

        Args:
            losses: (P,) losses of the present tasks, means over ranks, detached.
            present: their positions among the tasks.

        Returns:
            (P,) weights.
        """

    def own_term(self, losses: Tensor, present: list[int]) -> Tensor:
        """What the method adds to learn parameters of its own; 0-d. Arguments as in :meth:`weigh`."""
        return losses.new_zeros(())

    def observe(self, losses: Tensor, present: list[int]) -> None:
        """Take one training iteration into the statistics. Arguments as in :meth:`weigh`."""

    def epoch_completed(self) -> None:
        """Take up the epoch's statistics; :class:`~monai_mtunet.engines.WeightingHandler` calls it."""
