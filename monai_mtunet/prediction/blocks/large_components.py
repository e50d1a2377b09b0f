"""What is connected in a volume that is larger than memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, generate_binary_structure, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ...inferers.slabs import slabs
from ...inferers.window_grid import Box

__all__ = ["BYTES_PER_VOXEL", "LargeComponents", "grown", "label_components"]

BYTES_PER_VOXEL = 24  # of a slab: masks, labels, and what finds their first voxels


class LargeComponents(NamedTuple):
    """Regions that are connected by faces, numbered from 0.

    Args:
        component_of: (pieces + 1,) the component of each piece that the labels number from 1; -1 of no piece.
        starts: (components, dims), where each one's bounding box begins.
        stops: (components, dims), and ends.
        sizes: (components,) in voxels.
        first: (components,) index of each one's first voxel, in C order.
    """

    component_of: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    sizes: NDArray[np.int64]
    first: NDArray[np.int64]


def label_components(
    classes: Any, number: int, labels: Any, memory: float, slice_axis: int | None = None
) -> LargeComponents:
    """Find what is connected, slab by slab: pieces of neighboring slabs are joined over their faces.

    Args:
        classes: (*spatial) class numbers, read by slabs along the first axis.
        number: of the class that is looked at.
        labels: (*spatial) integers, written: 0, or the number of a piece.
        memory: of a slab, in bytes.
        slice_axis: axis along which nothing is connected.
    """
    structure = generate_binary_structure(len(classes.shape), 1)
    if slice_axis is not None:
        keep = [slice(None)] * structure.ndim
        keep[slice_axis] = slice(1, 2)
        only = np.zeros_like(structure)
        only[tuple(keep)] = structure[tuple(keep)]
        structure = only
    starts, stops, sizes, first, pairs = [], [], [], [], []
    count, plane, above = 0, int(np.prod(classes.shape[1:])), None
    for slab in slabs(classes.shape, memory, BYTES_PER_VOXEL):
        pieces, found = label(classes[slab] == number, structure)
        flat = pieces.ravel()
        inside = np.flatnonzero(flat)
        earliest = np.empty(found, dtype=np.int64)
        earliest[flat[inside[::-1]] - 1] = inside[::-1]  # the last to be written stays: the first voxel
        first.append(earliest + slab.start * plane)
        sizes.append(np.bincount(flat, minlength=found + 1)[1:])
        boxes = np.array([[(part.start, part.stop) for part in box] for box in find_objects(pieces)], dtype=np.int64)
        boxes = boxes.reshape(found, structure.ndim, 2)
        boxes[:, 0] += slab.start
        starts.append(boxes[..., 0])
        stops.append(boxes[..., 1])
        numbered = np.where(pieces > 0, pieces + count, 0)
        if above is not None and slice_axis != 0:
            touching = (above > 0) & (numbered[0] > 0)
            pairs.append(np.unique(np.stack([above[touching], numbered[0][touching]]), axis=1))
        labels[slab] = numbered
        above, count = numbered[-1], count + found
    joined = np.concatenate(pairs, axis=1) - 1 if pairs else np.zeros((2, 0), dtype=np.int64)
    graph = coo_array((np.ones(joined.shape[1], dtype=bool), (joined[0], joined[1])), shape=(count, count))
    components, of_piece = connected_components(graph, directed=False) if count else (0, np.zeros(0, dtype=np.int64))
    return LargeComponents(
        np.concatenate([[-1], of_piece]).astype(np.int64),
        _reduced(np.minimum, np.concatenate(starts), of_piece, components),
        _reduced(np.maximum, np.concatenate(stops), of_piece, components),
        np.bincount(of_piece, np.concatenate(sizes), components).astype(np.int64),
        _reduced(np.minimum, np.concatenate(first), of_piece, components),
    )


def _reduced(function: np.ufunc, values: NDArray[np.int64], of_piece: Any, components: int) -> NDArray[np.int64]:
    """The least or the greatest of the pieces of each component."""
    start = np.iinfo(np.int64).max if function is np.minimum else -1
    result = np.full((components, *values.shape[1:]), start, dtype=np.int64)
    function.at(result, of_piece, values)
    return result


def grown(start: Sequence[int], stop: Sequence[int], by: Sequence[int], size: Sequence[int]) -> Box:
    """A box with a margin, within the volume."""
    return tuple(
        slice(max(int(low) - margin, 0), min(int(high) + margin, most))
        for low, high, margin, most in zip(start, stop, by, size, strict=True)
    )
