"""Convex solids that rays can be cast at: what a scene of exact depth and normals is made of.

A ray enters a convex solid once and leaves it once, and it is inside an intersection of solids while it is inside all
of them. So a ball, an endless cylinder and the space between two planes are all that balls, pillars and boxes need.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ball", "Box", "ConvexSolid", "Ground", "Pillar", "cast_rays", "surface_normals"]

Array = NDArray[Any]

TOUCH = 1e-4  # of a ray: a surface so close is the one that the ray starts from


class ConvexSolid(ABC):
    """A solid in right-handed coordinates with y pointing down; points and rays are columns ``(3, N)``."""

    @abstractmethod
    def interval(self, origins: Array, rays: Array) -> tuple[Array, Array]:
        """Where rays enter and leave the solid, as multiples of them; where they miss it, not entry < exit."""

    @abstractmethod
    def normals(self, points: Array) -> Array:
        """Unit vectors that point out of the solid, at points of its surface."""


@dataclass(frozen=True)
class Ground(ConvexSolid):
    """Everything below a level, seen from above."""

    level: float

    def interval(self, origins: Array, rays: Array) -> tuple[Array, Array]:
        """Enter where rays that go down reach the level."""
        with np.errstate(divide="ignore"):
            entry = (self.level - origins[1]) / rays[1]
        return np.where(rays[1] > 0, entry, np.inf), np.full_like(entry, np.inf)

    def normals(self, points: Array) -> Array:
        """Up, everywhere."""
        return np.broadcast_to([[0.0], [-1.0], [0.0]], points.shape)


@dataclass(frozen=True)
class Ball(ConvexSolid):
    """All points within a radius of a center ``(3,)``."""

    center: Array
    radius: float

    def interval(self, origins: Array, rays: Array) -> tuple[Array, Array]:
        """Solve the quadratic equation of the sphere."""
        return _round_interval(origins - self.center[:, None], rays, self.radius)

    def normals(self, points: Array) -> Array:
        """Away from the center."""
        normals: Array = (points - self.center[:, None]) / self.radius
        return normals


@dataclass(frozen=True)
class Pillar(ConvexSolid):
    """An upright cylinder about a center ``(3,)``, with flat ends."""

    center: Array
    radius: float
    half_height: float

    def interval(self, origins: Array, rays: Array) -> tuple[Array, Array]:
        """Intersect an endless cylinder with the space between the planes of both ends."""
        offsets = origins - self.center[:, None]
        side = _round_interval(offsets[::2], rays[::2], self.radius)
        ends = _slab_interval(offsets[1], rays[1], self.half_height)
        return np.maximum(side[0], ends[0]), np.minimum(side[1], ends[1])

    def normals(self, points: Array) -> Array:
        """Up or down on the ends, away from the axis elsewhere."""
        x, y, z = points - self.center[:, None]
        at_end = np.abs(y) / self.half_height > np.hypot(x, z) / self.radius
        normals: Array = np.where(at_end, [0 * y, np.sign(y), 0 * y], [x / self.radius, 0 * y, z / self.radius])
        return normals


@dataclass(frozen=True)
class Box(ConvexSolid):
    """A box about a center ``(3,)``, with half its size ``(3,)`` along its own axes, turned about the vertical."""

    center: Array
    half_size: Array
    yaw: float

    @property
    def axes(self) -> Array:
        """The box's own axes, as rows."""
        cosine, sine = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[cosine, 0, -sine], [0, 1, 0], [sine, 0, cosine]])

    def interval(self, origins: Array, rays: Array) -> tuple[Array, Array]:
        """Intersect the spaces between three pairs of planes."""
        offsets, directions = self.axes @ (origins - self.center[:, None]), self.axes @ rays
        entries, exits = _slab_interval(offsets, directions, self.half_size[:, None])
        return np.maximum(np.maximum(*entries[:2]), entries[2]), np.minimum(np.minimum(*exits[:2]), exits[2])

    def normals(self, points: Array) -> Array:
        """Those of the face that a point is nearest to."""
        offsets = self.axes @ (points - self.center[:, None])
        face = (np.abs(offsets) / self.half_size[:, None]).argmax(axis=0)
        normals: Array = self.axes.T[:, face] * np.sign(np.take_along_axis(offsets, face[None], axis=0))
        return normals


def cast_rays(solids: Sequence[ConvexSolid], origins: Array, rays: Array) -> tuple[Array, Array]:
    """Find the solid that each ray meets first, from outside.

    Args:
        solids: what there is to meet.
        origins: where the rays start, ``(3, N)`` or ``(3, 1)``.
        rays: their directions ``(3, N)``, of any length.

    Returns:
        the multiple of each ray at which it meets a solid, ``(N,)``, infinite if it meets none, and the index of that
        solid, -1 for none.
    """
    distance = np.full(rays.shape[1], np.inf)
    nearest = np.full(rays.shape[1], -1)
    for index, solid in enumerate(solids):
        entry, leave = solid.interval(origins, rays)
        closer = (entry < leave) & (entry > TOUCH) & (entry < distance)
        np.copyto(distance, entry, where=closer)
        nearest[closer] = index
    return distance, nearest


def surface_normals(solids: Sequence[ConvexSolid], nearest: Array, points: Array) -> Array:
    """Unit normals ``(3, N)`` at points on solids, given by their indices ``(N,)``; NaN where the index is -1."""
    normals = np.full(points.shape, np.nan)
    for index, solid in enumerate(solids):
        on_it = nearest == index
        normals[:, on_it] = solid.normals(points[:, on_it])
    return normals


def _round_interval(offsets: Array, rays: Array, radius: float) -> tuple[Array, Array]:
    """Of a ball in 3D, or of the endless cylinder that a circle in 2D stands for; offsets from its center."""
    squared_length, beyond = _dot(rays, rays), _dot(offsets, offsets) - radius**2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = -_dot(rays, offsets) / squared_length
        # Comparisons with the root of a negative number, NaN, are false: missed.
        half_length = np.sqrt(middle**2 - beyond / squared_length)
    return _where_crossing(squared_length != 0, beyond < 0, middle, half_length)


def _slab_interval(offsets: Array, rays: Array, half_width: Any) -> tuple[Array, Array]:
    """Of the space between two parallel planes; offsets from their middle, and rays, along their normal."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1 / rays
        middle, half_length = -offsets * inverse, half_width * np.abs(inverse)
        return _where_crossing(rays != 0, np.abs(offsets) < half_width, middle, half_length)


def _where_crossing(crossing: Array, inside: Array, middle: Array, half_length: Array) -> tuple[Array, Array]:
    """A ray that is parallel to the surface crosses it nowhere: all of it is inside, or nothing."""
    always = np.where(inside, -np.inf, np.inf)
    return np.where(crossing, middle - half_length, always), np.where(crossing, middle + half_length, -always)


def _dot(first: Array, second: Array) -> Array:
    product: Array = np.einsum("cn,cn->n", first, second)  # fastest: makes no array of products
    return product
