"""Stopping when one task's metric no longer improves."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Mapping
from typing import Any

from ignite.engine import Engine, Events
from ignite.handlers import EarlyStopping
from monai.engines import Workflow

from ...tasks import TaskList
from ..evaluator import MultiTaskEvaluator

logger = logging.getLogger(__name__)


class MetricEarlyStopping:
    """ignite's ``EarlyStopping`` on one of the tasks' metrics, resumed exactly.

    The tasks say whether less is better. NaN is no improvement, where ignite takes it for one. Its state is saved with
    the checkpoints, so that a resumed run stops after the same epoch as an uninterrupted one; without ``patience`` it
    counts as well, and stops nothing. Attach it after the checkpoints, whose state it needs when a run is resumed.

    Args:
        tasks: the trained tasks.
        evaluator: it measures the metric.
        metric: name of the metric, such as ``"depth_abs"``.
        patience: how many validations without an improvement stop the training; ``None`` for never.
        threshold: by how much a value must be better than the best to be an improvement.

    Raises:
        ValueError: When the metric is not measured, or ``patience`` or ``threshold`` is out of range.
    """

    def __init__(
        self,
        tasks: TaskList,
        evaluator: MultiTaskEvaluator,
        metric: str,
        patience: int | None = None,
        threshold: float = 0.0,
    ) -> None:
        if patience is not None and metric not in evaluator.metric_names:
            raise ValueError(
                f"early_stopping: no task has the metric {metric!r}; there are {list(evaluator.metric_names)}."
            )
        if patience is not None and (not isinstance(patience, int) or patience < 1):
            raise ValueError(f"early_stopping: patience must be 1 or more validations, or null, got {patience!r}.")
        if not threshold >= 0:
            raise ValueError(f"early_stopping: threshold must not be negative, got {threshold!r}.")
        self.evaluator = evaluator
        self.metric = metric
        self.patience = patience
        self.threshold = threshold
        self.sign = -1 if metric in tasks.error_metrics else 1

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        patience = sys.maxsize if self.patience is None else self.patience
        self._stopping = EarlyStopping(patience, self._score, engine, self.threshold, cumulative=True)
        self.evaluator.add_event_handler(Events.COMPLETED, self._count)
        engine.add_event_handler(Events.STARTED, self._stop_if_exhausted)

    def _score(self, evaluator: Engine) -> float:
        value = self.sign * float(evaluator.state.metrics.get(self.metric, math.nan))
        return -math.inf if math.isnan(value) else value

    def _count(self, evaluator: Engine) -> None:
        self._stopping(evaluator)
        self._stop_if_exhausted(self._stopping.trainer)

    def _stop_if_exhausted(self, trainer: Engine) -> None:
        if self.patience is None or self._stopping.counter < self.patience:
            return
        trainer.terminate()  # a resumed run, too, which had stopped
        best: Any = self._stopping.best_score
        logger.info(
            "Training stops after epoch %d: %s has not improved in %d validations; the best is %g. To train on, raise "
            "early_stopping#patience and resume.", trainer.state.epoch, self.metric, self.patience, self.sign * best,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """The metric, its best value so far, and how many validations ago that was."""
        return {"metric": self.metric, "best_score": self._stopping.best_score, "counter": self._stopping.counter}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up a state; that of another metric is left."""
        if state_dict["metric"] == self.metric:
            self._stopping.best_score, self._stopping.counter = state_dict["best_score"], state_dict["counter"]
