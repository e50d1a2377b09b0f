"""Pictures of what happens inside a network for some samples, during validation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from ignite.engine import Events
from matplotlib.figure import Figure
from monai.engines import Workflow
from monai.transforms import CenterSpatialCrop
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ...pictures import rasterize, save_figure
from ...tasks import Task

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class SamplePictureHandler(ABC):
    """Base of what draws the inside of a network for the first samples of the validation set.

    Writes ``<output_dir>/epoch_0001.png`` and, with a writer, the same picture to TensorBoard under `tag`. The network
    sees those samples once more at the end of validation, so that inference stays as it is, sliding windows included.

    Args:
        network: the validated network.
        tasks: the declared tasks.
        output_dir: folder of the PNG files.
        summary_writer: TensorBoard writer.
        samples: how many samples.
        interval: every how many epochs.
        spatial_size: what is cut from the middle of an image, for images too large for the network in one pass; the
            whole image by default.
    """

    tag: str

    def __init__(
        self,
        network: nn.Module,
        tasks: Sequence[Task],
        output_dir: str | Path,
        summary_writer: SummaryWriter | None = None,
        samples: int = 3,
        interval: int = 1,
        spatial_size: Sequence[int] | None = None,
    ) -> None:
        self.network = network.module if isinstance(network, DistributedDataParallel) else network
        self.tasks = tuple(tasks)
        self.output_dir = Path(output_dir)
        self.summary_writer = summary_writer
        self.samples = samples
        self.interval = interval
        self.crop = None if spatial_size is None else CenterSpatialCrop(spatial_size)
        self._images: list[Tensor] = []

    @abstractmethod
    def draw(self, images: Sequence[Tensor], device: torch.device, title: str) -> Figure:
        """Run the network and draw.

        Args:
            images: samples (C, *spatial) on the CPU, whose sizes may differ.
            device: where the network is.
            title: text above the picture.
        """

    def attach(self, engine: Workflow) -> None:
        """Attach to an evaluator that is not decollated."""
        engine.add_event_handler(Events.EPOCH_STARTED, self._start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._collect)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._draw)

    def _start(self, engine: Workflow) -> None:
        self._images = []

    def _collect(self, engine: Workflow) -> None:
        if engine.state.epoch % self.interval or engine.state.rank:
            return
        images = engine.state.output["image"]
        self._images += [self._cut(image) for image in images[: self.samples - len(self._images)]]

    def _cut(self, image: Tensor) -> Tensor:
        cut: Tensor = image if self.crop is None else self.crop(image)
        return cut.cpu()

    def _draw(self, engine: Workflow) -> None:
        if not self._images:
            return
        epoch = engine.state.epoch
        figure = self.draw(self._images, torch.device(engine.state.device), title=f"epoch {epoch}")
        save_figure(figure, self.output_dir / f"epoch_{epoch:04d}.png")
        if self.summary_writer is not None:
            self.summary_writer.add_image(self.tag, rasterize(figure), epoch, dataformats="HWC")
