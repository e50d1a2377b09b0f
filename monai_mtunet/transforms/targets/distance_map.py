"""How deep every voxel is inside its object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.config import KeysCollection
from numpy.typing import NDArray
from scipy.ndimage import find_objects
from skimage.measure import label

from .label_distance import LabelDistance, Spacing, distance_to

__all__ = ["DistanceMapd"]


class DistanceMapd(LabelDistance):
    """Euclidean distance from each voxel of an object to the nearest voxel that is not of it; 0 in the background.

    It is the target of a `DistanceTask` from instances or classes.

    An object is all voxels of one label: of an instance map an instance, also where it touches another one; of a class
    map everything of a class, or with ``components`` each connected piece of it. `SignedDistanceMapd` also measures the
    background.

    Distances are measured between the centers of voxels, so that the outermost voxels of an object are 1 voxel deep,
    and are exact. Missing voxels have no distance, NaN, and are no part of anything: distances near them are to the
    nearest voxel that is known to be outside. The image's border is no boundary, since objects go on behind it, unless
    ``border`` says so. An object that nothing known is outside of has no distance: ``truncate`` if that is given, NaN
    otherwise.

    Scipy's transform makes it, object by object in a box around each, 20 to 30 times as fast as over the whole image.
    (The package edt, which does all labels at once, takes a fifth of that, but knows no missing labels, and would be a
    dependency under the LGPL for what happens once per sample.) Place it before the cache, unless there is scaling or
    rotation in the augmentation, which invalidates distances. It gives float32; ``CastToTyped(...,
    dtype=torch.float16)`` after it halves the cache and is off by less than 0.02 up to a distance of 32, and a
    `DistanceTask` takes that as well.

    Args:
        keys: keys of the label maps ``(1, *spatial)``, integers. They stay.
        new_keys: where to put the distances ``(C, *spatial)``, float32, one per key: the name of the task.
        labels: by default one channel, in which all labels count. Otherwise the labels that count, one channel each; of
            a list of labels any counts, and all are one object.
        background: the label whose distance is 0; ``None`` when all labels are objects, as in street scenes.
        components: whether the connected pieces of a label (by faces, edges or corners) are objects of their own. The
            distances are the same; it matters for what ``normalize`` divides by.
        unit: "voxel", counted along the axes whatever their spacing, or that of the spacing, "mm" or "um".
        spacing: size of a voxel in the unit, one number or one per axis; by default that of the affine.
        truncate: distances beyond it become ``truncate``. ``None`` for no limit.
        normalize: whether to divide, after truncation, by the greatest distance of the object: all objects then reach
            1, whatever their size.
        border: whether everything beyond the image's border is outside of all objects.
        ignore_index: the label of voxels that have none: -1 of instance maps, 255 of class maps.
        allow_missing_keys: don't raise exception if key is missing.

    Raises:
        ValueError: When the unit is another, a spacing is given for voxels, or a number is not positive; of a sample,
            when there is not one channel, or distances in mm are asked of a tensor without an affine.

    Example:
        >>> sample = {"instances": torch.tensor([[[0, 1, 1, 1, 2, 2, -1]]])}
        >>> DistanceMapd("instances", "distance")(sample)["distance"]
        tensor([[[0., 1., 2., 1., 1., 2., nan]]])
        >>> DistanceMapd("instances", "distance", normalize=True)(sample)["distance"]
        tensor([[[0.0000, 0.5000, 1.0000, 0.5000, 0.5000, 1.0000,    nan]]])
    """

    def __init__(
        self,
        keys: KeysCollection,
        new_keys: KeysCollection,
        labels: Sequence[int | Sequence[int]] | None = None,
        background: int | None = 0,
        components: bool = False,
        unit: str = "voxel",
        spacing: float | Sequence[float] | None = None,
        truncate: float | None = None,
        normalize: bool = False,
        border: bool = False,
        ignore_index: int = -1,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, new_keys, unit, spacing, truncate, ignore_index, allow_missing_keys)
        self.labels = labels
        self.background = background
        self.components = components
        self.normalize = normalize
        self.border = border

    def measure(self, labels: NDArray[np.generic], spacing: Spacing) -> NDArray[np.float64]:
        """See :meth:`LabelDistance.measure`."""
        if self.border:
            inner = (slice(1, -1),) * labels.ndim
            known = np.pad(labels != self.ignore_index, 1, constant_values=True)
            return np.stack(
                [self._channel(np.pad(objects, 1), known, spacing)[inner] for objects in self._objects(labels)]
            )
        known = labels != self.ignore_index
        return np.stack([self._channel(objects, known, spacing) for objects in self._objects(labels)])

    def _objects(self, labels: NDArray[np.generic]) -> list[NDArray[np.intp]]:
        """Per channel the objects, numbered from 1 on; 0 is background, or missing."""
        known = labels != self.ignore_index
        counted = known if self.background is None else known & (labels != self.background)
        if self.labels is None:
            numbered = np.unique(labels, return_inverse=True)[1].reshape(labels.shape) + 1
            channels = [np.where(counted, numbered, 0)]
        else:
            channels = [np.isin(labels, chosen).astype(np.intp) * known for chosen in self.labels]
        if self.components:
            channels = [label(objects, background=0, connectivity=objects.ndim) for objects in channels]
        return channels

    def _channel(self, objects: NDArray[np.intp], known: NDArray[np.bool_], spacing: Spacing) -> NDArray[np.float64]:
        distances = np.where(known, 0.0, np.nan)
        for number, box in enumerate(find_objects(objects), start=1):
            if box is None:
                continue
            depth = self.truncated(_depth(objects, number, known, box, spacing))
            if self.normalize and np.isfinite(depth).all():
                depth /= depth.max()
            distances[box][objects[box] == number] = depth
        return distances


def _depth(
    objects: NDArray[np.intp], number: int, known: NDArray[np.bool_], box: tuple[slice, ...], spacing: Spacing
) -> NDArray[np.float64]:
    """Distances of an object's voxels, in their order, to the nearest that is known to be outside of it.

    One voxel around the box is enough: if the nearest voxel outside were farther, the one a step nearer would be
    outside as well. Where that one may be missing, all is looked at that is as near as the nearest found so far.
    """
    inside = objects[box] == number
    margins = np.ones(objects.ndim)
    distance = _depth_within(margins, objects, number, known, box, spacing)
    if not known[_grown(box, margins, objects.shape)].all():
        farthest = distance[inside].max()
        margins = np.ceil(np.minimum(farthest / np.asarray(spacing), objects.shape))
        distance = _depth_within(margins, objects, number, known, box, spacing)
    return np.asarray(distance[inside])


def _depth_within(
    margins: NDArray[np.float64],
    objects: NDArray[np.intp],
    number: int,
    known: NDArray[np.bool_],
    box: tuple[slice, ...],
    spacing: Spacing,
) -> NDArray[np.float64]:
    """Distances in an object's box to what is outside of the object and in the box or within margins around it."""
    region = _grown(box, margins, objects.shape)
    distance = distance_to((objects[region] != number) & known[region], spacing)
    inner = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(box, region, strict=True))
    return np.asarray(distance[inner])


def _grown(box: tuple[slice, ...], margins: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(
        slice(max(0, side.start - int(more)), min(size, side.stop + int(more)))
        for side, more, size in zip(box, margins, shape, strict=True)
    )
