"""The metrics of single images, of those that are counted over a whole data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any
from unittest.mock import patch

import ignite.distributed as idist
import torch
from ignite.engine import Engine
from ignite.exceptions import NotComputableError
from ignite.metrics import Metric, MetricsLambda
from monai.handlers import IgniteMetricHandler
from torch import Tensor

from .task import Task

__all__ = ["CaseMetrics"]


class CaseMetrics:
    """What metrics of a data set, such as an IoU of summed counts, are of each image as if it were the data set.

    They are the tasks' own metrics, given one image at a time. Those that are means over images (`IgniteMetricHandler`)
    are left out: they keep the value of each image already, in ``engine.state.metric_details``.

    Args:
        tasks: the tasks that are measured.
        spatial_dims: 2 or 3.

    Attributes:
        names: of the metrics.

    Example:
        >>> CaseMetrics(tasks, spatial_dims=2)(engine.state.output)
        [{'segment_miou': 0.71, 'segment_accuracy': 0.93, ...}, ...]
    """

    def __init__(self, tasks: Sequence[Task], spatial_dims: int) -> None:
        declared = {name: metric for task in tasks for name, metric in task.metrics(spatial_dims).items()}
        self._metrics = {name: one for name, one in declared.items() if not isinstance(one, IgniteMetricHandler)}
        self._counted = list(dict.fromkeys(chain.from_iterable(map(_counted, self._metrics.values()))))
        self._engine = Engine(lambda *_: None)  # what metrics take outputs from
        self.names = tuple(self._metrics)

    def __call__(self, output: Mapping[str, Any]) -> list[dict[str, float]]:
        """Measure each image of a batch.

        Args:
            output: of an engine that is not decollated: ``"image"``, ``"pred"`` and ``"label"``.

        Returns:
            for each image ``{name: value}``, NaN where it has no target.
        """
        return [self._measure(output, index) for index in range(len(output["image"]))]

    def _measure(self, output: Mapping[str, Any], index: int) -> dict[str, float]:
        one = slice(index, index + 1)
        parts = {name: {key: value[one] for key, value in output[name].items()} for name in ("pred", "label")}
        state: Any = self._engine.state
        state.output = {"image": output["image"][one], **parts}
        with _of_this_rank():
            for metric in self._counted:
                metric.started(self._engine)
                metric.iteration_completed(self._engine)
            known: dict[Metric, Any] = {}
            return {name: _number(metric, known) for name, metric in self._metrics.items()}


def _counted(metric: Metric) -> Iterator[Metric]:
    """The metrics that count, of which others are functions."""
    if isinstance(metric, MetricsLambda):
        for part in chain(metric.args, metric.kwargs.values()):
            if isinstance(part, Metric):
                yield from _counted(part)
    else:
        yield metric


def _number(metric: Metric, known: dict[Metric, Any]) -> float:
    try:
        value = _value(metric, known)
    except NotComputableError:
        return torch.nan
    return float(value) if not isinstance(value, Tensor) or value.numel() == 1 else torch.nan


def _value(metric: Any, known: dict[Metric, Any]) -> Any:
    """What a metric is, or an argument of one, each computed once: ignite would count again for every class."""
    if not isinstance(metric, Metric):
        return metric
    if metric not in known:
        if isinstance(metric, MetricsLambda):
            arguments = [_value(part, known) for part in metric.args]
            value = metric.function(*arguments, **{key: _value(part, known) for key, part in metric.kwargs.items()})
        else:
            value = metric.compute()
        known[metric] = value.cpu() if isinstance(value, Tensor) else value
    return known[metric]


@contextmanager
def _of_this_rank() -> Iterator[None]:
    """Within it metrics are of this process alone: ignite's have no other way not to be summed over all ranks."""
    with patch.object(idist, "get_world_size", new=lambda: 1):
        yield
