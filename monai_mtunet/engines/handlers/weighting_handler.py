"""Telling the loss weighting that an epoch is over."""

from __future__ import annotations

from ignite.engine import Events
from monai.engines import Workflow

from ...losses import MultiTaskLoss


class WeightingHandler:
    """Lets weightings that update once per epoch do so. It does nothing for the others.

    Attach it before :class:`~monai_mtunet.engines.ResumableCheckpoint`, which saves what it changes.

    Args:
        loss_function: the trainer's :class:`~monai_mtunet.losses.MultiTaskLoss`.
    """

    def __init__(self, loss_function: MultiTaskLoss) -> None:
        self.loss_function = loss_function

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Update the weights."""
        self.loss_function.epoch_completed()
