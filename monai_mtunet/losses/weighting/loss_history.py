"""The last values of a statistic of the tasks' losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class LossHistory(nn.Module):
    """The last values of a statistic per task, over the windows in which the task was observed.

    Args:
        tasks: number of tasks, T.
        length: how many values.

    Attributes:
        values: (length, T), newest first.
        count: (T,) number of values that there have been.
    """

    values: Tensor
    count: Tensor

    def __init__(self, tasks: int, length: int) -> None:
        super().__init__()
        self.register_buffer("values", torch.zeros(length, tasks))
        self.register_buffer("count", torch.zeros(tasks, dtype=torch.long))

    def push(self, values: Tensor, observed: Tensor) -> None:
        """Add (T,) values of the observed tasks; the others keep their history."""
        shifted = torch.cat([values[None], self.values[:-1]])
        self.values.copy_(torch.where(observed, shifted, self.values))
        self.count += observed
