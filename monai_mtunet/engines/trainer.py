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
        args: further ones of ``SupervisedTrainer``, by keyword.

    Example:
        >>> MultiTaskTrainer(tasks=tasks, device=device, max_epochs=24, train_data_loader=loader, network=network, ...)
    """

    def __init__(self, *, tasks: TaskList, device: torch.device, **args: Any) -> None:
        defaults: dict[str, Any] = {
            "prepare_batch": MultiTaskPrepareBatch(tasks),
            "amp": device.type == "cuda",
            "decollate": False,
            "optim_set_to_none": True,
        }
        super().__init__(device=device, **defaults | args)
