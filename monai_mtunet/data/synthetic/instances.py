"""Scenes of touching cells and bricks, in which no single value tells what is what: instances must be told apart.

Cells lie in clusters and bricks in rows. Most touch another of their class, so that the connected pieces of a
perfect segmentation hold several objects each. Neighbors differ in color and in the course of their texture, and
about half have a thin dark rim: each a weak cue, and similar neighbors without a rim occur.

The background and every object have their color and contrast from one distribution, and every texture takes the
values -1 and +1 about equally often. So a threshold, or any other rule on one voxel, cannot tell the classes apart:
what does is texture (cells striped, bricks checked, the background blotched) and shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import label
from skimage.segmentation import find_boundaries, relabel_sequential

from ..labels import LabelSet
from .object_groups import BACKGROUND, BRICK, Things, axes_of_all, place_groups
from .textures import blotches, illumination

__all__ = ["INSTANCES", "paint_touching_objects"]

INSTANCES = LabelSet(classes=("background", "cell", "brick"), palette=((64, 64, 64), (86, 180, 233), (213, 94, 0)))

Array = NDArray[Any]

COLOR = (70.0, 170.0)  # mean intensity of a channel
CONTRAST = (15.0, 25.0)  # amplitude of the texture, so that (170 + 25) * 1.2 stays below 255 with the noise
RIM = 0.65  # of the brightness is left on a rim, one voxel wide
NOISE = 3.0  # standard deviation
WAVELENGTH = 6.0  # of stripes and checks
DENT = 0.15  # of the size of a cell
SMALLEST = 4  # edge length, in voxels, of the square or cube from whose size on visible parts of objects are painted


def paint_touching_objects(
    seed: int, spatial_size: Sequence[int], channels: int = 3, spacing: Sequence[float] | None = None
) -> dict[str, Array]:
    """Paint the scene of a seed: clusters of dented cells and rows of bricks on a blotched background.

    It depends on nothing but its arguments. The generator is NumPy's ``RandomState``, whose streams are frozen, so a
    seed means the same scene in every version of NumPy.

    Args:
        seed: 0 .. 2**32 - 1.
        spatial_size: size in voxels, ``(H, W)`` or ``(X, Y, Z)``.
        channels: number of color channels.
        spacing: edge lengths of a voxel. Objects and textures are isotropic in this unit. Default: 1 along every axis.

    Returns:
        "image", intensities ``(C, *spatial)``, float32, within 0-255; "segment", classes ``(1, *spatial)``, int16,
        0 background, 1 cell, 2 brick; "instances" ``(1, *spatial)``, int32, 0 background and 1, 2, ... for the objects,
        without gaps. Every object is connected by faces and has 16 voxels or more, in 3D 64.
    """
    rng = np.random.RandomState(seed)
    step = np.ones(len(spatial_size)) if spacing is None else np.asarray(spacing, float)
    extent = step * spatial_size
    axes = [(np.arange(n) * s).astype(np.float32) for n, s in zip(spatial_size, step, strict=True)]
    grid = np.ix_(*axes)

    things = place_groups(rng, extent)
    instances, kept = _connected(_deepest(rng, things, axes))
    label_of = np.array([BACKGROUND, *things.label[kept - 1]], np.int16)
    texture = np.where(instances == 0, blotches(rng, grid), _textures(rng, label_of, instances, grid))
    image = _colored(rng, instances, texture, channels)
    image *= _rims(rng, instances) * illumination(rng, grid, extent)
    image += (NOISE * rng.normal(size=image.shape)).astype(np.float32)
    return {"image": image.clip(0, 255), "segment": label_of[instances][None], "instances": instances[None]}


def _deepest(rng: np.random.RandomState, things: Things, axes: Sequence[Array]) -> NDArray[np.int32]:
    """For every voxel the number (from 1) of the thing that it is deepest inside of, or 0."""
    shape = tuple(map(len, axes))
    deepest, numbers = np.zeros(shape, np.float32), np.zeros(shape, np.int32)
    sides = np.abs(things.half_size[:, :, None] * things.axes)
    reach = np.where(things.label[:, None] == BRICK, sides.sum(1), np.sqrt(np.square(sides).sum(1)) / (1 - DENT))
    phases = rng.uniform(0, 2 * np.pi, len(reach))
    low, high = (
        np.stack([np.searchsorted(axis, ends) for axis, ends in zip(axes, side.T, strict=True)], axis=1)
        for side in (things.center - reach, things.center + reach)
    )
    for i, center in enumerate(things.center):
        box = tuple(map(slice, low[i], high[i]))
        offsets = np.ix_(*(axis[side] - np.float32(c) for axis, side, c in zip(axes, box, center, strict=True)))
        along = [_projected(offsets, axis) for axis in things.axes[i]]
        if things.label[i] == BRICK:
            depth = _depth_in_a_box(along, things.half_size[i])
        else:
            depth = _depth_in_a_cell(along, things.half_size[i], phases[i])
        nearer = depth > deepest[box]
        np.copyto(deepest[box], depth, where=nearer)
        np.copyto(numbers[box], i + 1, where=nearer)
    return numbers


def _depth_in_a_box(along: Sequence[Array], half_size: Array) -> Array:
    """How deep positions along the axes of a box are inside, negative outside."""
    depth: Array = np.float32(half_size[0]) - np.abs(along[0])
    for position, half in zip(along[1:], half_size[1:], strict=True):
        depth = np.minimum(depth, np.float32(half) - np.abs(position))
    return depth


def _depth_in_a_cell(along: Sequence[Array], half_size: Array, phase: float) -> Array:
    """About how deep positions along the axes of an ellipsoid are inside, negative outside. It is dented."""
    radius = np.float32(half_size.mean())
    squares = sum(np.square(position / np.float32(half)) for position, half in zip(along, half_size, strict=True))
    dents = 1 + DENT * np.sin(along[0] * (np.float32(2 * np.pi / 1.5) / radius) + np.float32(phase))
    return np.asarray(radius * (1 - np.sqrt(squares) * dents))


def _connected(numbers: NDArray[np.int32]) -> tuple[NDArray[np.int32], Array]:
    """The largest piece of every thing, numbered anew without those that are too small, and the numbers left."""
    pieces = label(numbers, background=0, connectivity=1)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    owner = np.zeros(len(sizes), np.int64)
    owner[pieces.ravel()] = numbers.ravel()
    largest = np.zeros(numbers.max() + 1, np.int64)
    np.maximum.at(largest, owner, sizes)
    first = np.zeros(len(largest), np.int64)  # of equal pieces one
    keep = np.flatnonzero((sizes == largest[owner]) & (sizes >= SMALLEST**numbers.ndim))
    first[owner[keep]] = keep
    kept = np.where((first[owner] == np.arange(len(owner))) & (sizes >= SMALLEST**numbers.ndim), owner, 0)
    instances, _, _ = relabel_sequential(kept[pieces])
    return instances.astype(np.int32), np.unique(kept)[1:]


def _textures(
    rng: np.random.RandomState, label_of: Array, instances: Array, grid: Sequence[Array]
) -> NDArray[np.float32]:
    """Stripes in cells and checks in bricks, in a direction and phase of each object's own."""
    dims, count = len(grid), len(label_of)
    vectors = (axes_of_all(rng, count, dims) * 2 * np.pi / WAVELENGTH).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, (count, dims)).astype(np.float32)
    texture = np.ones(instances.shape, np.float32)
    has_wave = [True, *[label_of[instances] == BRICK] * (dims - 1)]
    for wave in range(dims):
        angle = phases[instances, wave]
        for k, axis in enumerate(grid):
            angle += vectors[instances, wave, k] * axis
        texture[(np.sin(angle) < 0) & has_wave[wave]] *= -1
    return texture


def _colored(rng: np.random.RandomState, instances: Array, texture: Array, channels: int) -> NDArray[np.float32]:
    """Intensities ``(C, *spatial)``: each object has a color and a contrast, and so has the background."""
    shape = (channels, int(instances.max()) + 1)
    mean = rng.uniform(*COLOR, shape).astype(np.float32)
    contrast = (rng.uniform(*CONTRAST, shape) * rng.choice((-1, 1), shape)).astype(np.float32)
    intensities: Array = mean[:, instances] + contrast[:, instances] * texture
    return intensities


def _rims(rng: np.random.RandomState, instances: Array) -> NDArray[np.float32]:
    """The share of brightness that is left: less at the outermost voxels of half of the objects."""
    has_rim = rng.uniform(size=int(instances.max()) + 1) < 0.5
    rim = find_boundaries(instances, connectivity=1, mode="inner") & has_rim[instances]
    brightness: Array = np.where(rim, np.float32(RIM), np.float32(1))
    return brightness


def _projected(offsets: Sequence[Array], vector: Array) -> Array:
    """The dot product of positions and a vector."""
    return np.asarray(sum(offset * np.float32(v) for offset, v in zip(offsets, vector, strict=True)))
