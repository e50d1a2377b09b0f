"""From what is foreground, and how deep in its object each voxel is, to instances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter, generate_binary_structure
from skimage.measure import label
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import relabel_sequential, watershed

Depth = NDArray[np.floating]


def connected_instances(foreground: NDArray[np.bool_], min_size: int = 0) -> NDArray[np.int32]:
    """Instances as what is connected by faces: touching objects are one.

    Args:
        foreground: (*spatial).
        min_size: fewer voxels are no instance.

    Returns:
        (*spatial): 0 for none, then 1, 2, ... without gaps.
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
        (*spatial): 0 for none, then 1, 2, ... without gaps.
    """
    if not foreground.any():
        return np.zeros(foreground.shape, dtype=np.int32)
    if depth is None:
        # Without any background there is no distance, and so one summit.
        depth = distance_transform_edt(foreground) if not foreground.all() else np.ones(foreground.shape)
    depth = np.nan_to_num(depth).astype(np.float64)
    if boundary is not None:
        depth = depth * (1 - boundary)
    if smoothing:
        depth = gaussian_filter(depth, smoothing)
    depth = np.where(foreground, depth.clip(min=0), 0)
    pieces = label(foreground, connectivity=1)
    seeds = _summits(depth, prominence)
    without = np.isin(pieces, np.unique(pieces[seeds > 0]), invert=True) & foreground
    seeds = np.where(without, seeds.max() + pieces, seeds)
    return _numbered(watershed(-depth, seeds, mask=foreground), min_size)


def _summits(depth: Depth, prominence: float) -> NDArray[np.integer]:
    """The h-maxima, numbered."""
    # skimage.morphology.h_maxima finds two in a ridge with two highest points.
    faces = generate_binary_structure(depth.ndim, 1)
    levelled = reconstruction(depth - prominence, depth, footprint=faces)
    return np.asarray(label(local_maxima(levelled, connectivity=1), connectivity=1))


def _numbered(instances: NDArray[np.integer], min_size: int) -> NDArray[np.int32]:
    kept = np.bincount(instances.ravel()) >= min_size
    numbered: NDArray[np.int32] = relabel_sequential(np.where(kept[instances], instances, 0))[0].astype(np.int32)
    return numbered
