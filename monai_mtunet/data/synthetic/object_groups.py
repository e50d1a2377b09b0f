"""Where the objects of synthetic scenes lie: cells in clusters and bricks in rows, most beside one of their kind."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .textures import random_axes

__all__ = ["BACKGROUND", "BRICK", "CELL", "Things", "axes_of_all", "place_groups"]

Array = NDArray[Any]

BACKGROUND, CELL, BRICK = range(3)
CELL_RADIUS = (6.0, 10.0)
BRICK_HALF_SIZE = (4.0, 8.0)
SIZE_OF_A_GROUP = {2: 40.0, 3: 38.0}  # edge length of the square or cube that has one row and one cluster


class Things(NamedTuple):
    """Ellipsoids and boxes, the first axis of all arrays."""

    label: Array  # (N,) CELL for ellipsoids, BRICK for boxes
    center: Array  # (N, dims)
    axes: Array  # (N, dims, dims), unit vectors as rows
    half_size: Array  # (N, dims), along the axes


def place_groups(rng: np.random.RandomState, extent: Array) -> Things:
    """Place rows of bricks and clusters of cells, none of which lies on top of another.

    Args:
        rng: samples everything.
        extent: size of the scene along every axis; 2 or 3 of them.

    Returns:
        the things whose middle is in the scene or not far outside.
    """
    count = max(1, round(float(np.prod(extent / SIZE_OF_A_GROUP[len(extent)]))))
    things = Things(*(values[:0] for values in _row(rng, extent)))
    for group in (place(rng, extent) for _ in range(count) for place in (_cluster, _row)):
        reach, taken = group.half_size.mean(1), things.half_size.mean(1)
        apart = _squared_distances(group.center, things.center) > (0.8 * (reach[:, None] + taken)) ** 2
        inside = (group.center > -group.half_size) & (group.center < extent + group.half_size)
        kept = apart.all(1) & inside.all(1)
        things = Things(*(np.concatenate([some, more[kept]]) for some, more in zip(things, group, strict=True)))
    return things


def _row(rng: np.random.RandomState, extent: Array) -> Things:
    """Equal boxes side by side, in one direction three, with gaps here and there."""
    dims = len(extent)
    center, axes, half_size = rng.uniform(0, extent), random_axes(rng, dims), rng.uniform(*BRICK_HALF_SIZE, dims)
    counts = rng.randint(1, 4, dims)
    counts[rng.randint(dims)] = 3
    places = np.argwhere(rng.uniform(size=counts) < 0.9)
    offsets = (2 * places + 1 - counts) * half_size @ axes
    shape = (len(places), dims, dims)
    return Things(
        np.full(len(places), BRICK),
        center + offsets,
        np.broadcast_to(axes, shape),
        np.broadcast_to(half_size, shape[:2]),
    )


def _cluster(rng: np.random.RandomState, extent: Array) -> Things:
    """Ellipsoids, each beside an earlier one and a little pressed against it."""
    dims = len(extent)
    count = 6 * (dims - 1) + rng.randint(4)
    radii, centers = rng.uniform(*CELL_RADIUS, count), np.empty((count, dims))
    steps = rng.normal(size=(count, dims))
    steps *= rng.uniform(0.8, 0.95, (count, 1)) / np.linalg.norm(steps, axis=1, keepdims=True)
    centers[0], taken = rng.uniform(0, extent), [0]
    for number in range(1, count):
        neighbor = taken[rng.randint(len(taken))]
        centers[number] = centers[neighbor] + (radii[neighbor] + radii[number]) * steps[number]
        apart = _squared_distances(centers[number], centers[taken]) > (0.75 * (radii[taken] + radii[number])) ** 2
        if apart.all():
            taken.append(number)
    half_size = radii[:, None] * rng.uniform(0.8, 1.2, (count, dims))
    return Things(np.full(len(taken), CELL), centers[taken], axes_of_all(rng, count, dims)[taken], half_size[taken])


def axes_of_all(rng: np.random.RandomState, count: int, dimensions: int) -> Array:
    """What `random_axes` samples, many at once."""
    axes: Array = np.linalg.qr(rng.normal(size=(count, dimensions, dimensions)))[0]
    return axes


def _squared_distances(places: Array, others: Array) -> Array:
    """From places ``(..., dims)`` to each of others ``(N, dims)``: ``(..., N)``."""
    return np.asarray(np.square(places[..., None, :] - others).sum(-1))
