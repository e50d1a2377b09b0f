"""What a target in files is, told from the values of a few."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from .case import DataCase, TargetKind
from .target_values import TargetValues, read_some

__all__ = ["infer_kind"]

_FEW = 32  # numbers: a label map whatever it looks like
_MOST_LABELS = 4096  # in one: beyond, a map of even areas is no label map
_MOST_COLORS = 64
_EVEN = 0.8  # share of equal neighbors in label maps; of 8-bit images it is below a third
_CORRELATED = 0.7
_UNIT_LENGTH = 0.05
_LOSSY = (".jpg", ".jpeg", ".jfif")

# Where values allow it, a name decides: of what they cannot tell.
_NAMES = {
    **dict.fromkeys(("depth", "depths"), TargetKind.DEPTH),
    **dict.fromkeys(("disparity", "disparities"), TargetKind.DISPARITY),
    **dict.fromkeys(("distance", "distances"), TargetKind.DISTANCE),
    **dict.fromkeys(("edge", "edges", "boundary", "boundaries"), TargetKind.EDGES),
    **dict.fromkeys(("instance", "instances"), TargetKind.INSTANCES),
    **dict.fromkeys(("clean", "denoise", "denoised"), TargetKind.RESTORATION),
}
_NUMBERED = (TargetKind.EDGES, TargetKind.INSTANCES)


def infer_kind(name: str, cases: Sequence[DataCase]) -> TargetKind:
    """Tell what a target is.

    Few whole numbers, or more in even areas, are a segmentation, few RGB colors a colored one. What correlates with the
    image is a restoration, vectors of length 1 are normals, 2D images of 16 bits depth, and other values a quantity.
    Names that say so decide between what values allow: "depth", "disparity", "distance", "edges", "instances", "clean".

    Args:
        name: of the target.
        cases: all; some are looked into.

    Raises:
        ValueError: When it cannot be told; the message says what was found and how to name it.
        OSError: When none of the files that were tried can be read.
    """
    seen = read_some(name, cases)
    named = _NAMES.get(name.lower())
    if named is not None and _allows(named, seen):
        return named
    if any(one.file.lower().endswith(_LOSSY) for one in seen) and not _is_restoration(seen):
        raise ValueError(_advice(name, seen, "is JPEG, which changes numbers and colors of labels: save them as PNG"))
    if all(one.is_rgb for one in seen) and len(_distinct(seen)) <= _MOST_COLORS:
        return TargetKind.COLORED_SEGMENTATION
    single = all(one.channels == 1 for one in seen)
    whole = single and all(one.is_whole for one in seen)
    if whole and len(_distinct(seen)) <= _FEW:
        return TargetKind.SEGMENTATION
    if _is_restoration(seen):
        return TargetKind.RESTORATION
    if whole and len(_distinct(seen)) <= _MOST_LABELS and np.median([one.evenness() for one in seen]) >= _EVEN:
        return TargetKind.SEGMENTATION
    if all(one.channels == 3 and one.deviation_from_unit_length() < _UNIT_LENGTH for one in seen):
        return TargetKind.NORMALS
    if whole and all(one.values.dtype.itemsize > 1 and one.spatial_dims == 2 for one in seen):
        return TargetKind.DEPTH
    if single or all(one.values.dtype.kind == "f" for one in seen):
        return TargetKind.QUANTITY
    shapes = f"has {seen[0].channels} channels of {seen[0].values.dtype}, of many values that do not follow the image"
    raise ValueError(_advice(name, seen, f"{shapes}: it is neither a label map nor a clean image"))


def _allows(kind: TargetKind, seen: Sequence[TargetValues]) -> bool:
    if kind is TargetKind.RESTORATION:
        return all(one.fits_image for one in seen) and (len(_distinct(seen)) > _FEW)
    if any(one.channels > 1 or one.file.lower().endswith(_LOSSY) for one in seen):
        return False
    return kind not in _NUMBERED or all(one.is_whole for one in seen)


def _distinct(seen: Sequence[TargetValues]) -> set[float]:
    return set().union(*(one.distinct for one in seen))


def _is_restoration(seen: Sequence[TargetValues]) -> bool:
    return all(one.fits_image for one in seen) and bool(np.median([one.correlation() for one in seen]) >= _CORRELATED)


def _advice(name: str, seen: Sequence[TargetValues], found: str) -> str:
    kinds = ", ".join(kind.value for kind in TargetKind if kind.is_dense)
    return (
        f"What {name!r} is cannot be told: {os.fspath(seen[0].file)} {found}. Or say what it is, "
        f'{{"{name}": KIND}}, KIND one of {kinds}.'
    )
