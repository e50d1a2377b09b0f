"""Predictions in files against targets in files."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.handlers import IgniteMetricHandler
from monai.transforms import Compose
from torch import Tensor

from ..bundle.plain_errors import root_cause
from ..files import open_image
from ..tasks import Task, TaskList
from ..tasks.task_names import known_names
from .cases import Case, find_cases
from .file_values import FileValues
from .meter import Meter

logger = logging.getLogger(__name__)

__all__ = ["Evaluation", "evaluate_predictions"]

Output = dict[str, Any]
Pairs = dict[str, tuple[Tensor, Tensor]]


@dataclass
class Evaluation:
    """What was measured, and what was not.

    Attributes:
        metrics: of all images, by name; as in validation.
        cases: of each image by its name, as if it were the data set.
        missing_predictions: images and tasks with a target only.
        missing_targets: images and tasks with a prediction only, unless a data list says that there is no target.
        failed: why others could not be measured, by image and task.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    cases: dict[str, dict[str, float]] = field(default_factory=dict)
    missing_predictions: list[str] = field(default_factory=list)
    missing_targets: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether all predictions and targets were measured."""
        return bool(self.cases) and not (self.missing_predictions or self.missing_targets or self.failed)


def evaluate_predictions(
    predictions: str | Path,
    targets: Sequence[str],
    tasks: TaskList,
    spatial_dims: int,
    only: Sequence[str] = (),
    preprocessing: Compose | None = None,
    map_labels: bool = False,
) -> Evaluation:
    """Measure predictions of any number of images, one in memory at a time. What fails does not stop the rest.

    Label maps that do not fit into memory are measured in parts.

    Metrics are the tasks' own, and those of validation on the same images, as far as files hold what networks predict:
    8-bit pictures are clipped and rounded. What a network's input itself scores is left out.

    Args:
        predictions: folder of files, as prediction writes them.
        targets: data lists, folders, or ``task=folder``; see :func:`~monai_mtunet.evaluation.cases.find_cases`. Files
            hold what predictions hold: class numbers, ids, intensities and quantities in their unit; NaN or the
            ``ignore_index`` where there is no target.
        tasks: the declared tasks.
        spatial_dims: 2 or 3.
        only: names of the tasks to measure; all by default.
        preprocessing: the bundle's, whose scaling of intensities is applied to pictures.
        map_labels: whether label files of targets hold what the preprocessing maps to class numbers by
            ``MapLabelValued`` or `ColorsToClassesd`.

    Raises:
        FileNotFoundError: When there is no such folder or list.
        ValueError: When there is no prediction or no target at all, or ``only`` names another task.

    Example:
        >>> evaluate_predictions("predictions", ["segment=labelsTs"], tasks, spatial_dims=3).metrics
        {'segment_miou': 0.71, 'segment_accuracy': 0.93, ...}
    """
    names = known_names(only, tasks.names) or tasks.names
    wanted = [task for task in tasks if task.name in names]
    helping = set(chain.from_iterable(task.measured_with for task in wanted))
    known = [task for task in tasks if task in wanted or task.name in helping]
    cases = find_cases(predictions, targets, [task.name for task in known])
    run = _Run(wanted, known, spatial_dims, FileValues(spatial_dims, preprocessing, map_labels))
    outputs = run.outputs(cases)
    first = next(outputs, None)
    if first is not None:
        run.evaluation.metrics = Meter(wanted, spatial_dims)(chain([first], outputs)) | run.means_over_images()
    return run.evaluation


class _Run:
    """Measures images one by one, and hands on what was measured."""

    def __init__(self, wanted: Sequence[Task], known: Sequence[Task], spatial_dims: int, files: FileValues) -> None:
        self.wanted = wanted
        self.known = known
        self.spatial_dims = spatial_dims
        self.files = files
        self.evaluation = Evaluation()
        self._measure = Meter(wanted, spatial_dims)
        self._in_parts: set[Task] = set()  # of which an image was measured in parts

    def outputs(self, cases: Sequence[Case]) -> Iterator[Output]:
        """What a network would have given, of the images that can be measured; of large ones in parts."""
        for case in cases:
            large = self._large(case)
            pairs = self._pairs(case, large)
            if any(task.name in pairs for task in self.wanted):
                try:
                    output = self._output(case, pairs)
                    self.evaluation.cases[case.name] = self._measure([output])
                except Exception as error:  # each metric has demands of its own
                    self._fail(case, ", ".join(pairs), error)
                else:
                    yield output
            for task in large:
                yield from self._parts(case, task)

    def means_over_images(self) -> dict[str, float]:
        """Metrics that are means over images, of tasks of which an image was measured in parts."""
        return {
            name: float(np.nanmean(values))
            for task in self._in_parts
            for name, metric in task.metrics(self.spatial_dims).items()
            if isinstance(metric, IgniteMetricHandler)
            and not np.isnan(values := [case[name] for case in self.evaluation.cases.values()]).all()
        }

    def _large(self, case: Case) -> list[Task]:
        """The tasks whose files do not fit into memory, and can be measured in parts."""
        found = []
        for task in self.wanted:
            if task.name in case.predictions and task.name in case.targets and task.metrics_of_parts(self.spatial_dims):
                with suppress(Exception):  # what is wrong with a file is told when it is read
                    if not self.files.fits(task, case.predictions[task.name]):
                        found.append(task)
        return found

    def _parts(self, case: Case, task: Task) -> Iterator[Output]:
        def outputs() -> Iterator[Output]:
            for pair in self.files.parts(task, case.predictions[task.name], case.targets[task.name]):
                yield self._output(case, {task.name: pair})

        try:
            values = Meter([task], self.spatial_dims, of_parts=True)(outputs())
        except Exception as error:  # whatever is wrong with one file
            self._fail(case, task.name, error)
            return
        self._in_parts.add(task)
        self.evaluation.cases.setdefault(case.name, dict.fromkeys(self._measure.names, math.nan)).update(values)
        yield from outputs()  # read again: metrics of all images take them as well

    def _pairs(self, case: Case, large: Sequence[Task]) -> Pairs:
        pairs: Pairs = {}
        for task in self.known:
            name = task.name
            if task in large:
                continue
            if name in case.predictions and name in case.targets:
                try:
                    self.files.check_memory(task, case.predictions[name])
                    pairs[name] = self.files.read(task, case.predictions[name], case.targets[name])
                except Exception as error:  # whatever is wrong with one file
                    self._fail(case, name, error)
            elif task in self.wanted and name in case.targets:
                self.evaluation.missing_predictions.append(f"{case.name}, {name}")
            elif task in self.wanted and name in case.predictions and name not in case.without_target:
                self.evaluation.missing_targets.append(f"{case.name}, {name}")
        for task in self.wanted:
            if task.name in pairs and (absent := [name for name in task.measured_with if name not in pairs]):
                del pairs[task.name]
                self._fail(case, task.name, ValueError(f"It is measured with {absent}, of which something is missing."))
        return pairs

    def _output(self, case: Case, pairs: Pairs) -> Output:
        """With missing targets for what is not there."""
        size = self._size(case, pairs)
        output: Output = {"image": torch.zeros(1, 1, *size), "pred": {}, "label": {}}
        for task in self.known:
            place = size if task.is_dense else ()
            missing = task.missing_value().reshape(1, -1, *[1] * len(place))
            prediction, target = pairs.get(task.name) or (
                torch.zeros(1, task.channels, *place),
                task.prepare_target(missing.expand(*missing.shape[:2], *place)),
            )
            output["pred"][task.name], output["label"][task.name] = prediction, target
        return output

    def _size(self, case: Case, pairs: Pairs) -> Sequence[int]:
        sizes = [tuple(pairs[task.name][1].shape[2:]) for task in self.known if task.is_dense and task.name in pairs]
        if len(set(sizes)) > 1:
            raise ValueError(f"{case.name}: the tasks' files are of several sizes, {sorted(set(sizes))}.")
        if sizes:
            return sizes[0]
        if case.image is not None:
            return open_image(case.image).shape[1:]
        if any(task.is_box and task.name in pairs for task in self.known):
            raise ValueError("The image's size is not known: give the targets as a data list, which names the image.")
        return [1] * self.spatial_dims

    def _fail(self, case: Case, task: str, error: Exception) -> None:
        reason = " ".join(str(root_cause(error)).split()) or type(error).__name__
        self.evaluation.failed[f"{case.name}, {task}"] = reason
        logger.error("%s, %s: %s", case.name, task, reason)
