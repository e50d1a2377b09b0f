"""One two-part animal per image, whose outline, species and head need neighborhoods: the stand-in for pets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..labels import LabelSet
from .textures import (
    Array,
    blotches,
    capsule,
    checks,
    colored,
    illumination,
    random_axes,
    stripes,
)

__all__ = ["ANIMALS", "ANIMAL_SPECIES", "paint_animal"]

# Named as in Oxford-IIIT Pet, for which this stands in.
ANIMALS = LabelSet(classes=("background", "pet"), palette=((0, 0, 0), (230, 159, 0)))
ANIMAL_SPECIES = ("cat", "dog")  # of striped and of checked coat

_BODY_LENGTH, _BODY_RADIUS, _HEAD_RADIUS = (0.11, 0.17), (0.11, 0.14), (0.11, 0.14)  # in parts of the shortest side
_HEAD_WAVELENGTH = 0.6  # of the body's: a finer coat tells the head from the body's other end


def paint_animal(
    seed: int,
    spatial_size: Sequence[int],
    channels: int = 3,
    spacing: Sequence[float] | None = None,
    species: int | None = None,
) -> dict[str, Any]:
    """Paint the animal of a seed: a long body and a round head in one coat, striped or checked, on a blotched canvas.

    Colors are those of `monai_mtunet.data.synthetic.shapes`, so no single value tells animal from canvas, nor one
    species from the other. The head has colors of its own and a finer coat; it may be at either end of the body,
    which lies in any direction. All of the animal is in the image. It depends on nothing but its arguments.

    Args:
        seed: 0 .. 2**32 - 1.
        spatial_size: size in voxels, ``(H, W)`` or ``(X, Y, Z)``.
        channels: number of color channels.
        spacing: edge lengths of a voxel. The animal and its coat are isotropic in this unit. Default: 1 along every
            axis.
        species: 0 or 1; by default the seed decides.

    Returns:
        "image", intensities ``(C, *spatial)``, float32, within 0-255; "segment", classes ``(1, *spatial)``, int16,
        numbers in `ANIMALS`; "classify", the species, a number in `ANIMAL_SPECIES`; and "box", that of the head,
        ``[top, left, bottom, right]`` in voxels, of volumes ``[x, y, z]`` of its start, then of its stop, as
        `PaintBoxd` takes it.
    """
    rng = np.random.RandomState(seed)
    step = np.ones(len(spatial_size)) if spacing is None else np.asarray(spacing, float)
    extent = step * spatial_size
    grid = np.ix_(*((np.arange(n) * s).astype(np.float32) for n, s in zip(spatial_size, step, strict=True)))
    sampled = rng.randint(2)  # also where it does not count, so that the rest of the scene stays the same
    species = sampled if species is None else species
    coat = checks if species else stripes

    image: NDArray[np.float32] = colored(rng, blotches(rng, grid), channels)
    body, head = _place(rng, extent)
    coats = [_coat(rng, coat, grid, scale) for scale in (1.0, _HEAD_WAVELENGTH)]
    masks = [capsule(grid, *part) for part in (body, head)]
    for texture, mask in zip(coats, masks, strict=True):
        np.copyto(image, colored(rng, texture, channels), where=mask)
    image *= illumination(rng, grid, extent)
    labels = (masks[0] | masks[1])[None].astype(np.int16)
    return {"image": image, "segment": labels, "classify": species, "box": _box(masks[1])}


def _place(rng: np.random.RandomState, extent: Array) -> tuple[Any, Any]:
    """Center, direction, half length and radius of body and head."""
    side = extent.min() * (1.0 if len(extent) == 2 else 1.15)  # or it would be a small part of volumes
    half_length, radius, head_radius = (
        side * rng.uniform(*limits) for limits in (_BODY_LENGTH, _BODY_RADIUS, _HEAD_RADIUS)
    )
    along, across = rng.choice((-1, 1)) * random_axes(rng, len(extent))[:2]  # QR's own signs point mostly one way
    neck = along + rng.uniform(-0.6, 0.6) * across
    head = along * half_length + neck / np.linalg.norm(neck) * (0.6 * radius + 0.8 * head_radius)
    corners = np.stack([-np.abs(along) * half_length - radius, np.abs(along) * half_length + radius])
    low = np.minimum(corners[0], head - head_radius)
    high = np.maximum(corners[1], head + head_radius)
    center = rng.uniform(-low, np.maximum(extent - high, -low))
    return (center, along, half_length, radius), (center + head, along, 0.0, head_radius)


def _coat(rng: np.random.RandomState, coat: Any, grid: Sequence[Array], scale: float) -> Array:
    wavelength = {stripes: 8.0, checks: 10.0}[coat]
    texture: Array = coat(rng, grid, wavelength * scale)
    return texture


def _box(mask: Array) -> list[float]:
    inside = np.nonzero(mask)
    return [*(float(axis.min()) for axis in inside), *(float(axis.max() + 1) for axis in inside)]
