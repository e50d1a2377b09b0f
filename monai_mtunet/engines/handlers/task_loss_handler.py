"""Raw task losses and their weights: logged every iteration, and watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from ignite.engine import Engine
from ignite.metrics import Average
from monai.engines import Workflow
from monai.engines.utils import IterationEvents

from ...losses import MultiTaskLoss
from ..prepare_batch import files_of


class NonFiniteLossError(RuntimeError):
    """A task's loss became NaN or infinite."""


def logged_scalars(output: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The total loss, raw losses and weights of an iteration, for progress bars and TensorBoard.

    Args:
        output: ``engine.state.output``.
        prefix: of the names, such as ``"iteration/"``: epoch means have the bare names.
    """
    names = [name for name in output if name == "loss" or name.startswith(("loss_", "weight_"))]
    return {prefix + name: output[name].item() for name in names}


class EpochMean(Average):
    """Mean of ``engine.state.output[name]`` over the iterations of an epoch that have it; NaN when none has.

    Args:
        name: key in the output.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(output_transform=lambda output: output[name])

    def iteration_completed(self, engine: Engine) -> None:
        """Take up one iteration."""
        output: Any = engine.state.output
        if self.name in output:
            super().iteration_completed(engine)

    def compute(self) -> Any:
        """The mean."""
        return super().compute() if self.num_examples else float("nan")


class TaskLossHandler:
    """Puts each task's raw loss and weight into ``engine.state.output``, and their epoch means into the metrics.

    They are named ``loss_<task>`` and ``weight_<task>``. A task that had nothing to learn in an iteration is left out
    of its output, and the iteration out of the task's epoch mean.

    Args:
        loss_function: the trainer's :class:`~monai_mtunet.losses.MultiTaskLoss`.

    Raises:
        NonFiniteLossError: during training, before the step is taken, when a loss is NaN or infinite; it names the
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
        tasks = list(self.loss_function.losses)
        for name in ("loss", *(f"loss_{task}" for task in tasks), *(f"weight_{task}" for task in tasks)):
            EpochMean(name).attach(engine, name)

    def __call__(self, engine: Workflow) -> None:
        """Log and check one iteration's losses."""
        losses = self.loss_function.raw_losses
        engine.state.output |= {f"loss_{task}": loss for task, loss in losses.items()}
        engine.state.output |= {f"weight_{task}": weight for task, weight in self.loss_function.applied_weights.items()}
        # The raw losses are those of all ranks, so that all of them stop.
        if not torch.stack([engine.state.output["loss"].detach(), *losses.values()]).isfinite().all():
            values = {task: loss.item() for task, loss in losses.items()}
            guilty = [task for task, value in values.items() if not torch.isfinite(torch.tensor(value))]
            raise NonFiniteLossError(
                f"The loss of task(s) {guilty or list(values)} is not finite at iteration {engine.state.iteration} "
                f"(epoch {engine.state.epoch}); raw losses: {values}. The step was not taken. Lower the learning rate, "
                f"clip gradients, or look at the data: {files_of(engine.state.batch)}."
            )
