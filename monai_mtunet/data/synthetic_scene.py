"""Textured scenes and phantoms in which no single value tells the class: the offline stand-in for real data.

The canvas and every object draw their colour and contrast from one distribution, and every texture takes only the
values -1 and +1, equally often. So all classes have the *same* distribution of values, clean or noisy: a threshold,
or any other rule on one voxel, cannot tell them apart. What does is texture (stripes, checks, or the canvas's blotches)
and shape (ball or bar), and both need a neighbourhood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_scene"]

Array = NDArray[Any]

COLOUR = (80.0, 160.0)  # mean intensity of a channel
CONTRAST = (30.0, 45.0)  # amplitude of the texture
ILLUMINATION = 0.2  # largest relative gain or loss, so that (160 + 45) * 1.2 stays below 255


def draw_scene(
    seed: int, spatial_size: Sequence[int], channels: int = 3, spacing: Sequence[float] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.int16]]:
    """Draw the scene of a seed: balls and bars, striped or checked, on a blotched canvas.

    It depends on nothing but its arguments. The generator is NumPy's ``RandomState``, whose streams are frozen, so a
    seed means the same scene in every version of NumPy.

    Args:
        seed: 0 .. 2**32 - 1.
        spatial_size: size in voxels, ``(H, W)`` or ``(X, Y, Z)``.
        channels: number of colour channels.
        spacing: edge lengths of a voxel. Objects and textures are isotropic in this unit, the stripes' wavelength
            is 8 units. Default: 1 along every axis.

    Returns:
        intensities ``(C, *spatial)``, float32, within 0-255, and classes ``(1, *spatial)``, int16, 0 canvas,
        1 striped ball, 2 striped bar, 3 checked ball, 4 checked bar.
    """
    rng = np.random.RandomState(seed)
    step = np.ones(len(spatial_size)) if spacing is None else np.asarray(spacing, float)
    extent = step * spatial_size
    axes = [(np.arange(n) * s).astype(np.float32) for n, s in zip(spatial_size, step, strict=True)]
    canvas = np.ix_(*axes)

    image: NDArray[np.float32] = _colour(rng, _blotches(rng, canvas), channels)
    labels = np.zeros((1, *spatial_size), np.int16)
    thickness = (5, 6) if len(axes) == 2 else (7.5, 9)  # in 3D thinner bars would be a small part of the volume
    # Dense enough for all classes to occur in most scenes, sparse enough for most objects to show their shape.
    for _ in range(max(3, round(float(np.prod(extent / 26))))):
        checked, bar = rng.randint(2), rng.randint(2)
        centre, direction = rng.uniform(0, extent), _rotation(rng, len(axes))[0]
        half_length, radius = (rng.uniform(22, 32), rng.uniform(*thickness)) if bar else (0.0, rng.uniform(12, 17))
        reach = np.abs(direction) * half_length + radius
        box = tuple(slice(*np.searchsorted(a, (c - r, c + r))) for a, c, r in zip(axes, centre, reach, strict=True))
        region = (slice(None), *box)
        grid = np.ix_(*(axis[s] for axis, s in zip(axes, box, strict=True)))
        inside = _capsule(grid, centre, direction, half_length, radius)
        texture = (_checks if checked else _stripes)(rng, grid)
        np.copyto(image[region], _colour(rng, texture, channels), where=inside)
        np.copyto(labels[region], 1 + 2 * checked + bar, where=inside)
    image *= _illumination(rng, canvas, extent)
    return image, labels


def _colour(rng: np.random.RandomState, texture: Array, channels: int) -> Array:
    """Turn a texture of -1 and +1 into ``(C, *spatial)`` intensities of a random colour and contrast."""
    shape = (channels, *(1,) * texture.ndim)
    mean = rng.uniform(*COLOUR, shape)
    amplitude = rng.uniform(*CONTRAST, shape) * rng.choice((-1, 1), shape)
    coloured: Array = mean.astype(np.float32) + amplitude.astype(np.float32) * texture
    return coloured


def _stripes(rng: np.random.RandomState, grid: Sequence[Array], wavelength: float = 8.0) -> Array:
    """Parallel stripes (plates in 3D) in a random direction."""
    return _sign(_wave(rng, grid, _rotation(rng, len(grid))[0], wavelength))


def _checks(rng: np.random.RandomState, grid: Sequence[Array], wavelength: float = 10.0) -> Array:
    """A checkerboard in a random orientation; its cells are half a wavelength wide."""
    result = np.ones((), np.float32)
    for direction in _rotation(rng, len(grid)):
        result = result * _sign(_wave(rng, grid, direction, wavelength))
    return result


def _blotches(rng: np.random.RandomState, grid: Sequence[Array], wavelength: float = 24.0) -> Array:
    """Irregular blotches: the sign of a sum of plane waves in random directions."""
    waves = [_wave(rng, grid, _rotation(rng, len(grid))[0], wavelength * rng.uniform(0.8, 1.25)) for _ in range(6)]
    return _sign(np.asarray(np.sum(waves, axis=0)))


def _wave(rng: np.random.RandomState, grid: Sequence[Array], direction: Array, wavelength: float) -> Array:
    """A plane wave of random phase."""
    frequency = 2 * np.pi / wavelength
    return np.asarray(np.sin(_along(grid, direction * frequency, rng.uniform(0, 2 * np.pi))))


def _sign(values: Array) -> Array:
    """-1 or +1, never 0."""
    return np.asarray(np.where(values < 0, np.float32(-1), np.float32(1)))


def _along(grid: Sequence[Array], vector: Array, offset: float = 0.0) -> Array:
    """``x . vector + offset`` on a grid of broadcastable coordinates."""
    terms = (axis * np.float32(v) for axis, v in zip(grid, vector, strict=True))
    return np.asarray(sum(terms, np.float32(offset)))


def _capsule(grid: Sequence[Array], centre: Array, direction: Array, half_length: float, radius: float) -> Array:
    """Voxels within ``radius`` of a line segment (of a point, when its length is 0)."""
    position = _along(grid, direction, -float(centre @ direction))
    offsets = [axis - np.float32(c) for axis, c in zip(grid, centre, strict=True)]
    nearest = np.clip(position, -half_length, half_length)
    squared_distance = sum(offset**2 for offset in offsets) - 2 * position * nearest + nearest**2
    return np.asarray(squared_distance < radius**2)


def _illumination(rng: np.random.RandomState, grid: Sequence[Array], extent: Array) -> Array:
    """A gain that changes linearly across the scene, 1 in its middle."""
    slope = rng.uniform(-1, 1, len(grid))
    slope *= 2 * ILLUMINATION / np.abs(slope).sum() / extent
    return _along(grid, slope, 1 - float(slope @ extent) / 2)


def _rotation(rng: np.random.RandomState, dimensions: int) -> Array:
    """Random orthonormal axes, as rows."""
    axes: Array = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    return axes
