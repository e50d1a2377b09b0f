"""How a volume that does not fit into memory is divided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ...inferers.window_grid import Box, WindowGrid

__all__ = ["BlockPlan", "Footprint", "plan_blocks"]

_FLOAT = 4  # bytes
_BLOCK_BYTES = 64 * 2**20  # of predictions, written and marked at once: what a kill may cost
_BLOCKS = 8  # per column at least, for the same reason
_SHARE = 0.5  # of the memory for the planes that roll; the rest is for blocks, reading and the file system


@dataclass(frozen=True)
class Footprint:
    """What predicting takes per voxel.

    Args:
        image_channels: of the network's input, float32.
        summed_channels: of all dense heads together, float32.
        saved_bytes: of all predictions that are kept, as their files hold them.
    """

    image_channels: int
    summed_channels: int
    saved_bytes: int


@dataclass(frozen=True)
class BlockPlan:
    """Blocks, in the order in which they are predicted.

    Args:
        columns: one list of boxes per column, ascending along the rolling axis. Within a column nothing is computed
            twice, as long as one process goes on from block to block.
        memory: what planes and a block take together, in bytes.
    """

    columns: tuple[tuple[Box, ...], ...]
    memory: int

    @property
    def blocks(self) -> tuple[Box, ...]:
        """All blocks; their place in this is their number."""
        return tuple(block for column in self.columns for block in column)

    def as_json(self) -> dict[str, Any]:
        """Itself as JSON values, for a ledger."""
        columns = [[[[part.start, part.stop] for part in block] for block in column] for column in self.columns]
        return {"columns": columns, "memory": self.memory}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> BlockPlan:
        """What :meth:`as_json` gave."""
        columns = tuple(
            tuple(tuple(slice(*ends) for ends in block) for block in column) for column in values["columns"]
        )
        return cls(columns, values["memory"])


def plan_blocks(grid: WindowGrid, footprint: Footprint, memory: float, parts: int = 1) -> BlockPlan:
    """Divide an image into columns along its longest axis, and those into blocks.

    Columns are as wide as memory allows, since windows on their sides are computed for both. Blocks begin where windows
    do.

    Args:
        grid: where windows lie.
        footprint: what a voxel takes.
        memory: for planes and blocks, in bytes; weights and what the network computes are not in it.
        parts: how many workers share the work: each column has so many blocks at least, if it has windows enough.

    Raises:
        ValueError: When not even the narrowest column fits; it says what would.
    """
    cuts = [1] * len(grid.image_size)
    while (taken := _rolling_bytes(grid, footprint, _widest(grid, cuts))) > _SHARE * memory:
        axis = max(_cross_axes(grid), key=lambda axis: len(grid.starts[axis]) / cuts[axis], default=None)
        if axis is None or cuts[axis] >= len(grid.starts[axis]):
            raise ValueError(
                f"{memory / 2**20:.0f} MiB are too little for planes of windows {grid.window}: give at least "
                f"{taken / _SHARE / 2**20:.0f} MiB more than the network takes, or smaller windows."
            )
        cuts[axis] += 1
    plane = math.prod(part.stop - part.start for part in _widest(grid, cuts)) * footprint.saved_bytes
    room = min(_BLOCK_BYTES, memory - taken - _SHARE * memory / 2)
    edges = _edges(grid, max(int(room // max(plane, 1)), 1), parts)
    columns = tuple(
        tuple(
            tuple(along if axis == grid.rolling_axis else cross[axis] for axis in range(len(cuts))) for along in edges
        )
        for cross in _crosses(grid, cuts)
    )
    longest = max(part.stop - part.start for part in edges)
    return BlockPlan(columns, int(taken + plane * longest))


def _cross_axes(grid: WindowGrid) -> list[int]:
    return [axis for axis in range(len(grid.image_size)) if axis != grid.rolling_axis]


def _cuts_along(size: int, parts: int) -> list[slice]:
    ends = [size * index // parts for index in range(parts + 1)]
    return [slice(low, high) for low, high in pairwise(ends)]


def _crosses(grid: WindowGrid, cuts: Sequence[int]) -> list[dict[int, slice]]:
    """The cross sections of all columns, ``{axis: part}``."""
    crosses: list[dict[int, slice]] = [{}]
    for axis in _cross_axes(grid):
        parts = _cuts_along(grid.image_size[axis], cuts[axis])
        crosses = [{**cross, axis: part} for cross in crosses for part in parts]
    return crosses


def _widest(grid: WindowGrid, cuts: Sequence[int]) -> Box:
    """A plane of the column whose windows reach farthest."""
    planes = [
        tuple(cross.get(axis, slice(0, 1)) for axis in range(len(cuts))) for cross in _crosses(grid, cuts)
    ]  # fmt: skip
    return max(planes, key=lambda plane: math.prod(part.stop - part.start for part in grid.needed(plane)))


def _rolling_bytes(grid: WindowGrid, footprint: Footprint, plane: Box) -> int:
    """Planes of the image and of the sums, and their copies while they roll."""
    axis, length = grid.rolling_axis, min(grid.window[grid.rolling_axis], max(grid.image_size))
    needed = math.prod(part.stop - part.start for index, part in enumerate(grid.needed(plane)) if index != axis)
    own = math.prod(part.stop - part.start for part in plane)
    channels = footprint.image_channels * needed + (footprint.summed_channels + 1) * own
    return int(3 * _FLOAT * length * channels)


def _edges(grid: WindowGrid, planes: int, parts: int) -> list[slice]:
    """Blocks along the rolling axis of at most so many planes, but one step of the windows at least."""
    size, starts = grid.image_size[grid.rolling_axis], grid.starts[grid.rolling_axis]
    planes = min(planes, math.ceil(size / max(parts, _BLOCKS)))
    ends, last = [], 0
    for start, following in zip(starts, [*starts[1:], size], strict=True):
        if start > last and following - last > planes:
            ends.append(start)
            last = start
    return [slice(low, high) for low, high in zip([0, *ends], [*ends, size], strict=True)]
