"""nnU-Net's raw data, version 2, and version 1 where its files are named as they are in version 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...data.file_names import stem_of
from ...files.folder_search import FolderSearch
from .case import DataCase, FoundData, Section, TargetKind
from .case_names import case_names
from .dataset_json import DATASET_JSON, declared_channels, declared_labels, read_dataset_json

__all__ = ["read_nnunet"]

_TARGET = "segment"
_LAYOUT = "nnU-Net"
_FIRST = "_0000"
_SECTIONS: tuple[tuple[str, str, Section], ...] = (("imagesTr", "labelsTr", "train"), ("imagesTs", "labelsTs", "test"))


def read_nnunet(path: Path) -> FoundData | None:
    """Find the cases of an nnU-Net folder.

    It holds ``dataset.json`` with "channel_names", "labels" and "file_ending", ``imagesTr/<case>_0000<ending>`` with a
    file per channel, and ``labelsTr/<case><ending>``; test cases, if any, in ``imagesTs`` (and ``labelsTs``). Instead
    "dataset" may list the files of each case. A label that is not there is missing.

    Args:
        path: the folder.

    Returns:
        Cases with the target "segment"; None where it is no such folder.

    Raises:
        ValueError: When ``dataset.json`` is incomplete, or there is no image.
        FileNotFoundError: When a case lacks a channel.
    """
    content = read_dataset_json(path)
    if content is None:
        return None
    if "channel_names" in content:
        names, ending = declared_channels(path, content, "channel_names"), content.get("file_ending")
    elif _is_version_1(path, content):
        names, ending = declared_channels(path, content, "modality"), ".nii.gz"
    else:
        return None
    if not isinstance(ending, str) or not ending.startswith("."):
        raise ValueError(f'{path / DATASET_JSON}: "file_ending" must be such as ".nii.gz", got {ending!r}: add it.')
    left_out: list[tuple[str, str]] = []
    cases = []
    for image_folder, label_folder, section in _SECTIONS:
        images = path / image_folder
        if section == "train" and isinstance(content.get("dataset"), dict):
            cases += _listed(path, content["dataset"], len(names))
        elif section == "train" or images.is_dir():
            cases += _in_folders(images, path / label_folder, section, len(names), ending, left_out)
    labels = declared_labels(path, content)
    return FoundData(
        cases=tuple(sorted(cases, key=lambda case: case.name)),
        targets={_TARGET: TargetKind.SEGMENTATION},
        channels=names,
        layout=_LAYOUT,
        labels={_TARGET: labels.classes},
        ignored={_TARGET: labels.ignored} if labels.ignored else {},
        left_out=tuple(left_out),
    )


def _is_version_1(path: Path, content: Mapping[str, Any]) -> bool:
    """Version 1 lists ``case.nii.gz`` as the Decathlon does, but has ``case_0000.nii.gz``."""
    listed = content.get("training")
    first = listed[0].get("image") if isinstance(listed, list) and listed and isinstance(listed[0], dict) else None
    if not isinstance(first, str) or (path / first).exists():
        return False
    file = path / first
    return (file.parent / f"{stem_of(file.name)}{_FIRST}.nii.gz").is_file()


def _in_folders(
    images: Path, labels: Path, section: Section, channels: int, ending: str, left_out: list[tuple[str, str]]
) -> list[DataCase]:
    if not images.is_dir():
        raise ValueError(f"{images} does not exist, though {DATASET_JSON} is nnU-Net's: put the images there.")
    search = FolderSearch([f"_{number:04d}" for number in range(channels)])
    found = search.images(images)
    expected = f"_0000{ending}" + (f" ... _{channels - 1:04d}{ending}" if channels > 1 else "")
    wrong = [str(file) for files in found for file in files if not file.endswith(ending)]
    left_out += [(file, f"its name does not end in {expected}") for file in [*map(str, search.left_out), *wrong]]
    kept = [files for files in found if not set(files) & set(wrong)]
    if not kept:
        other = next(iter([*search.left_out, *map(Path, wrong)]), None)
        holds = "is empty" if other is None else f"holds {other.name}"
        raise ValueError(f"{images} has no image that ends in {expected}; it {holds}: rename the files.")
    unused = set(map(str, labels.iterdir())) if labels.is_dir() else set()
    cases = []
    for name, files in zip(case_names(kept, _FIRST), kept, strict=True):
        label = str(labels / f"{name}{ending}")
        cases.append(DataCase(name, files, {_TARGET: label if label in unused else None}, section=section))
        unused.discard(label)
    alone = sorted(file for file in unused if not Path(file).name.startswith("."))
    left_out += [(file, f"{images.name} has no image of its name") for file in alone]
    return cases


def _listed(path: Path, listed: Mapping[str, Any], channels: int) -> list[DataCase]:
    cases = []
    for name, entry in listed.items():
        files = entry.get("images") if isinstance(entry, dict) else None
        if not isinstance(files, list) or len(files) != channels:
            raise ValueError(
                f'{path / DATASET_JSON}, "dataset", {name!r}: "images" must list a file for each of {channels} '
                f"channel(s), got {files!r}: correct it."
            )
        label = entry.get("label")
        absent = [str(path / file) for file in [*files, *([label] if label else [])] if not (path / file).exists()]
        if absent:
            raise FileNotFoundError(
                f'{path / DATASET_JSON}, "dataset", {name!r}: {absent[0]} does not exist: correct its path.'
            )
        images = tuple(str(path / file) for file in files)
        cases.append(DataCase(name, images, {_TARGET: str(path / label) if label else None}, section="train"))
    return cases
