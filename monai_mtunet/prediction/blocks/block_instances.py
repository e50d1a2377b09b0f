"""Instances of a volume that is predicted block by block, as if it had been in memory."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ...files import create_like
from ...files.header import Header, Kind
from ...files.raw_writer import RawWriter
from ...files.region_writer import RegionWriter
from ...inferers.slabs import slabs
from ...inferers.window_grid import Box
from ...tasks import InstanceTask, Task
from .block_prediction import BlockOutput
from .large_components import BYTES_PER_VOXEL, LargeComponents, grown, label_components

__all__ = ["BlockInstances"]

_BYTES_PER_VOXEL = 100  # of a connected region that is divided: depths in double precision, and numbers


class BlockInstances:
    """Keeps what instances are made from in files beside the prediction, and makes them at the end.

    Instances are equal to those of the whole volume: what is connected is found over the faces of slabs, and a region
    that is divided (by a watershed) is looked at as a whole, with the margin that its depths depend on. So the largest
    connected region has to fit into memory, and a plane of the volume.

    Args:
        task: the instances.
        output: path of the predictions, without the task's name and the ending.
        size: of the volume.
        memory: in bytes.
    """

    def __init__(self, task: InstanceTask, output: Path, size: Sequence[int], memory: float) -> None:
        self.task = task
        self.size = tuple(size)
        self.memory = memory
        self._stem = output.with_name(f"{output.name}_{task.name}")

    @property
    def sources(self) -> list[Task]:
        """The tasks that instances are made from."""
        return [task for task in (self.task.segment, self.task.distance, self.task.edges) if task is not None]

    @property
    def bytes_per_voxel(self) -> int:
        """What the files take that are removed at the end."""
        divided = self.task.method == "watershed"
        return sum(1 if source is self.task.segment else 4 for source in self.sources) + 4 + 4 * divided

    def outputs(self) -> list[BlockOutput]:
        """What a block's predictions are kept with; files are made when missing."""
        return [BlockOutput(source, self._source(source), in_file=False) for source in self.sources]

    def number(self) -> int:
        """Make the instances of the completed maps.

        Returns:
            How many there are.

        Raises:
            ValueError: When a connected region does not fit into memory.
        """
        maps = [
            None if source is None else self._source(source).stored
            for source in (self.task.segment, self.task.distance, self.task.edges)
        ]
        labels, ids = (self._map(name, "uint32").stored for name in ("labels", "ids"))
        for slab in self._slabs():
            ids[slab] = np.zeros(1, dtype=np.uint32)
        order: list[NDArray[np.int64]] = []  # of each instance: plane, thing, first voxel
        for index, thing in enumerate(self.task.things):
            number = self.task.segment.classes.index(thing)
            found = label_components(maps[0], number, labels, self.memory / 2, self.task.slice_axis)
            already = sum(len(some) for some in order)
            if self.task.method == "components":
                first = self._number(found, labels, ids, already)
            else:
                first = self._divide(found, maps[1:], labels, ids, already)
            plane = np.zeros_like(first)
            if self.task.slice_axis is not None:
                plane = np.asarray(np.unravel_index(first, self.size)[self.task.slice_axis])
            order.append(np.stack([plane, np.full_like(first, index), first], axis=1))
        ranks = np.concatenate(order)
        final = np.zeros(len(ranks) + 1, dtype=np.uint32)
        final[1 + np.lexsort(ranks.T[::-1])] = 1 + np.arange(len(ranks))
        for slab in self._slabs():
            ids[slab] = final[ids[slab]]
        return len(ranks)

    def write(self, writer: RegionWriter, blocks: Sequence[Box]) -> None:
        """Write what :meth:`number` made, box by box."""
        ids = self._map("ids", "uint32").stored
        for block in blocks:
            writer.write(block, ids[block][None])

    def remove(self) -> None:
        """Remove the files, when the instances are written."""
        for path in self._stem.parent.glob(f"{glob.escape(self._stem.name)}.*.map.npy.partial"):
            path.unlink()

    def _source(self, source: Task) -> RawWriter:
        return self._map(source.name, "uint8" if source is self.task.segment else "float32")

    def _map(self, name: str, dtype: str) -> RawWriter:
        """Values of all voxels in a file, which never gets its final name."""
        header = Header(Kind.NPY, len(self.size), dtype)
        path = self._stem.with_name(f"{self._stem.name}.{name}.map")
        writer = create_like(header, path, (1, *self.size), dtype, resume=True)
        assert isinstance(writer, RawWriter)
        return writer

    def _slabs(self) -> Iterator[slice]:
        return slabs(self.size, self.memory / 2, BYTES_PER_VOXEL)

    def _number(self, found: LargeComponents, labels: Any, ids: Any, already: int) -> NDArray[np.int64]:
        """Connected regions are the instances."""
        kept = found.sizes >= self.task.min_size
        numbers = np.append(np.where(kept, already + np.cumsum(kept), 0), 0)[found.component_of]  # the last: of none
        for slab in self._slabs():
            pieces = labels[slab]
            ids[slab] = np.where(pieces > 0, numbers[pieces], ids[slab])
        return found.first[kept]

    def _divide(
        self, found: LargeComponents, maps: Sequence[Any], labels: Any, ids: Any, already: int
    ) -> NDArray[np.int64]:
        """Each connected region is divided."""
        first: list[NDArray[np.int64]] = []
        margin = [0 if axis == self.task.slice_axis else self.task.reach for axis in range(len(self.size))]
        ends = zip(found.starts, found.stops, strict=True)
        for component, (start, stop) in enumerate(tqdm(ends, total=len(found.sizes), desc=self.task.name)):
            box = grown(start, stop, margin, self.size)
            self._check(box)
            # A region of a slice has one axis less.
            place = tuple(part.start if axis == self.task.slice_axis else part for axis, part in enumerate(box))
            depth, edges = (None if values is None else values[place] for values in maps)
            own = found.component_of[labels[place]] == component
            parts = self.task.divide(own, depth, edges)
            parts = np.where((np.bincount(parts.ravel()) >= self.task.min_size)[parts], parts, 0)
            names, firsts = np.unique(parts, return_index=True)
            names, firsts = names[names > 0], firsts[names > 0]
            numbers = np.zeros(parts.max() + 1, dtype=np.uint32)
            numbers[names] = already + 1 + np.arange(len(names))
            ids[place] = np.where(own, numbers[parts], ids[place])
            first.append(self._index_in_volume(firsts, box))
            already += len(names)
        return np.concatenate([np.zeros(0, dtype=np.int64), *first])

    def _check(self, box: Box) -> None:
        lengths = [part.stop - part.start for part in box]
        needed = prod(lengths) * _BYTES_PER_VOXEL
        if needed > self.memory:
            raise ValueError(
                f"Task {self.task.name!r}: a region that is connected reaches over {' x '.join(map(str, lengths))} "
                f"voxels, and takes {needed / 2**20:.0f} MiB to be divided: go on with so much more --memory."
            )

    def _index_in_volume(self, index: NDArray[np.int64], box: Box) -> NDArray[np.int64]:
        within = np.unravel_index(index, [part.stop - part.start for part in box])
        places = [part.start + inner for part, inner in zip(box, within, strict=True)]
        return np.asarray(np.ravel_multi_index(tuple(places), self.size), dtype=np.int64)
