"""Textured scenes and phantoms in which no single value tells the class: the offline stand-in for real data.

The canvas and every object have their color and contrast from one distribution, and every texture takes only the
values -1 and +1, equally often. So all classes have the *same* distribution of values, clean or noisy: a threshold,
or any other rule on one voxel, cannot tell them apart. What does is texture (stripes, checks, or the canvas's blotches)
and shape (ball or bar), and both need a neighborhood.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..labels import LabelSet
from .textures import blotches, capsule, checks, colored, illumination, random_axes, stripes

__all__ = ["SYNTHETIC", "SYNTHETIC_CATEGORIES", "paint_shapes"]

SYNTHETIC = LabelSet(
    classes=("canvas", "striped ball", "striped bar", "checked ball", "checked bar"),
    palette=((64, 64, 64), (213, 94, 0), (240, 228, 66), (0, 114, 178), (86, 180, 233)),
)
# Coarse to fine: a category is a texture, a class is a texture and a shape.
SYNTHETIC_CATEGORIES = LabelSet(
    classes=("canvas", "striped", "checked"),
    palette=((64, 64, 64), (240, 130, 50), (70, 160, 175)),
    labels=SYNTHETIC.labels,
    class_of_label=(0, 1, 1, 2, 2),
)


def paint_shapes(
    seed: int,
    spatial_size: Sequence[int],
    channels: int = 3,
    spacing: Sequence[float] | None = None,
    one_class: bool = False,
) -> dict[str, NDArray[Any]]:
    """Paint the scene of a seed: balls and bars, striped or checked, on a blotched canvas.

    It depends on nothing but its arguments. The generator is NumPy's ``RandomState``, whose streams are frozen, so a
    seed means the same scene in every version of NumPy.

    Args:
        seed: 0 .. 2**32 - 1.
        spatial_size: size in voxels, ``(H, W)`` or ``(X, Y, Z)``.
        channels: number of color channels.
        spacing: edge lengths of a voxel. Objects and textures are isotropic in this unit, the stripes' wavelength
            is 8 units. Default: 1 along every axis.
        one_class: whether all objects are of one class.

    Returns:
        "image", intensities ``(C, *spatial)``, float32, within 0-255, and "segment", classes ``(1, *spatial)``, int16,
        0 canvas, 1 striped ball, 2 striped bar, 3 checked ball, 4 checked bar.
    """
    rng = np.random.RandomState(seed)
    step = np.ones(len(spatial_size)) if spacing is None else np.asarray(spacing, float)
    extent = step * spatial_size
    axes = [(np.arange(n) * s).astype(np.float32) for n, s in zip(spatial_size, step, strict=True)]
    canvas = np.ix_(*axes)

    image: NDArray[np.float32] = colored(rng, blotches(rng, canvas), channels)
    labels = np.zeros((1, *spatial_size), np.int16)
    thickness = (5, 6) if len(axes) == 2 else (7.5, 9)  # in 3D thinner bars would be a small part of the volume
    # Dense enough for all classes to occur in most scenes, sparse enough for most objects to show their shape.
    kinds: list[tuple[int, int]] = []
    for _ in range(max(3, round(float(np.prod(extent / 26))))):
        kinds.append((rng.randint(2), rng.randint(2)))
        checked, bar = kinds[0 if one_class else -1]
        center, direction = rng.uniform(0, extent), random_axes(rng, len(axes))[0]
        half_length, radius = (rng.uniform(22, 32), rng.uniform(*thickness)) if bar else (0.0, rng.uniform(12, 17))
        reach = np.abs(direction) * half_length + radius
        box = tuple(slice(*np.searchsorted(a, (c - r, c + r))) for a, c, r in zip(axes, center, reach, strict=True))
        region = (slice(None), *box)
        grid = np.ix_(*(axis[s] for axis, s in zip(axes, box, strict=True)))
        inside = capsule(grid, center, direction, half_length, radius)
        texture = (checks if checked else stripes)(rng, grid)
        np.copyto(image[region], colored(rng, texture, channels), where=inside)
        np.copyto(labels[region], 1 + 2 * checked + bar, where=inside)
    image *= illumination(rng, canvas, extent)
    return {"image": image, "segment": labels}
