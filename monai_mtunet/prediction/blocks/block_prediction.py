"""Blocks of an image, predicted one after another and written as each ends."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...inferers.multi_task_sliding_window import MultiTaskSlidingWindowInferer
from ...inferers.predict_region import predict_region
from ...inferers.window_grid import Box, all_channels
from ...tasks import SavedAs, Task
from .block_preprocessing import BlockPreprocessing

__all__ = ["BlockOutput", "BlockPrediction", "saved_channels"]

_TYPES = {SavedAs.LABELS: np.uint8, SavedAs.IDS: np.uint16}


class BoxWriter(Protocol):
    """What `monai_mtunet.files` writes predictions with."""

    def write(self, box: Box, values: NDArray[Any]) -> None:
        """Write (C, *box)."""

    def flush(self) -> None:
        """Bring what is written to the disk."""


@dataclass(frozen=True)
class BlockOutput:
    """What is kept of a task.

    Args:
        task: the task.
        writer: what writes its blocks.
        in_file: as its files hold it, else as its post-processing gives it.
    """

    task: Task
    writer: BoxWriter
    in_file: bool = True

    def buffer(self, shape: Sequence[int]) -> NDArray[Any]:
        """For a block (*shape)."""
        return np.empty((saved_channels(self.task, len(shape)), *shape), dtype=voxel_type(self.task))


class BlockPrediction:
    """Predicts blocks of an image and writes what each task saves.

    Results are those of the whole image, bit for bit: post-processing and intensities treat each voxel by itself.

    Args:
        network: (B, C, *window) -> ``{task name: (B, C', *window)}``.
        outputs: what is kept, and where.
        inferer: how windows lie and are weighted.
        preprocessing: of the image, measured.
        device: where the network is.
    """

    def __init__(
        self,
        network: Callable[..., dict[str, Tensor]],
        outputs: Sequence[BlockOutput],
        inferer: MultiTaskSlidingWindowInferer,
        preprocessing: BlockPreprocessing,
        device: torch.device,
    ) -> None:
        self.network = network
        self.outputs = tuple(outputs)
        self.inferer = inferer
        self.preprocessing = preprocessing
        self.device = device
        self._missing: deque[tuple[Box, Tensor]] = deque()  # where parts that were read are not finite

    def run(self, blocks: Sequence[Box]) -> Iterator[int]:
        """Predict blocks that follow each other in one column.

        Yields:
            After each block is on the disk: how many values of the image were not finite in it.
        """
        size = self.preprocessing.image.shape[1:]
        region = tuple(
            slice(min(block[axis].start for block in blocks), max(block[axis].stop for block in blocks))
            for axis in range(len(size))
        )
        pending = deque(blocks)
        buffers, filled = self._buffers(pending[0]), 0
        self._missing.clear()
        with torch.inference_mode():
            for box, predictions in predict_region(
                self.network, self._filled, size, region, self.inferer, self.device
            ):  # fmt: skip
                # Boxes and blocks both end where windows begin, so that a box lies in one block.
                block = pending[0]
                missing = self._missing_in(box)
                filled += 0 if missing is None else int(missing.sum())
                place = [
                    slice(inner.start - outer.start, inner.stop - outer.start)
                    for inner, outer in zip(box, block, strict=True)
                ]
                for output, buffer in zip(self.outputs, buffers, strict=True):
                    kept = self._kept(output, predictions[output.task.name].cpu(), missing)
                    buffer[all_channels(place)] = kept.numpy()
                if all(inner.stop == outer.stop for inner, outer in zip(box, block, strict=True)):
                    for output, buffer in zip(self.outputs, buffers, strict=True):
                        output.writer.write(block, buffer)
                        output.writer.flush()
                    pending.popleft()
                    yield filled
                    if pending:
                        buffers, filled = self._buffers(pending[0]), 0

    def _filled(self, box: Box) -> Tensor:
        """A part of the image for the network, which sees 0 where it is not finite."""
        part = self.preprocessing.read(box)
        finite = part.isfinite()
        if finite.all():
            return part
        self._missing.append((box, ~finite))
        return part.masked_fill(~finite, 0)

    def _missing_in(self, box: Box) -> Tensor | None:
        """Where the image is not finite within a finished box (C, *box); parts that end before it are forgotten."""
        axis = self.inferer.grid(self.preprocessing.image.shape[1:]).rolling_axis
        while self._missing and self._missing[0][0][axis].stop <= box[axis].start:
            self._missing.popleft()
        result: Tensor | None = None
        for part, wrong in self._missing:
            low = [max(ours.start, theirs.start) for ours, theirs in zip(box, part, strict=True)]
            high = [min(ours.stop, theirs.stop) for ours, theirs in zip(box, part, strict=True)]
            if all(start < stop for start, stop in zip(low, high, strict=True)):
                if result is None:
                    shape = [axis.stop - axis.start for axis in box]
                    result = torch.zeros(len(wrong), *shape, dtype=torch.bool)
                result[_shifted(low, high, box)] = wrong[_shifted(low, high, part)]
        return result

    def _kept(self, output: BlockOutput, prediction: Tensor, missing: Tensor | None) -> Tensor:
        task = output.task
        if not output.in_file:
            return task.postprocess(prediction)
        if task.saved_as is SavedAs.PICTURE and missing is not None:
            prediction = prediction.masked_fill(missing.any(dim=0), torch.nan)
        values = task.postprocess(prediction)
        values = self.preprocessing.undo(values) if task.saved_as is SavedAs.PICTURE else values
        return task.to_file(values)

    def _buffers(self, block: Box) -> list[NDArray[Any]]:
        return [output.buffer([part.stop - part.start for part in block]) for output in self.outputs]


def voxel_type(task: Task) -> np.dtype[Any]:
    """What holds a task's voxels until a writer takes them."""
    return np.dtype(_TYPES.get(task.saved_as, np.float32))


def saved_channels(task: Task, spatial_dims: int) -> int:
    """How many channels a task's files have."""
    return len(task.postprocess(torch.zeros(task.channels, *(1,) * spatial_dims)))


def _shifted(low: Sequence[int], high: Sequence[int], box: Box) -> tuple[slice, ...]:
    return all_channels(
        [slice(start - part.start, stop - part.start) for start, stop, part in zip(low, high, box, strict=True)]
    )
