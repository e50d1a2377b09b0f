"""Panels of what the network makes of some samples, during validation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ignite.engine import Events
from monai.engines import Workflow

from ..tasks import Task, draw_panel, rasterise, save_panel

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class PanelHandler:
    """Draws the first samples of the validation set with every task's prediction and target.

    Writes ``<output_dir>/epoch_0001.png`` and, with a writer, the same picture to TensorBoard under ``panel``.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the PNG files.
        summary_writer: TensorBoard writer.
        samples: how many samples, at most one batch.
        interval: every how many epochs.
    """

    def __init__(
        self,
        tasks: Sequence[Task],
        output_dir: str | Path,
        summary_writer: SummaryWriter | None = None,
        samples: int = 3,
        interval: int = 1,
    ) -> None:
        self.tasks = tuple(tasks)
        self.output_dir = Path(output_dir)
        self.summary_writer = summary_writer
        self.samples = samples
        self.interval = interval

    def attach(self, engine: Workflow) -> None:
        """Attach to an evaluator that is not decollated."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Draw the first batch of every ``interval``-th epoch."""
        state = engine.state
        if (state.iteration - 1) % state.epoch_length or state.epoch % self.interval or state.rank:
            return
        output = state.output
        count = min(self.samples, len(output["image"]))
        figure = draw_panel(
            self.tasks,
            images=list(output["image"][:count]),
            predictions=[
                {task.name: task.postprocess(output["pred"][task.name][i]) for task in self.tasks} for i in range(count)
            ],
            targets=[{task.name: output["label"][task.name][i] for task in self.tasks} for i in range(count)],
            title=f"epoch {state.epoch}",
        )
        save_panel(figure, self.output_dir / f"epoch_{state.epoch:04d}.png")
        if self.summary_writer is not None:
            self.summary_writer.add_image("panel", rasterise(figure), state.epoch, dataformats="HWC")
