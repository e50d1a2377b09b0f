"""From what is foreground, and how deep in its object each voxel is, to instances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, find_objects, gaussian_filter, generate_binary_structure
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed

Depth = NDArray[np.floating]


def connected_instances(foreground: NDArray[np.bool_], min_size: int = 0) -> NDArray[np.int32]:
    """Instances as what is connected by faces: touching objects are one.

    Args:
        foreground: (*spatial).
        min_size: fewer voxels are no instance.

    Returns:
        (*spatial): 0 for none, then 1, 2, ... without gaps, in the order of their first voxels.
    """
    return _numbered(label(foreground, connectivity=1), min_size)


def watershed_instances(
    foreground: NDArray[np.bool_],
    depth: Depth | None = None,
    boundary: Depth | None = None,
    prominence: float = 1.0,
    smoothing: float = 0.0,
    min_size: int = 0,
) -> NDArray[np.int32]:
    """Instances by a watershed of the depth within the foreground, flooded from its summits.

    An object is a summit from which every way (by faces) to a higher one descends by more than ``prominence``: the
    h-maxima of mathematical morphology. What is connected but has no such summit, as small objects have none, is one
    object as well.

    Args:
        foreground: (*spatial).
        depth: how deep in its object each voxel is (*spatial), as a `DistanceTask` predicts it; by default the distance
            to the background, which needs no prediction.
        boundary: probability of a boundary (*spatial): depths are multiplied by what is left to 1.
        prominence: in the depth's unit: less splits more.
        smoothing: standard deviation in voxels of a Gaussian on the depth.
        min_size: fewer voxels are no instance.

    Returns:
        (*spatial): 0 for none, then 1, 2, ... without gaps, in the order of their first voxels.
    """
    instances, count = np.zeros(foreground.shape, dtype=np.int32), 0
    pieces, margin = label(foreground, connectivity=1), smoothing_radius(smoothing) + 1
    for number, box in enumerate(find_objects(pieces), 1):
        region = tuple(
            slice(max(part.start - margin, 0), min(part.stop + margin, size))
            for part, size in zip(box, foreground.shape, strict=True)
        )
        near, edges = (None if values is None else values[region] for values in (depth, boundary))
        parts = divide_region(pieces[region] == number, near, edges, prominence, smoothing)
        instances[region] += np.where(parts > 0, parts + count, 0)
        count += int(parts.max())
    return _numbered(instances, min_size)


def divide_region(
    region: NDArray[np.bool_],
    depth: Depth | None,
    boundary: Depth | None,
    prominence: float,
    smoothing: float,
) -> NDArray[np.int32]:
    """The instances of one connected region, see :func:`watershed_instances`.

    What is elsewhere does not matter, so that large volumes are divided region by region.

    Args:
        region: (*spatial), its bounding box with a margin of ``smoothing_radius(smoothing) + 1`` within the image.
        depth: likewise.
        boundary: likewise.
        prominence: see there.
        smoothing: see there.

    Returns:
        (*spatial): 0 elsewhere, then 1, 2, ...
    """
    if depth is None:
        # Without any background there is no distance, and so one summit.
        depth = distance_transform_edt(region) if not region.all() else np.ones(region.shape)
    depth = np.nan_to_num(depth).astype(np.float64)
    if boundary is not None:
        depth = depth * (1 - boundary)
    if smoothing:
        depth = gaussian_filter(depth, smoothing, radius=smoothing_radius(smoothing))
    depth = np.where(region, depth.clip(min=0), 0)
    seeds = _summits(depth, prominence)
    if not seeds[region].any():
        return region.astype(np.int32)
    return np.asarray(watershed(-depth, seeds, mask=region), dtype=np.int32)


def _summits(depth: Depth, prominence: float) -> NDArray[np.integer]:
    """The h-maxima, numbered."""
    # skimage.morphology.h_maxima finds two in a ridge with two highest points.
    faces = generate_binary_structure(depth.ndim, 1)
    levelled = reconstruction(depth - prominence, depth, footprint=faces)
    return np.asarray(label(local_maxima(levelled, connectivity=1), connectivity=1))


def smoothing_radius(smoothing: float) -> int:
    """Voxels on each side that a Gaussian of this standard deviation takes up."""
    return int(4 * smoothing + 0.5)


def _numbered(instances: NDArray[np.integer], min_size: int) -> NDArray[np.int32]:
    flat = instances.ravel()
    sizes = np.bincount(flat)
    first = np.zeros(len(sizes), dtype=np.int64)
    first[flat[::-1]] = np.arange(len(flat))[::-1]  # the last to be written stays: the first voxel
    kept = np.flatnonzero((sizes >= max(min_size, 1)) & (np.arange(len(sizes)) > 0))
    numbers = np.zeros(len(sizes), dtype=np.int32)
    numbers[kept[np.argsort(first[kept])]] = 1 + np.arange(len(kept))
    return np.asarray(numbers[instances])
