"""A look at the training targets before training starts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Events
from monai.engines import Workflow
from torch import Tensor
from torch.utils.data import DataLoader

from ...losses import MultiTaskLoss
from ...tasks import SegmentationTask, Task, TaskList
from ..preprocessing import TaskPreprocessing

logger = logging.getLogger(__name__)


class TargetCheck:
    """Refuses to train a task that has no target in any sample, or whose labels are all ignored but background.

    A mistyped key of a data list, and masks that hold 0 and 255 where 255 is ignored, would otherwise train in silence
    and measure nothing. Samples are read until every task has shown a target, which mostly is the first; those with the
    most targets in the data list come first.

    It needs a data set with ``data`` and a :class:`TaskPreprocessing` as ``transform``, and is idle with others.

    Args:
        tasks: the trained tasks.
        loss: their loss, which says what counts as a target.
        data_loader: the training data.

    Raises:
        ValueError: Before training; it names the task, what was found and the remedy.
    """

    def __init__(self, tasks: TaskList, loss: MultiTaskLoss, data_loader: DataLoader[Any]) -> None:
        self.tasks = tasks
        self.loss = loss
        self.dataset = data_loader.dataset

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self) -> None:
        """Check."""
        data: Sequence[Mapping[str, Any]] | None = getattr(self.dataset, "data", None)
        transform = getattr(self.dataset, "transform", None)
        if data is None or not isinstance(transform, TaskPreprocessing):
            return
        waiting = {task.name: task for task in self.tasks.predicted}
        found: dict[str, set[int]] = {name: set() for name in waiting}
        for entry in sorted(data, key=lambda entry: sum(entry.get(name, 0) is None for name in waiting)):
            if not waiting:
                return
            sample = transform.with_targets(entry)
            for name, task in list(waiting.items()):
                values = self._values(task, torch.as_tensor(sample[name]))
                found[name] |= values
                if values - {0, self._ignored(task)} or (values and not task.target_classes):
                    del waiting[name]
        for name, task in waiting.items():
            self._report(task, found[name], data[0])

    def _values(self, task: Task, target: Tensor) -> set[int]:
        """Class numbers that a target holds, ignored ones included; of other targets 1 where there is one."""
        if task.is_box:  # painted as a mask
            return {1} if (target == 1).any() else set()
        batch = task.prepare_target(target[None])
        if task.target_classes and task.is_dense:
            return {int(value) for value in batch.unique()}
        return {1} if self.loss.valid_count(task.name, batch) else set()  # of whole images any class is a target

    @staticmethod
    def _ignored(task: Task) -> int | None:
        return int(task.missing_value()) if task.target_classes else None

    def _report(self, task: Task, found: set[int], entry: Mapping[str, Any]) -> None:
        ignored = self._ignored(task)
        if found == {0}:
            logger.warning("Task %r: all training labels are 0; there is nothing else to learn.", task.name)
        elif found == {0, ignored}:
            raise ValueError(
                f"Task {task.name!r}: all training labels are 0 or {ignored}, and {ignored} stands for missing: only "
                f"class 0 would be learned. Where {ignored} marks the foreground, {_remedy(task, ignored)}"
            )
        else:
            raise ValueError(
                f"Task {task.name!r} has no target in any training sample. The data list's entries hold "
                f"{sorted(entry)}: name the files {task.name!r} there, add the transform that makes its target, or "
                'leave the task out ("only").'
            )


def _remedy(task: Task, ignored: int | None) -> str:
    if isinstance(task, SegmentationTask):
        return (
            f'declare what its files hold for each class, "labels": [0, {ignored}] in the task: predictions are then '
            "written so, too."
        )
    return (
        f'map it: {{"_target_": "MapLabelValued", "keys": "{task.name}", "orig_labels": [0, {ignored}], '
        '"target_labels": [0, 1], "dtype": "$torch.int16", "allow_missing_keys": true} at the end of "load".'
    )
