"""What training sees: crops, flips, noise, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from ..data.case import FoundData, TargetKind
from ..fingerprint import DataFingerprint
from .choice import Choice
from .declared import Declared
from .grid import Grid
from .intensities import Intensities

__all__ = ["Samples", "choose_augmentation", "choose_crops", "choose_noise", "choose_sampler", "is_photograph"]

_RARE = 0.05  # share of voxels
_MOST_OF_IT = 0.25  # of the median image in a patch
_FEW_LABELED = 0.5  # of the images
_OFTEN = 100  # passes over the data, from which on networks learn images by heart
_VOXELS_PER_CLASS = 10000
_COLORS = 3


class Samples(NamedTuple):
    """Items of an overlay, and their reasons."""

    items: dict[str, Any]
    choices: list[Choice]


def choose_crops(
    grid: Grid, patch: Sequence[int], data: FoundData, found: DataFingerprint, tasks: Sequence[Declared]
) -> Samples:
    """Pad what is smaller than a patch, and crop the rest: around rare classes as often as around frequent ones."""
    smaller, larger = (grid.sizes < patch).any(), (grid.sizes > patch).any()
    pad = {"_target_": "PadSampled", "tasks": "@active_tasks", "spatial_size": "@patch_size"}
    augment = [pad] if smaller else []
    if not larger:
        reason = "every image fits into the patch; beyond its border targets are missing"
        return Samples({"augment": augment}, [Choice("crops", "none", reason)] if smaller else [])
    if prod(patch) >= _MOST_OF_IT * prod(grid.median):
        reason = f"a patch holds {prod(patch) / prod(grid.median):.0%} of the median image, and so of all classes"
        return Samples({"augment": [*augment, _anywhere()]}, [Choice("crops", "anywhere", reason)])
    if (rare := _rare(data, found, tasks)) is not None:
        name, count, share = rare
        indices = {"_target_": "ClassesToIndicesd", "keys": name, "indices_postfix": "_voxels", "num_classes": count,
                   "max_samples_per_class": _VOXELS_PER_CLASS, "allow_missing_keys": True}  # fmt: skip
        crop = {
            "_target_": "RandCropByLabelClassesd", "keys": "$@active_tasks.spatial_keys", "label_key": name,
            "indices_key": f"{name}_voxels", "image_key": "image", "spatial_size": "@patch_size",
            "ratios": [1] * count, "num_classes": count, "allow_missing_keys": True,
        }  # fmt: skip
        reason = f"the rarest class of {name} is {share:.2%} of all voxels: patches are around each class equally often"
        items = {"augment": [*augment, crop], "targets": [indices], "keep": [f"{name}_voxels"]}
        return Samples(items, [Choice("crops", "by class", reason)])
    reason = f"no class has less than {_RARE:.0%} of the voxels, or not all images have labels"
    return Samples({"augment": [*augment, _anywhere()]}, [Choice("crops", "anywhere", reason)])


def _anywhere() -> dict[str, Any]:
    return {"_target_": "RandSpatialCropd", "keys": "$@active_tasks.spatial_keys", "roi_size": "@patch_size",
            "random_size": False, "allow_missing_keys": True}  # fmt: skip


def _rare(data: FoundData, found: DataFingerprint, tasks: Sequence[Declared]) -> tuple[str, int, float] | None:
    """The segmentation with the rarest class, where all training images have it."""
    shares = []
    for task in tasks:
        counts = found.label_counts(task.name)
        complete = all(case.targets.get(task.name) for case in found.cases)
        if task.classes and complete and data.targets.get(task.name) is TargetKind.SEGMENTATION:
            declared = task.tasks[-1].get("labels", range(task.classes))  # missing voxels are of no class
            numbers = [some if isinstance(some, list) else [some] for some in declared]
            present = [voxels for some in numbers if (voxels := sum(counts[str(number)] for number in some))]
            shares.extend([(min(present) / sum(present), task)] if present else [])
    if not shares or min(shares, key=lambda pair: pair[0])[0] >= _RARE:
        return None
    share, task = min(shares, key=lambda pair: pair[0])
    return task.name, task.classes, share


def choose_augmentation(
    grid: Grid, patch: Sequence[int], passes: float, photographs: bool, tasks: Sequence[Declared]
) -> Samples:
    """Flips always; zoom and brightness where images are seen so often that networks learn them by heart.

    Args:
        grid: the images.
        patch: voxels per axis.
        passes: how often each image is seen.
        photographs: whether images are pictures in color, which have an upper side.
        tasks: all of which take part in what changes places; what changes intensities changes restorations alike.
    """
    often = passes >= _OFTEN
    axes, why = list(range(grid.spatial_dims)), "along every axis"
    if photographs:
        axes, why = [1], "pictures in color have an upper side: left and right only"
    elif grid.left_right is not None and not often:
        axes, why = [grid.left_right], "left and right of bodies are alike, and images are seen too seldom for more"
    steps: list[dict[str, Any]] = [
        {"_target_": "RandFlipGeometryd", "tasks": "@active_tasks", "prob": 0.5, "spatial_axis": axis} for axis in axes
    ]
    choices = [Choice("flips", f"axes {axes}", f"{why}; targets are flipped along, and vectors turned")]
    vectors = any(task["_target_"] == "NormalsTask" for one in tasks for task in one.tasks)
    square = patch[0] == patch[1] and bool(np.isclose(grid.spacing[0], grid.spacing[1], rtol=0.05))
    if axes[:2] == [0, 1] and square and not vectors:
        turn = {"_target_": "RandRotate90d", "keys": "$@active_tasks.spatial_keys", "prob": 0.5,
                "spatial_axes": [0, 1], "allow_missing_keys": True}  # fmt: skip
        steps.append(turn)
        choices.append(Choice("turns", "by 90 degrees", "patches and voxels are square there"))
    if not often:
        reason = f"each image is seen {passes:.0f} times, from {_OFTEN} on networks learn images by heart"
        choices.append(Choice("other changes", "none", reason))
        return Samples({"augment": steps}, choices)
    zoom = {"_target_": "RandZoomGeometryd", "tasks": "@active_tasks", "zoom": [0.8, 1.25], "continuous": True,
            "prob": 0.3}  # fmt: skip
    bright = {"_target_": "RandScaleIntensityd", "keys": "$@active_tasks.intensity_keys", "factors": 0.2, "prob": 0.3,
              "allow_missing_keys": True}  # fmt: skip
    reason = f"each image is seen {passes:.0f} times; restorations change with the image, other targets do not"
    choices.append(Choice("other changes", "zoom 0.8 to 1.25, brightness by 20 %", reason))
    return Samples({"augment": [*steps, zoom, bright]}, choices)


def choose_noise(denoise: Declared | None, sigma: float | None, intensities: Intensities) -> Samples:
    """The slots of noise: added to clean images, or blind spots of noisy ones."""
    empty: dict[str, Any] = {
        slot: [] for slot in ("degrade", "degrade_once", "val_degrade", "self_supervision", "val_self_supervision")
    }
    if denoise is None:
        return Samples(empty, [])
    name = denoise.name
    if sigma is not None:
        noise = {"_target_": "AddGaussianNoised", "keys": "image", "sigma": sigma}
        copied = {"_target_": "CopyItemsd", "keys": "image", "names": name}
        again = {**noise, "reproducible": True}
        return Samples({**empty, "targets": [copied], "degrade": [noise], "val_degrade": [again]}, [])
    hide = {"_target_": "MaskBlindSpotsd", "keys": "image", "target_keys": name, "fraction": 0.02, "window": 5,
            "structure": 1}  # fmt: skip
    again = {**hide, "reproducible": True}
    return Samples({**empty, "self_supervision": [hide], "val_self_supervision": [again]}, [])


def choose_sampler(data: FoundData, tasks: Sequence[Declared]) -> Samples:
    """Where few images have labels, half of what is seen has some."""
    names = [task.name for task in tasks if task.name in data.targets]
    labeled = sum(any(case.targets.get(name) is not None for name in names) for case in data.cases)
    if not names or not 0 < labeled < _FEW_LABELED * len(data.cases):
        return Samples({}, [])
    weights = f"$monai_mtunet.data.labeled_weights(@train_samples, {names!r})"
    sampler = {"_target_": "torch.utils.data.WeightedRandomSampler", "weights": weights,
               "num_samples": "$len(@train_samples)"}  # fmt: skip
    reason = f"{labeled} of {len(data.cases)} images have a target: half of what is seen has one"
    return Samples({"shuffle": False, "sampler": sampler}, [Choice("sampling", "labeled images more often", reason)])


def is_photograph(found: DataFingerprint, grid: Grid) -> bool:
    """Whether images are pictures in color."""
    first = found.cases[0]
    return grid.spatial_dims == 2 and len(first.channels) == _COLORS and first.dtype == "uint8"
