"""Tasks of targets that are numbers of classes or objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..data.case import FoundData
from ..fingerprint import DataFingerprint
from .declared import Declared

__all__ = ["classification", "colored_segmentation", "edges", "instances", "segmentation"]

_MISSING = 255
_DICE_LOSS = {"_target_": "MissingAwareSegmentationLoss", "lambda_dice": 1.0}
_DEEPEST = 10.0  # voxels: distances are limited to it
_WHY_DICE = "cross-entropy and Dice, which does not lose small classes, as nnU-Net's"


def segmentation(name: str, data: FoundData, found: DataFingerprint) -> Declared:
    """Classes are those that the data declare, or else the numbers in the files; 255 is missing unless alone with 0."""
    numbers = _declared(data.labels.get(name, {}))
    counts = found.label_counts(name)
    if not numbers:
        seen = sorted(map(int, counts))
        kept = seen if seen == [0, _MISSING] else [number for number in seen if number != _MISSING]
        names = [_class_name(number, kept) for number in kept]
        numbers = {one: (number,) for one, number in zip(names, kept, strict=True)}
    if len(numbers) < 2:
        raise ValueError(
            f"{name}: files hold {', '.join(counts) or 'no label'}, which is one class: a segmentation needs two. "
            "Leave the target out (--tasks), or correct its files."
        )
    task = _segmentation_task(name, list(numbers))
    if list(numbers.values()) != [(number,) for number in range(len(numbers))]:
        task["labels"] = [list(some) if len(some) > 1 else some[0] for some in numbers.values()]
    if data.ignored.get(name):
        task["ignored_labels"] = list(data.ignored[name])
    shares = ", ".join(f"{one} {_share(some, counts):.2%}" for one, some in list(numbers.items())[:8])
    reason = f"{len(numbers)} classes ({shares}{', ...' if len(numbers) > 8 else ''}); {_WHY_DICE}"
    return Declared([task], f"{name}_dice", reason, classes=len(numbers))


def colored_segmentation(name: str, found: DataFingerprint) -> Declared:
    """Classes are the colors in the files, the most frequent first."""
    counts = found.label_counts(name)
    colors = [tuple(map(int, color.split())) for color, _ in counts.most_common()]
    names = [f"color_{red}_{green}_{blue}" for red, green, blue in colors]
    listed = [list(color) for color in colors]
    task = {**_segmentation_task(name, names), "palette": listed}
    decode = {"_target_": "ColorsToClassesd", "keys": name, "colors": listed, "allow_missing_keys": True}
    reader = {"_target_": "PictureReader", "mode": "RGB"}
    reason = f"{len(colors)} colors, the most frequent first: name them; {_WHY_DICE}"
    return Declared([task], f"{name}_miou", reason, reader, [decode], classes=len(colors))


def instances(name: str, taken: Sequence[str]) -> Declared:
    """Objects are divided by how deep voxels are in them: a segmentation and a distance are learned."""
    segment, distance = (one if one not in taken else f"{name}_{one}" for one in ("segment", "distance"))
    tasks = [
        _segmentation_task(segment, ["background", "object"]),
        {"_target_": "DistanceTask", "name": distance, "unit": "voxel", "signed": False, "truncate": _DEEPEST,
         "scale": _DEEPEST / 2},
        {"_target_": "InstanceTask", "name": name, "segment": segment, "distance": distance, "prominence": 0.5,
         "smoothing": 1.0, "min_size": 16},
    ]  # fmt: skip
    make = [
        {"_target_": "CopyItemsd", "keys": name, "names": segment, "allow_missing_keys": True},
        {"_target_": "AsDiscreted", "keys": segment, "threshold": 1, "dtype": "$torch.int16",
         "allow_missing_keys": True},
        {"_target_": "DistanceMapd", "keys": name, "new_keys": distance, "truncate": _DEEPEST,
         "allow_missing_keys": True},
    ]  # fmt: skip
    reason = "objects are divided by a watershed of how deep voxels are in them: object or not, and depth, are learned"
    return Declared(tasks, f"{name}_pq", reason, make=make)


def edges(name: str, found: DataFingerprint) -> Declared:
    """Edges are 1; of masks 255 is 1."""
    task = {"_target_": "EdgeTask", "name": name, "tolerance": 1}
    highest = max((one.get("max", 0.0) for one in found.target_channels(name)), default=0.0)
    decode = {"_target_": "MapLabelValued", "keys": name, "orig_labels": [0, _MISSING], "target_labels": [0, 1],
              "dtype": "$torch.int16", "allow_missing_keys": True}  # fmt: skip
    reason = "class-balanced cross-entropy; measured by F, places within one voxel are equal"
    return Declared([task], f"{name}_f", reason, decode=[decode] if highest == _MISSING else [])


def classification(name: str, data: FoundData, found: DataFingerprint) -> Declared:
    """One class per image."""
    numbers = [number for case in found.cases if (number := case.targets.get(name)) is not None]
    declared = sorted(data.labels.get(name, {}).items(), key=lambda item: item[1])
    names = [one for one, _ in declared] or [f"class_{number}" for number in range(int(max(numbers)) + 1)]
    task = {"_target_": "ClassificationTask", "name": name, "classes": names}
    return Declared([task], f"{name}_accuracy", f"{len(names)} classes of whole images", has_vector=True)


def _segmentation_task(name: str, classes: list[str]) -> dict[str, Any]:
    return {"_target_": "SegmentationTask", "name": name, "classes": classes, "dice": True, "loss": dict(_DICE_LOSS)}


def _declared(labels: Mapping[str, int | tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Numbers by class, each number in one class: of regions that overlap, such as nnU-Net's, the last that has it."""
    given = {one: number if isinstance(number, tuple) else (number,) for one, number in labels.items()}
    owner = {number: one for one, some in given.items() for number in some}
    kept = {one: tuple(number for number in some if owner[number] == one) for one, some in given.items()}
    return {one: some for one, some in kept.items() if some}


def _class_name(number: int, all_numbers: Sequence[int]) -> str:
    if number == 0:
        return "background"
    return "foreground" if len(all_numbers) == 2 else f"label_{number}"


def _share(numbers: tuple[int, ...], counts: Mapping[str, int]) -> float:
    return sum(counts[str(number)] for number in numbers) / max(1, sum(counts.values()))
