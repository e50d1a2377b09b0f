"""MONAI's trainer as every bundle uses it."""

from __future__ import annotations

from typing import Any

import torch
from monai.engines import SupervisedTrainer

from ..tasks import TaskList
from .prepare_batch import MultiTaskPrepareBatch

__all__ = ["MultiTaskTrainer"]


class MultiTaskTrainer(SupervisedTrainer):
    """MONAI's ``SupervisedTrainer`` for several tasks. The same arguments, of which some have other defaults.

    Batches are prepared by :class:`MultiTaskPrepareBatch` and stay together (``decollate=False``), which costs less
    than the steps in between; gradients are set to None; mixed precision is on where the device is a GPU.

    Args:
        tasks: the tasks to train.
        device: where the network is.
        max_epochs: after how many epochs it ends.
        args: further ones of ``SupervisedTrainer``, by keyword.

    Raises:
        ValueError: When ``max_epochs`` is no positive whole number.

    Example:
        >>> MultiTaskTrainer(tasks=tasks, device=device, max_epochs=24, train_data_loader=loader, network=network, ...)
    """

    def __init__(self, *, tasks: TaskList, device: torch.device, max_epochs: int, **args: Any) -> None:
        if not isinstance(max_epochs, int) or max_epochs < 1:
            raise ValueError(f"max_epochs must be a whole number, at least 1, got {max_epochs!r}.")
        defaults: dict[str, Any] = {
            "prepare_batch": MultiTaskPrepareBatch(tasks),
            "amp": device.type == "cuda",
            "decollate": False,
            "optim_set_to_none": True,
        }
        super().__init__(device=device, max_epochs=max_epochs, **defaults | args)
