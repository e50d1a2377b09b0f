"""Raw task losses: logged every iteration, and watched."""

from __future__ import annotations

import torch
from ignite.metrics import Average
from monai.engines import Workflow
from monai.engines.utils import IterationEvents

from ..losses import MultiTaskLoss


class NonFiniteLossError(RuntimeError):
    """A task's loss became NaN or infinite."""


class TaskLossHandler:
    """Puts each task's raw loss into ``engine.state.output`` as ``loss_<task>``, and its epoch mean into the metrics.

    Args:
        loss_function: the trainer's :class:`~monai_mtunet.losses.MultiTaskLoss`.

    Raises:
        NonFiniteLossError: during training, before the step is taken, when the loss is NaN or infinite; it names the
            tasks and the iteration. A checkpoint handler attached before others then saves the state.
    """

    def __init__(self, loss_function: MultiTaskLoss) -> None:
        self.loss_function = loss_function

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer.

        Args:
            engine: a MONAI trainer, not decollated.
        """
        engine.add_event_handler(IterationEvents.LOSS_COMPLETED, self)
        for name in ("loss", *(f"loss_{task}" for task in self.loss_function.losses)):
            Average(output_transform=lambda output, name=name: output[name]).attach(engine, name)

    def __call__(self, engine: Workflow) -> None:
        """Log and check one iteration's losses."""
        losses = self.loss_function.task_losses
        for task, loss in losses.items():
            engine.state.output[f"loss_{task}"] = loss
        if not torch.isfinite(engine.state.output["loss"]):
            values = {task: loss.item() for task, loss in losses.items()}
            guilty = [task for task, value in values.items() if not torch.isfinite(torch.tensor(value))]
            raise NonFiniteLossError(
                f"The loss of task(s) {guilty or list(values)} is not finite at iteration {engine.state.iteration} "
                f"(epoch {engine.state.epoch}); raw losses: {values}. The step was not taken. Lower the learning rate, "
                "clip gradients, or look for non-finite intensities in the data."
            )
