"""The tasks' own metrics, of one image or of many."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ignite.engine import Engine
from ignite.metrics import Metric

from ..tasks import RestorationTask, Task

__all__ = ["Meter"]


class Meter:
    """Measures outputs of networks, or what stands for them; the network's input is not measured.

    Args:
        tasks: the tasks that are measured.
        spatial_dims: 2 or 3.
        of_parts: measures one image, given in parts, instead of a data set (`Task.metrics_of_parts`).

    Attributes:
        names: of the metrics, in the order of the tasks.

    Example:
        >>> Meter(tasks, spatial_dims=2)([{"image": image, "pred": {"segment": logits}, "label": {"segment": labels}}])
        {'segment_miou': 0.71, 'segment_accuracy': 0.93, ...}
    """

    def __init__(self, tasks: Sequence[Task], spatial_dims: int, of_parts: bool = False) -> None:
        self._engine = Engine(lambda _, output: output)
        metrics: dict[str, Metric] = {}
        for task in map(_without_input, tasks):
            metrics |= task.metrics_of_parts(spatial_dims) if of_parts else task.metrics(spatial_dims)
        for name, metric in metrics.items():
            metric.attach(self._engine, name)
        self.names = tuple(metrics)

    def __call__(self, outputs: Iterable[Mapping[str, Any]]) -> dict[str, float]:
        """Measure a data set.

        Args:
            outputs: at least one batch of ``"image"`` (B, C, *spatial), ``"pred"`` and ``"label"``, both by task.

        Returns:
            By name; NaN where there is no target.
        """
        state = self._engine.run(outputs, max_epochs=1)
        return {name: float(state.metrics.get(name, math.nan)) for name in self.names}


def _without_input(task: Task) -> Task:
    if isinstance(task, RestorationTask):
        task = copy.copy(task)
        task.input_metric = False
    return task
