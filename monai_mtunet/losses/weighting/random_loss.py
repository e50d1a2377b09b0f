"""Random loss weights."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from .task_weighting import TaskWeighting


class RandomLossWeighting(TaskWeighting):
    """RLW: ``w = softmax(z)`` with standard normal ``z``, sampled anew in every iteration.

    Lin et al. 2022, "Reasonable Effectiveness of Random Weighting": the baseline that a method has to beat. A sample
    depends on the seed, the number of training iterations so far and the task's name alone: not on global random
    states, the rank, the order of the tasks or which of them are present.

    Args:
        tasks: the names of the tasks whose losses will come.
        weights: importance per task name, on top.
        seed: of the samples.

    Example:
        >>> weighting = RandomLossWeighting(["segment", "depth"], seed=0)
        >>> weighting({"segment": torch.tensor(1.0), "depth": torch.tensor(1.0)})
        tensor(1.)
    """

    iterations: Tensor

    def __init__(self, tasks: Sequence[str], weights: Mapping[str, float] | None = None, seed: int = 0) -> None:
        super().__init__(tasks, weights)
        self.seed = seed
        self.register_buffer("iterations", torch.tensor(0))

    def observe(self, losses: Tensor, present: list[int]) -> None:
        """Count the iteration."""
        self.iterations += 1

    def weigh(self, losses: Tensor, present: list[int]) -> Tensor:
        """The iteration's sample; the weights sum to 1 over all tasks, present or not."""
        iteration = int(self.iterations)
        keys = ([self.seed, iteration, zlib.crc32(name.encode())] for name in self.tasks)
        sampled = torch.tensor([np.random.default_rng(key).standard_normal() for key in keys])
        return torch.softmax(sampled.to(losses), dim=0)[present]
