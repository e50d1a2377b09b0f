"""An image that is predicted block by block: what is to be done, what is done, and the files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ...files import open_image
from ...files.image import Image
from ...files.ledger import Ledger, notes_in, source_state
from ...files.region_writer import RegionWriter, partial_path
from ...inferers.save_dense import prediction_writer, saved_dtype
from ...inferers.window_grid import Box
from ...tasks import DerivedTask, InstanceTask, Task
from ..far_intensities import tell_far_intensities
from ..parts import PredictionParts
from .block_instances import BlockInstances
from .block_plan import BlockPlan, Footprint, plan_blocks
from .block_prediction import BlockOutput, BlockPrediction, saved_channels
from .block_preprocessing import BlockPreprocessing
from .by_blocks import blocks_ledger, windows_by_blocks
from .disk_room import check_disk_room

logger = logging.getLogger(__name__)

__all__ = ["BlockJob"]

_SEEN = 64  # voxels along an axis, of which it is looked whether their intensities are those of training


class BlockJob:
    """Divides an image into blocks, and knows which are done.

    Args:
        parts: what it is predicted with.
        files: of the image; several are its channels.
        output: path of the predictions, without the task's name and the ending.
        memory: for planes and blocks, in bytes; the network and what it computes are not in it.
        workers: how many processes share the work.
        plan: how the image is divided; by default what memory and workers ask for.

    Attributes:
        image: opened, of which nothing is read yet.
        plan: how it is divided.

    Raises:
        WholeImageNeededError: When it cannot be done block by block; it tells what is in the way.
        ValueError: When memory is too little.
    """

    RANGES = "ranges"  # part of the ledger: what the first pass found
    DIVISION = "division"  # how the image was divided when it was begun
    FILES = "files"  # that all is written, and the files' names

    def __init__(
        self,
        parts: PredictionParts,
        files: Sequence[str],
        output: Path,
        memory: float,
        workers: int = 1,
        plan: BlockPlan | None = None,
    ) -> None:
        self.parts = parts
        self.files = tuple(files)
        self.image = image = open_image(self.files)
        self.output = output
        self.windows = windows_by_blocks(parts, image)
        self.preprocessing = BlockPreprocessing(parts.preprocessing, image)
        self.grid = self.windows.grid(image.shape[1:])
        self.memory = memory
        self.instances = [
            BlockInstances(task, output, image.shape[1:], memory)
            for task in parts.saved if isinstance(task, InstanceTask)
        ]  # fmt: skip
        self.plan = plan or plan_blocks(self.grid, _footprint(parts, image), memory, workers)

    @property
    def blocks(self) -> tuple[Box, ...]:
        """Their number is their place in this."""
        return self.plan.blocks

    @property
    def ledger_path(self) -> Path:
        """The file that tells which blocks are done."""
        return blocks_ledger(self.output)

    def identity(self) -> dict[str, Any]:
        """What the result depends on."""
        return {
            **self.parts.identity,
            "source": source_state(self.files),
            "tasks": self.parts.saved_names,
            "window": list(self.grid.window),
            "overlap": repr(self.windows.overlap),
            "mode": str(self.windows.mode),
            "batch": self.windows.sw_batch_size,
        }

    def check_disk(self) -> None:
        """Refuse to begin what has no room.

        Raises:
            OSError: When the disk has less room than the predictions take.
        """
        kept = sum(instances.bytes_per_voxel for instances in self.instances)
        wanted = prod(self.image.shape[1:]) * (_saved_bytes(self.parts, self.image) + kept)
        named = notes_in(self.ledger_path).get(self.FILES, {}).get("files", {})
        check_disk_room(self.image.path, self.output, self.parts.saved_names, map(Path, named.values()), wanted)

    def outputs(self) -> list[BlockOutput]:
        """Open what blocks are written into, which is made when missing."""
        saved = [BlockOutput(task, self._writer(task)) for task in self._predicted]
        return saved + [output for instances in self.instances for output in instances.outputs()]

    @property
    def _predicted(self) -> list[Task]:
        """Those whose files are written block by block."""
        return [task for task in self.parts.saved if not isinstance(task, DerivedTask)]

    def _writer(self, task: Task, largest_id: int = 0) -> RegionWriter:
        return prediction_writer(
            task,
            self.image.header,
            self.output.with_name(f"{self.output.name}_{task.name}"),
            (saved_channels(task, self.image.spatial_dims), *self.image.shape[1:]),
            saved_dtype(task, self.image.header, largest_id),
            blocks=tuple(max(part.stop - part.start for part in axis) for axis in zip(*self.blocks, strict=True)),
            resume=True,
        )

    def take_up(self, ledger: Ledger) -> None:
        """Go on with the division that the image was begun with, whatever memory and workers would ask for now.

        Raises:
            ValueError: When that division takes more memory than there is now.
        """
        if self.DIVISION not in ledger.done:
            ledger.mark(self.DIVISION, **self.plan.as_json())
            return
        plan = BlockPlan.from_json(ledger.done[self.DIVISION])
        if plan.memory > self.memory:
            raise ValueError(
                f"{self.image.path} was begun in blocks that take {plan.memory / 2**20:.0f} MiB, and "
                f"{self.memory / 2**20:.0f} MiB are left for them now: give more --memory, as then, or begin anew "
                "with --overwrite."
            )
        self.plan = plan

    def measure(self, ledger: Ledger) -> None:
        """The first pass over the image, unless an earlier run has done it."""
        if self.RANGES in ledger.done:
            self.preprocessing.set_ranges(ledger.done[self.RANGES]["values"])
        elif not self.preprocessing.is_measured:
            ledger.mark(self.RANGES, values=self.preprocessing.measure(self.blocks))
        middle = tuple(slice(max(size // 2 - _SEEN, 0), size // 2 + 1) for size in self.image.shape[1:])
        tell_far_intensities(str(self.image.path), self.parts.preprocessing, self.preprocessing.read(middle))

    def voxels(self, number: int) -> int:
        """Of a block."""
        return prod(part.stop - part.start for part in self.blocks[number])

    def progress(self, ledger: Ledger) -> tqdm[Any]:
        """A bar of voxels, with their number per second and the time that is left."""
        done = sum(self.voxels(number) for number in range(len(self.blocks)) if number in ledger.done)
        total = prod(self.image.shape[1:])
        return tqdm(total=total, initial=done, unit="voxel", unit_scale=True, desc=self.output.name)

    def runs(self, done: Ledger, longest: int | None = None) -> list[list[int]]:
        """The numbers of the blocks to do: what follows each other in a column is one run.

        Args:
            done: tells which are.
            longest: number of blocks in a run at most, so that several workers share a column.
        """
        runs: list[list[int]] = []
        first = 0
        for column in self.plan.columns:
            previous: int | None = None
            for number in range(first, first + len(column)):
                if number in done.done:
                    continue
                if previous != number - 1 or len(runs[-1]) == longest:
                    runs.append([])
                runs[-1].append(number)
                previous = number
            first += len(column)
        return runs

    def predict(self, run: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Predict and write a run of blocks.

        Yields:
            After each block is on the disk: its number, and how many values of the image are not finite in it.
        """
        prediction = BlockPrediction(
            self.parts.network, self.outputs(), self.windows, self.preprocessing, self.parts.device
        )
        yield from zip(run, prediction.run([self.blocks[number] for number in run]), strict=True)

    def finish(self, ledger: Ledger) -> list[Path]:
        """Give the predictions their names, when all blocks are done.

        Raises:
            ValueError: When more than half of the image is not finite.
            OSError: When the image has changed while it was predicted.
        """
        if source_state(self.files) != ledger.identity["source"]:
            raise OSError(f"{self.image.path} changed while it was predicted: predict it again, with --overwrite.")
        filled = sum(ledger.done[number]["filled"] for number in range(len(self.blocks)))
        if 2 * filled > prod(self.image.shape):
            raise ValueError(
                f"{filled} of {prod(self.image.shape)} values of {self.image.path} are not finite: there is too little "
                "left to predict from; leave the file out."
            )
        files = self._name_files(ledger)
        for instances in self.instances:
            instances.remove()
        ledger.remove()
        if filled:
            logger.warning(
                "%s: %d of %d values are not finite. The network saw 0 there (of normalized intensities their mean), "
                "its classes there are guesses, and restored images are NaN.",
                *(self.image.path, filled, prod(self.image.shape)),
            )
        return files

    def _name_files(self, ledger: Ledger) -> list[Path]:
        """Also when a kill came after some of them were named: those are there, and have no unfinished file."""
        if self.FILES not in ledger.done:
            counts = {instances.task.name: instances.number() for instances in self.instances}
            writers = {task.name: self._writer(task, counts.get(task.name, 0)) for task in self.parts.saved}
            for instances in self.instances:
                instances.write(writers[instances.task.name], self.blocks)
            ledger.mark(self.FILES, counts=counts, files={name: str(writer.path) for name, writer in writers.items()})
        noted = ledger.done[self.FILES]
        for task in self.parts.saved:
            if partial_path(Path(noted["files"][task.name])).exists():
                self._writer(task, noted["counts"].get(task.name, 0)).close()
        return [Path(noted["files"][task.name]) for task in self.parts.saved]


def _saved_bytes(parts: PredictionParts, image: Image) -> int:
    """Per voxel, of all files."""
    return sum(
        saved_channels(task, image.spatial_dims) * np.dtype(saved_dtype(task, image.header)).itemsize
        for task in parts.saved
    )


def _footprint(parts: PredictionParts, image: Image) -> Footprint:
    return Footprint(image.shape[0], sum(parts.tasks.out_channels.values()), _saved_bytes(parts, image))
