"""A table of every image's metrics, so that the worst case is found."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Events
from monai.engines import Evaluator, Workflow
from monai.utils import evenly_divisible_all_gather, string_list_all_gather
from torch import Tensor

from ....data.file_names import stems_below
from ....tasks import TaskList
from ....tasks.case_metrics import CaseMetrics
from ...prepare_batch import file_of


class CaseTable:
    """Writes a row per image with every metric that is one of an image, the worst by the key metric first.

    Of metrics that are means over images (Dice, PSNR, errors of depth), the mean of a column is the reported value. Of
    those that are counted over the data set (mIoU, the F-measure of edges, panoptic quality), a cell is what the metric
    would be if the image were the data set. Cells of targets that an image lacks are empty.

    MONAI's ``MetricsSaver`` writes a file per metric, of those that are means over images.

    The names of the images, in the order in which they were measured, are in ``engine.state.case_names``.

    Args:
        tasks: the tasks that are measured.
        path: of the CSV file, which each epoch replaces.
    """

    def __init__(self, tasks: TaskList, path: str | Path) -> None:
        self.tasks = tasks
        self.path = Path(path)
        self._measure: CaseMetrics | None = None

    def attach(self, engine: Workflow) -> None:
        """Attach to an evaluator that is not decollated."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._write)

    def _start(self, engine: Evaluator) -> None:
        self._files: list[str] = []
        self._counted: list[dict[str, float]] = []

    def _collect(self, engine: Evaluator) -> None:
        batch: Any = engine.state.batch
        output: Any = engine.state.output
        if self._measure is None:
            self._measure = CaseMetrics(self.tasks, output["image"].ndim - 2)
        self._files += [file_of(batch, index) or "" for index in range(len(output["image"]))]
        self._counted += self._measure(output)

    def _write(self, engine: Evaluator) -> None:
        names = [name for name in engine.state.metrics if self._measure and name in self._measure.names]
        counted = torch.tensor([[case[name] for name in names] for case in self._counted], dtype=torch.float64)
        files = self._files
        if idist.get_world_size() > 1:
            files = string_list_all_gather(files)
            counted = evenly_divisible_all_gather(counted.to(idist.device()), concat=True).cpu()
        if idist.get_rank() > 0:
            return
        columns = dict(zip(names, counted.T.tolist(), strict=True))
        for name, values in getattr(engine.state, "metric_details", {}).items():
            if len(values) == len(files):  # of all ranks, one after another, as the files are
                columns[name] = torch.nanmean(_by_image(values), dim=1).tolist()
        order = [name for name in engine.state.metrics if name in columns]
        engine.state.case_names = _named(files)  # in the order of the data, which the table has not
        rows = list(zip(engine.state.case_names, *(columns[name] for name in order), strict=True))
        key = engine.state.key_metric_name
        if key in order:
            sign, place = -1 if key in self.tasks.error_metrics else 1, 1 + order.index(key)
            rows.sort(key=lambda row: (math.isnan(row[place]), sign * row[place]))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            table.writerow(["image", *order])
            table.writerows([name, *map(_cell, values)] for name, *values in rows)


def _by_image(values: Tensor) -> Tensor:
    return values.detach().double().cpu().flatten(start_dim=1) if values.ndim > 1 else values.double().cpu()[:, None]


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _named(files: Sequence[str]) -> list[str]:
    """What images are called: as their predictions are, and those in no file by their number."""
    stems = stems_below(file for file in files if file)
    shared = Counter(stems.values())
    names = []
    for number, file in enumerate(files, start=1):
        stem = stems[os.path.abspath(file)] if file else str(number)
        # Files that differ in their ending alone.
        names.append(stem if not file or shared[stem] == 1 else os.path.join(os.path.dirname(stem), Path(file).name))
    return names
