"""Panels of what the network makes of some samples, during validation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ignite.engine import Events
from monai.engines import Workflow
from torch import Tensor

from ...pictures import rasterize, save_figure
from ...tasks import Task, draw_panel

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class PanelHandler:
    """Draws the first samples of the validation set with every task's prediction and target.

    Writes ``<output_dir>/epoch_0001.png`` and, with a writer, the same picture to TensorBoard under ``panel``.

    Args:
        tasks: the declared tasks.
        output_dir: folder of the PNG files.
        summary_writer: TensorBoard writer.
        samples: how many samples.
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
        self._images: list[Tensor] = []
        self._predictions: list[dict[str, Tensor]] = []
        self._targets: list[dict[str, Tensor]] = []

    def attach(self, engine: Workflow) -> None:
        """Attach to an evaluator that is not decollated."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._draw)

    def _start(self, engine: Workflow) -> None:
        self._images, self._predictions, self._targets = [], [], []

    def _collect(self, engine: Workflow) -> None:
        if engine.state.epoch % self.interval or engine.state.rank:
            return
        output = engine.state.output
        for i in range(min(self.samples - len(self._images), len(output["image"]))):
            self._images.append(output["image"][i].cpu())
            self._predictions.append({task.name: task.postprocess(output["pred"][task.name][i]) for task in self.tasks})
            self._targets.append({task.name: output["label"][task.name][i] for task in self.tasks})

    def _draw(self, engine: Workflow) -> None:
        if not self._images:
            return
        epoch = engine.state.epoch
        figure = draw_panel(self.tasks, self._images, self._predictions, self._targets, title=f"epoch {epoch}")
        save_figure(figure, self.output_dir / f"epoch_{epoch:04d}.png")
        if self.summary_writer is not None:
            self.summary_writer.add_image("panel", rasterize(figure), epoch, dataformats="HWC")
