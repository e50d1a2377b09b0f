"""A task of the Medical Segmentation Decathlon, or data laid out as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monai.utils import ensure_tuple

from ...data import read_datalist
from .case import DataCase, FoundData, Section, TargetKind
from .case_names import case_names
from .dataset_json import DATASET_JSON, declared_channels, declared_labels, read_dataset_json

__all__ = ["read_decathlon"]

_TARGET = "segment"
_SPLITS = "splits.json"  # as `decathlon_datalist` reads it
_SECTIONS: dict[str, Section] = {"training": "train", "validation": "val", "test": "test"}


def read_decathlon(path: Path) -> FoundData | None:
    """Find the cases of a Decathlon folder.

    It holds ``dataset.json`` with "modality", "labels" and the list "training" of images and labels, and "test" of
    images. Images are 3D, or 4D with the channels last. ``splits.json`` with "folds", as `decathlon_datalist` takes it,
    says which cases are of one group.

    Args:
        path: the folder.

    Returns:
        Cases with the target "segment"; None where it is no such folder.

    Raises:
        ValueError: When ``dataset.json`` or ``splits.json`` is wrong.
        FileNotFoundError: When images or labels of training cases do not exist.
    """
    content = read_dataset_json(path)
    if content is None or not isinstance(content.get("training"), list):
        return None
    entries: list[tuple[Section, dict[str, Any]]] = []
    left_out: list[tuple[str, str]] = []
    for key, section in _SECTIONS.items():
        if not content.get(key) and key != "training":
            continue
        try:
            found = read_datalist(path / DATASET_JSON, key)
        except FileNotFoundError as error:
            if section != "test":
                raise
            left_out.append((str(path / DATASET_JSON), f"its test images are not there: {error}"))
        else:
            entries += [(section, entry) for entry in found]
    images = [tuple(ensure_tuple(entry["image"])) for _, entry in entries]
    names = case_names(images)
    groups = _groups(path / _SPLITS, names)
    cases = [
        DataCase(name, files, {_TARGET: entry.get("label")}, groups.get(name), section)
        for name, files, (section, entry) in zip(names, images, entries, strict=True)
    ]
    labels = declared_labels(path, content)
    return FoundData(
        cases=tuple(sorted(cases, key=lambda case: case.name)),
        targets={_TARGET: TargetKind.SEGMENTATION},
        channels=declared_channels(path, content, "modality"),
        layout="Medical Segmentation Decathlon",
        labels={_TARGET: labels.classes},
        ignored={_TARGET: labels.ignored} if labels.ignored else {},
        left_out=tuple(left_out),
    )


def _groups(splits: Path, names: list[str]) -> dict[str, str]:
    if not splits.is_file():
        return {}
    try:
        folds = [set(map(str, fold)) for fold in json.loads(splits.read_text(encoding="utf-8-sig"))["folds"]]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f'{splits} must hold {{"folds": [["001", "004"], ["002"], ...]}}: correct it.') from error
    return {
        name: f"fold{number}"
        for name in names
        for number, fold in enumerate(folds)
        if fold & {name, name.rpartition("_")[2]}
    }
