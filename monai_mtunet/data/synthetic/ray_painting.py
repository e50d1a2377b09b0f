"""Colors of solids in the sun, on hazy days: patterns, shading, cast shadows and haze."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .convex_solids import ConvexSolid, cast_rays, surface_normals

__all__ = ["Paint", "Weather", "paint_rays", "sample_weather"]

Array = NDArray[Any]

SUNLIGHT, SKYLIGHT = 0.75, 0.45  # on a surface that faces the one or the other
VISIBILITY = 35.0  # meters after which haze has replaced 63 % of a thing's light


@dataclass(frozen=True)
class Paint:
    """An RGB color ``(3,)`` that the product of square waves brightens and darkens, by a share of it.

    The waves (rows, in radians per meter) run through all of space: a solid looks as if carved from patterned stone.
    """

    color: Array
    waves: Array
    contrast: float


@dataclass(frozen=True)
class Weather:
    """The unit vector towards the sun, and the colors of haze and of the sky above it, RGB ``(3,)``."""

    sun: Array
    haze: Array
    sky: Array


def sample_weather(rng: np.random.RandomState) -> Weather:
    """A sun behind the camera, so that most of what it sees is lit, and a sky that gets paler towards the horizon."""
    azimuth, elevation = rng.uniform(-1.3, 1.3), rng.uniform(0.5, 1.1)
    sun = np.cos(elevation) * np.array([np.sin(azimuth), -np.tan(elevation), -np.cos(azimuth)])
    sky = np.array([rng.uniform(70, 150), rng.uniform(120, 180), rng.uniform(190, 250)])
    return Weather(sun, 0.4 * sky + 0.6 * rng.uniform(200, 245), sky)


def paint_rays(
    solids: Sequence[ConvexSolid], paints: Sequence[Paint], weather: Weather, rays: Array, pixel_angle: float
) -> Array:
    """The colors that arrive along rays at a camera in the origin.

    Args:
        solids: what there is to see.
        paints: one for each solid.
        weather: sun, haze and sky.
        rays: directions ``(3, N)``; multiples of them are depths in meters.
        pixel_angle: distance of neighboring rays at depth 1; patterns too fine for it fade instead of flickering.

    Returns:
        colors ``(3, N)`` in 0..255.
    """
    depth, nearest = cast_rays(solids, np.zeros((3, 1)), rays)
    height = -rays[1] / np.linalg.norm(rays, axis=0)
    haze, sky = weather.haze[:, None], weather.sky[:, None]
    colors: Array = haze + (sky - haze) * np.clip(height / 0.3, 0, 1)

    seen = np.isfinite(depth)
    depth, nearest, rays = depth[seen], nearest[seen], rays[:, seen]
    points = depth * rays
    normals = surface_normals(solids, nearest, points)
    grazing = np.abs((normals * rays).sum(axis=0)).clip(min=0.02)
    painted = _patterns(paints, nearest, points, depth * pixel_angle / grazing)
    light = SUNLIGHT * _sunlight(solids, weather, points, normals) + SKYLIGHT * (0.8 - 0.2 * normals[1])
    colors[:, seen] = haze + np.exp(-depth / VISIBILITY) * (painted * light - haze)
    return colors.clip(0, 255)


def _sunlight(solids: Sequence[ConvexSolid], weather: Weather, points: Array, normals: Array) -> Array:
    """Cosine of the angle between sun and surface, 0 in its own and in others' shadow."""
    cosine: Array = (weather.sun @ normals).clip(min=0)
    lit = cosine > 0
    starts = points[:, lit]
    cosine[lit] *= np.isinf(cast_rays(solids, starts, np.broadcast_to(weather.sun[:, None], starts.shape))[0])
    return cosine


def _patterns(paints: Sequence[Paint], nearest: Array, points: Array, resolution: Array) -> Array:
    """Colors ``(3, N)`` of the paints at points, seen at a resolution in meters."""
    colors = np.empty_like(points)
    for index, paint in enumerate(paints):
        on_it = nearest == index
        factor = np.full(np.count_nonzero(on_it), paint.contrast)
        for wave in paint.waves:
            visible = np.clip(1.5 - np.linalg.norm(wave) * resolution[on_it] / 2, 0, 1)
            factor *= np.clip(4 * np.sin(wave @ points[:, on_it]), -1, 1) * visible
        colors[:, on_it] = paint.color[:, None] * (1 + factor)
    return colors
