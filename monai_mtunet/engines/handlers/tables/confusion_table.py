"""Which classes a network takes for which."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Events
from monai.engines import Workflow
from torch import Tensor

from ....tasks import ClassificationTask, SegmentationTask, Task

__all__ = ["ConfusionTable"]

_MOST_CLASSES = 1000  # the square of it is counted
_LabelTask = SegmentationTask | ClassificationTask


class ConfusionTable:
    """Writes ``confusion_<task>.csv`` of every task whose targets are classes, voxel by voxel or image by image.

    It has the columns ``true``, ``predicted`` and ``count``, and a row for each pair of classes that occurs. A class
    with itself is always there, so that the classes stand in their order. What is missing is not counted.

    Args:
        tasks: the tasks that are measured; those of more than 1000 classes are left out.
        folder: of the files, which each epoch replaces.
    """

    def __init__(self, tasks: Iterable[Task], folder: str | Path) -> None:
        self.tasks = [task for task in tasks if isinstance(task, _LabelTask) and len(task.classes) <= _MOST_CLASSES]
        self.folder = Path(folder)
        self._counts: dict[str, Tensor] = {}

    def attach(self, engine: Workflow) -> None:
        """Attach to an evaluator that is not decollated."""
        if self.tasks:
            engine.add_event_handler(Events.EPOCH_STARTED, self._start)
            engine.add_event_handler(Events.ITERATION_COMPLETED, self._count)
            engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def _start(self, engine: Workflow) -> None:
        device = engine.state.device
        self._counts = {
            task.name: torch.zeros((len(task.classes),) * 2, dtype=torch.int64, device=device) for task in self.tasks
        }

    def _count(self, engine: Workflow) -> None:
        output: Any = engine.state.output
        for task in self.tasks:
            counts = self._counts[task.name]
            true = output["label"][task.name].flatten().to(counts.device)
            predicted = output["pred"][task.name].argmax(dim=1).flatten().to(counts.device)
            known = true != task.ignore_index
            pairs = true[known].long() * len(counts) + predicted[known]
            counts += torch.bincount(pairs, minlength=counts.numel()).reshape(counts.shape)

    def _write(self, engine: Workflow) -> None:
        for task in self.tasks:
            counts = self._counts[task.name]
            if idist.get_world_size() > 1:
                counts = idist.all_reduce(counts.to(idist.device()))  # type: ignore[assignment]
            if idist.get_rank() == 0:
                self.folder.mkdir(parents=True, exist_ok=True)
                _write_pairs(self.folder / f"confusion_{task.name}.csv", task.classes, counts.tolist())


def _write_pairs(path: Path, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["true", "predicted", "count"])
        for true, row in zip(classes, counts, strict=True):
            table.writerows(
                [true, predicted, count]
                for predicted, count in zip(classes, row, strict=True)
                if count or predicted == true
            )
