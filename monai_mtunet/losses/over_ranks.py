"""Reductions over the processes of a distributed training; without one they change nothing.

Every rank must make the same calls in the same order.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def sum_over_ranks(values: Tensor) -> Tensor:
    """Sum of every rank's values, detached."""
    values = values.detach()
    if _ranks() > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values


def mean_over_ranks(values: Tensor) -> Tensor:
    """Mean of every rank's values, detached."""
    return sum_over_ranks(values) / _ranks()


def mean_over_valid(total: Tensor, count: Tensor) -> Tensor:
    """``total / count`` over the batches of all ranks together, as each rank's part of it.

    A rank's part is ``ranks * total / sum of counts``. Averaged over ranks, as DistributedDataParallel averages
    gradients, the parts give the mean over every valid element, however unevenly the ranks share them.

    Args:
        total: 0-d sum over this rank's valid elements.
        count: 0-d number (or total weight) of this rank's valid elements.

    Returns:
        0-d tensor; 0, connected to ``total``, where no rank has a valid element.
    """
    count = sum_over_ranks(count)
    return total * _ranks() / torch.where(count > 0, count, torch.ones_like(count))


def _ranks() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
