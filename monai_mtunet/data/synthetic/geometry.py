"""Scenes of boxes, balls and pillars before a wall, whose depth and normals are known exactly.

The camera has one focal length and stands 1.5 m above a ground whose tiles are 1 m wide. So a single image tells
depth: by where a thing meets the ground, how large the tiles beside it look, and how much haze lies before it. Things
have their colors and patterns from one distribution whatever they are: shape and shading tell which are boxes.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..labels import LabelSet
from .convex_solids import Ball, Box, ConvexSolid, Ground, Pillar, cast_rays, surface_normals
from .ray_painting import Paint, paint_rays, sample_weather

__all__ = ["GEOMETRY", "paint_geometry", "scene_intrinsics"]

GEOMETRY = LabelSet(
    classes=("sky", "ground", "wall", "box", "ball", "pillar"),
    palette=((86, 180, 233), (90, 90, 90), (204, 121, 167), (213, 94, 0), (240, 228, 66), (0, 114, 178)),
)

Array = NDArray[Any]

SKY, GROUND, WALL, BOX, BALL, PILLAR = range(6)
CAMERA_HEIGHT = 1.5  # meters
PITCH = (0.0, 0.12)  # radians that the camera looks down
WALL_DISTANCE = (12.0, 22.0)  # meters
NEAREST = 4.5  # meters to the middle of the nearest thing
SAMPLES = 2  # rays per pixel and axis that the image averages; all else is seen along the ray of the pixel's middle
BLOCK = 8192  # rays painted at once, few enough for the processor's caches


class _Thing(NamedTuple):
    label: int
    solid: ConvexSolid
    paint: Paint


def scene_intrinsics(spatial_size: Sequence[int]) -> NDArray[np.float64]:
    """The camera of scenes of a size ``(H, W)``: square pixels, 67 degrees from left to right.

    A pixel in row v, column u sees the point ``depth * K^-1 (u, v, 1)``, in meters: x right, y down, z forward.

    Returns:
        the matrix K ``(3, 3)``, in pixels.
    """
    height, width = spatial_size
    focal_length = 0.75 * width
    return np.array([[focal_length, 0, (width - 1) / 2], [0, focal_length, (height - 1) / 2], [0, 0, 1]])


def paint_geometry(seed: int, spatial_size: Sequence[int]) -> dict[str, Array]:
    """Paint the scene of a seed: boxes, balls and pillars on a tiled ground before a wall, under a sky.

    It depends on nothing but its arguments. The generator is NumPy's ``RandomState``, whose streams are frozen, so a
    seed means the same scene in every version of NumPy.

    Args:
        seed: 0 .. 2**32 - 1.
        spatial_size: ``(H, W)`` in pixels. Another size shows the same scene, as wide.

    Returns:
        - "image" ``(3, H, W)``, float32, within 0-255;
        - "segment" ``(1, H, W)``, int16, classes: 0 sky, 1 ground, 2 wall, 3 box, 4 ball, 5 pillar;
        - "depth" ``(1, H, W)``, float32, meters along the viewing direction, NaN in the sky. The ground at the foot of
          the image is the nearest, so taller images start nearer: 60 scenes span 3.4 to 25.5 m at 64 x 128, 1.9 to
          25.5 m at 64 x 64 and 1.0 to 25.5 m at 128 x 64;
        - "normals" ``(3, H, W)``, float32, unit vectors towards the camera, NaN in the sky. Their axes are the
          camera's: x right, y down, z forward, so a flip of the image's columns negates component 0;
        - "instances" ``(1, H, W)``, int16, 0 for sky, ground and wall and a number for every box, ball and pillar
          (hidden ones leave gaps).
    """
    rng = np.random.RandomState(seed)
    pitch, wall_distance = rng.uniform(*PITCH), rng.uniform(*WALL_DISTANCE)
    sine, cosine = np.sin(pitch), np.cos(pitch)
    upright = np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])  # from the camera's axes to level ones
    things = [_ground(rng), _wall(rng, wall_distance), *_objects(rng, 0.75 * wall_distance)]
    solids, paints, weather = [t.solid for t in things], [t.paint for t in things], sample_weather(rng)

    height, width = spatial_size
    fine_rays = upright @ _rays(spatial_size, SAMPLES)
    pixel_angle = 1 / (SAMPLES * scene_intrinsics(spatial_size)[0, 0])
    blocks = np.array_split(fine_rays, -(-fine_rays.shape[1] // BLOCK), axis=1)
    colors = np.concatenate([paint_rays(solids, paints, weather, rays, pixel_angle) for rays in blocks], axis=1)

    rays = upright @ _rays(spatial_size, 1)
    depth, nearest = cast_rays(solids, np.zeros((3, 1)), rays)
    depth[nearest < 0] = np.nan
    normals = upright.T @ surface_normals(solids, nearest, depth * rays)
    labels = np.array([*(thing.label for thing in things), SKY])[nearest]
    return {
        "image": colors.reshape(3, height, SAMPLES, width, SAMPLES).mean(axis=(2, 4)).astype(np.float32),
        "segment": labels.reshape(1, height, width).astype(np.int16),
        "depth": depth.reshape(1, height, width).astype(np.float32),
        "normals": normals.reshape(3, height, width).astype(np.float32),
        "instances": np.where(labels >= BOX, nearest - 1, 0).reshape(1, height, width).astype(np.int16),
    }


def _ground(rng: np.random.RandomState) -> _Thing:
    tiles = np.pi * np.array([[1.0, 0, 0], [0, 0, 1.0]])  # half a wavelength is a tile of 1 m
    paint = Paint(_color(rng, (0.05, 0.35), (0.5, 0.8)), tiles, rng.uniform(0.12, 0.25))
    return _Thing(GROUND, Ground(CAMERA_HEIGHT), paint)


def _wall(rng: np.random.RandomState, distance: float) -> _Thing:
    """A wall across the whole view, low enough for some sky in images that are half as high as wide."""
    height, yaw = CAMERA_HEIGHT + distance * rng.uniform(0.06, 0.17), rng.uniform(-0.25, 0.25)
    solid = Box(np.array([0.0, CAMERA_HEIGHT - height / 2, distance]), np.array([100.0, height / 2, 0.2]), yaw)
    waves = np.pi * np.array([solid.axes[0] / rng.uniform(1.0, 2.5), [0, 1 / rng.uniform(0.5, 1.0), 0]])
    color, columns = _color(rng, (0.15, 0.5), (0.5, 0.85)), rng.randint(1, 3)
    return _Thing(WALL, solid, Paint(color, waves[:columns], rng.uniform(0.1, 0.2)))


def _objects(rng: np.random.RandomState, farthest: float) -> Iterator[_Thing]:
    """Boxes, balls and pillars that stand on the ground, apart from each other."""
    places: list[tuple[Array, float]] = []
    for _ in range(rng.randint(8, 15)):
        label = rng.choice((BOX, BALL, PILLAR))
        forward = np.exp(rng.uniform(np.log(NEAREST), np.log(farthest)))  # else most would be far and small
        place = np.array([forward * rng.uniform(-0.65, 0.65), forward])
        solid, reach = _solid(rng, label, place)
        paint = Paint(_color(rng, (0.3, 0.85), (0.55, 0.95)), _waves(rng), rng.uniform(0.15, 0.35))
        if all(np.linalg.norm(place - other) > reach + taken for other, taken in places):
            places.append((place, reach))
            yield _Thing(label, solid, paint)


def _solid(rng: np.random.RandomState, label: int, place: Array) -> tuple[ConvexSolid, float]:
    """A solid that stands at a place (x, z), and how far it reaches around it."""
    x, z = place
    if label == BALL:
        radius = rng.uniform(0.35, 0.85)
        return Ball(np.array([x, CAMERA_HEIGHT - radius, z]), radius), radius
    if label == PILLAR:
        radius, half_height = rng.uniform(0.25, 0.5), rng.uniform(0.8, 1.6)
        return Pillar(np.array([x, CAMERA_HEIGHT - half_height, z]), radius, half_height), radius
    half_size = rng.uniform(0.35, 0.8, 3)
    center = np.array([x, CAMERA_HEIGHT - half_size[1], z])
    return Box(center, half_size, rng.uniform(0, np.pi)), float(np.hypot(half_size[0], half_size[2]))


def _waves(rng: np.random.RandomState) -> Array:
    """None, stripes or checks, in a random direction."""
    directions: Array = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    waves: Array = directions[: rng.randint(3)] * np.pi / rng.uniform(0.15, 0.5)
    return waves


def _color(rng: np.random.RandomState, saturation: tuple[float, float], value: tuple[float, float]) -> Array:
    """RGB in 0..255, of any hue."""
    return 255 * np.array(colorsys.hsv_to_rgb(rng.uniform(), rng.uniform(*saturation), rng.uniform(*value)))


def _rays(spatial_size: Sequence[int], samples: int) -> Array:
    """Directions ``(3, N)`` with z = 1, so that a multiple of one is a depth; ``samples`` per pixel and axis."""
    rows, columns = ((np.arange(n * samples) + 0.5) / samples - 0.5 for n in spatial_size)
    pixels = np.stack([*np.meshgrid(columns, rows), np.ones((len(rows), len(columns)))])
    rays: Array = np.linalg.inv(scene_intrinsics(spatial_size)) @ pixels.reshape(3, -1)
    return rays
