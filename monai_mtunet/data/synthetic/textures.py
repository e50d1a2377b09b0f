"""Textures, colors and shapes of synthetic scenes, in any number of dimensions.

Every texture takes only the values -1 and +1, equally often, and every color comes from one distribution: whatever is
painted with them has the same distribution of values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["blotches", "capsule", "checks", "colored", "illumination", "random_axes", "stripes"]

Array = NDArray[Any]

COLOR = (80.0, 160.0)  # mean intensity of a channel
CONTRAST = (30.0, 45.0)  # amplitude of the texture
ILLUMINATION = 0.2  # largest relative gain or loss, so that (160 + 45) * 1.2 stays below 255


def colored(rng: np.random.RandomState, texture: Array, channels: int) -> Array:
    """Turn a texture of -1 and +1 into ``(C, *spatial)`` intensities of a random color and contrast."""
    shape = (channels, *(1,) * texture.ndim)
    mean = rng.uniform(*COLOR, shape)
    amplitude = rng.uniform(*CONTRAST, shape) * rng.choice((-1, 1), shape)
    values: Array = mean.astype(np.float32) + amplitude.astype(np.float32) * texture
    return values


def stripes(rng: np.random.RandomState, grid: Sequence[Array], wavelength: float = 8.0) -> Array:
    """Parallel stripes (plates in 3D) in a random direction."""
    return _sign(_wave(rng, grid, random_axes(rng, len(grid))[0], wavelength))


def checks(rng: np.random.RandomState, grid: Sequence[Array], wavelength: float = 10.0) -> Array:
    """A checkerboard in a random orientation; its cells are half a wavelength wide."""
    result = np.ones((), np.float32)
    for direction in random_axes(rng, len(grid)):
        result = result * _sign(_wave(rng, grid, direction, wavelength))
    return result


def blotches(rng: np.random.RandomState, grid: Sequence[Array], wavelength: float = 24.0) -> Array:
    """Irregular blotches: the sign of a sum of plane waves in random directions."""
    waves = [_wave(rng, grid, random_axes(rng, len(grid))[0], wavelength * rng.uniform(0.8, 1.25)) for _ in range(6)]
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


def capsule(grid: Sequence[Array], center: Array, direction: Array, half_length: float, radius: float) -> Array:
    """Voxels within ``radius`` of a line segment (of a point, when its length is 0)."""
    position = _along(grid, direction, -float(center @ direction))
    offsets = [axis - np.float32(c) for axis, c in zip(grid, center, strict=True)]
    nearest = np.clip(position, -half_length, half_length)
    squared_distance = sum(offset**2 for offset in offsets) - 2 * position * nearest + nearest**2
    return np.asarray(squared_distance < radius**2)


def illumination(rng: np.random.RandomState, grid: Sequence[Array], extent: Array) -> Array:
    """A gain that changes linearly across the scene, 1 in its middle."""
    slope = rng.uniform(-1, 1, len(grid))
    slope *= 2 * ILLUMINATION / np.abs(slope).sum() / extent
    return _along(grid, slope, 1 - float(slope @ extent) / 2)


def random_axes(rng: np.random.RandomState, dimensions: int) -> Array:
    """Random orthonormal axes, as rows."""
    axes: Array = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    return axes
