"""MONAI's evaluator as every bundle uses it: to measure, and to predict files."""

from __future__ import annotations

import logging
import math
from typing import Any

import torch
from ignite.engine import Events
from monai.engines import SupervisedEvaluator
from monai.engines.utils import IterationEvents
from monai.utils.enums import CommonKeys as Keys
from torch import Tensor

from ..tasks import SavedAs, TaskList
from .prepare_batch import MultiTaskPrepareBatch

logger = logging.getLogger(__name__)

__all__ = ["MultiTaskEvaluator", "MultiTaskPredictor"]


class MultiTaskPredictor(SupervisedEvaluator):
    """MONAI's ``SupervisedEvaluator`` that predicts files. The same arguments, of which some have other defaults.

    Batches hold no targets. The image keeps its meta data, and outputs are taken apart for ``postprocessing``
    (``decollate=True``), where files are written. Derived tasks are made once, right after the network's predictions
    (`TaskList.with_derived`), so that whatever comes after finds them in ``engine.state.output["pred"]``.

    Args:
        tasks: the tasks to predict.
        device: where the network is.
        args: further ones of ``SupervisedEvaluator``, by keyword.

    Example:
        >>> MultiTaskPredictor(tasks=tasks, device=device, val_data_loader=loader, network=network, ...)
    """

    def __init__(self, *, tasks: TaskList, device: torch.device, **args: Any) -> None:
        defaults: dict[str, Any] = {
            "prepare_batch": MultiTaskPrepareBatch(keep_meta=True),
            "amp": device.type == "cuda",
        }
        super().__init__(device=device, **defaults | args)
        self.tasks = tasks
        # What takes outputs apart and processes them comes with the next event.
        self.add_event_handler(IterationEvents.FORWARD_COMPLETED, self._derive)

    def _derive(self) -> None:
        output: Any = self.state.output
        output[Keys.PRED] = self.tasks.with_derived(self._checked(output[Keys.PRED]))

    def _checked(self, predictions: dict[str, Tensor]) -> dict[str, Tensor]:
        """Restored images with NaN where the input was not finite: there is nothing that they could restore."""
        batch: Any = self.state.batch
        finite = batch[Keys.IMAGE].isfinite().all(dim=1, keepdim=True) if Keys.IMAGE in batch else torch.ones(())
        if finite.all():
            return predictions
        restored = {task.name for task in self.tasks if task.saved_as is SavedAs.PICTURE}
        return {
            name: values.masked_fill(~finite.to(values.device), torch.nan) if name in restored else values
            for name, values in predictions.items()
        }


class MultiTaskEvaluator(MultiTaskPredictor):
    """MONAI's ``SupervisedEvaluator`` that measures several tasks. The same arguments, with other defaults.

    Batches hold targets and stay together (``decollate=False``): metrics are of batched logits. The first of
    ``key_val_metric`` decides the best checkpoint, and the tasks say whether less of it is better.

    Args:
        tasks: the tasks to measure.
        device: where the network is.
        key_val_metric: metrics by name, the key metric first, such as ``tasks.metrics(2, "segment_miou")``.
        args: further ones of ``SupervisedEvaluator``, by keyword.

    Attributes:
        metric_names: what it measures, the key metric first.

    Example:
        >>> MultiTaskEvaluator(tasks=tasks, device=device, key_val_metric=tasks.metrics(2, "segment_miou"), ...)
    """

    def __init__(
        self, *, tasks: TaskList, device: torch.device, key_val_metric: dict[str, Any] | None = None, **args: Any
    ) -> None:
        defaults: dict[str, Any] = {"prepare_batch": MultiTaskPrepareBatch(tasks), "decollate": False}
        if key_val_metric:
            defaults["metric_cmp_fn"] = tasks.metric_cmp_fn(next(iter(key_val_metric)))
        super().__init__(tasks=tasks, device=device, key_val_metric=key_val_metric, **defaults | args)
        self.metric_names = (*(key_val_metric or {}), *(args.get("additional_metrics") or {}))
        self.add_event_handler(Events.EPOCH_COMPLETED, self._warn_of_nan)
        self._is_of_known_length = self.state.epoch_length is not None

    def run(self, global_epoch: int = 1) -> None:  # type: ignore[override]
        """Measure all batches: where the loader has no length, as many as come, this time too.

        Args:
            global_epoch: the epoch of the training.
        """
        if not self._is_of_known_length:
            self.state.epoch_length = None  # ignite keeps that of the last time
        super().run(global_epoch)

    def _checked(self, predictions: dict[str, Tensor]) -> dict[str, Tensor]:
        return predictions  # targets say what is measured

    def _warn_of_nan(self) -> None:
        name = self.state.key_metric_name
        if name is not None and math.isnan(self.state.metrics[name]):
            logger.warning(
                "The key metric %s is NaN: no validation sample has the target that it measures, so this epoch cannot "
                "be the best. Give validation samples with it, or choose another key_metric_name of %s.",
                name,
                [other for other, value in self.state.metrics.items() if value == value],
            )
