"""Plain folders: one of images, and one beside it for each target."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ...data.file_names import stems_below
from ...files.folder_search import FolderSearch
from .case import DataCase, FoundData, Section
from .case_names import target_names
from .channel_names import channel_names
from .matching import match_names

__all__ = ["IMAGE_FOLDERS", "read_folders"]

IMAGE_FOLDERS = ("images", "image", "imgs", "img", "inputs", "input", "noisy")
_SECTIONS: dict[str, Section] = {
    **{"train": "train", "training": "train", "val": "val", "validation": "val", "test": "test", "testing": "test"},
}
_LABEL_ENDINGS = ("_mask", "_masks", "_label", "_labels", "_seg", "_segmentation", "_gt", "_annotation")
_LAYOUT = "plain folders"


class _Files(NamedTuple):
    """Of one part of the data, such as a section: what each image and each target's file is called."""

    section: Section | None
    images: dict[str, str]
    targets: dict[str, dict[str, str]]


def read_folders(path: Path) -> FoundData | None:
    """Find images in ``images/`` and their targets in all other folders beside it, ``labels/``, ``depth/``, ``clean/``.

    A target's file has its image's stem, and lies in a folder of the same name within, if in any: ``images/a/1.jpg``
    and ``labels/a/1.png``. Where none has, endings that all stems of a folder share are left out, "1_mask". A file that
    is not there is a missing target. ``train/``, ``val/`` and ``test/`` are sections, around these folders or within
    each of them. Other folders within are groups. Images without any target are found as well, in ``images/`` alone
    or in a folder that holds nothing else.

    Args:
        path: the folder.

    Returns:
        Cases; None where there is no folder of images.

    Raises:
        ValueError: When two folders could hold the images, two files are one image or one target of it, or no file of a
            target has the name of an image.
    """
    if not path.is_dir():
        return None
    left_out: list[tuple[str, str]] = []
    parts = list(_parts(path, left_out))
    if not parts:
        return _images_alone(path)
    folders = dict.fromkeys(name for part in parts for name in part.targets)
    names = target_names(folders, str(path))
    cases = [case for part in parts for case in _cases(part, names)]
    images = [case.images for case in cases]
    return FoundData(_grouped(cases), {}, channel_names(images), _LAYOUT, left_out=tuple(left_out))


def _parts(path: Path, left_out: list[tuple[str, str]]) -> Iterator[_Files]:
    if _image_folder(path):
        yield _read_part(path, None, left_out)
        return
    for folder in _folders_in(path):
        section = _SECTIONS.get(folder.name.lower())
        if section is not None and _image_folder(folder):
            yield _read_part(folder, section, left_out)


def _folders_in(path: Path) -> list[Path]:
    return [entry for entry in sorted(path.iterdir()) if entry.is_dir() and not entry.name.startswith((".", "__"))]


def _image_folder(path: Path) -> Path | None:
    found = [folder for folder in _folders_in(path) if folder.name.lower() in IMAGE_FOLDERS]
    if len(found) > 1:
        raise ValueError(
            f"{path}: {' and '.join(folder.name for folder in found)} could both hold the images: rename those that "
            'hold targets, such as to "clean", or move them away.'
        )
    return found[0] if found else None


def _read_part(path: Path, section: Section | None, left_out: list[tuple[str, str]]) -> _Files:
    folder = _image_folder(path)
    assert folder is not None
    images = _names(folder, left_out)
    if not images:
        raise ValueError(f"{folder} holds no image: put the images there.")
    targets = {}
    for other in _folders_in(path):
        if other == folder:
            continue
        for target, found in _target_folders(other, images, left_out):
            matched = match_names(folder, images, target, found)
            targets[target.name] = matched.by_image
            left_out += [(file, f"{folder.name} has no image of its name") for file in matched.alone]
    return _Files(section, images, targets)


def _target_folders(
    folder: Path, images: Mapping[str, str], left_out: list[tuple[str, str]]
) -> list[tuple[Path, dict[str, str]]]:
    """The folder, or those in it where it has files of images' names only within: ``annotations/trimaps/``."""
    names = _names(folder, left_out)
    if not names:
        left_out.append((str(folder), "it holds no image, and so no target"))
        return []
    within = {inner: _names(inner, []) for inner in _folders_in(folder)}
    if not images.keys() & names.keys() and any(images.keys() & found.keys() for found in within.values()):
        return [(inner, found) for inner, found in within.items() if found]
    return [(folder, names)]


def _names(folder: Path, left_out: list[tuple[str, str]]) -> dict[str, str]:
    """Files by their names below the folder."""
    search = FolderSearch()
    files = [file for (file,) in search.images(folder)]
    left_out += [(str(file), "it is no image") for file in search.left_out]
    names: dict[str, str] = {}
    for file, name in stems_below(files, [str(folder)]).items():
        if (other := names.setdefault(name, file)) != file:
            raise ValueError(
                f"{other} and {Path(file).name} are both called {name!r}, so that it is not known which one belongs to "
                "the others of that name: rename one, or move it away."
            )
    return names


def _cases(part: _Files, names: Mapping[str, str]) -> Iterator[DataCase]:
    within = {Path(name).parts[0].lower() for name in part.images}
    in_sections = part.section is None and within <= set(_SECTIONS) and all(len(Path(n).parts) > 1 for n in part.images)
    for name, file in part.images.items():
        first, *rest = Path(name).parts
        section = _SECTIONS[first.lower()] if in_sections else part.section
        folder = os.path.join("", *(rest if in_sections else [first, *rest])[:-1])
        targets = {names[target]: part.targets.get(target, {}).get(name) for target in names}
        yield DataCase(name, (file,), targets, folder or None, section)


def _grouped(cases: list[DataCase]) -> tuple[DataCase, ...]:
    """Sorted; one group is none. Names in folders of sections begin with the section."""
    alone = len({case.group for case in cases}) == 1
    repeated = len({case.name for case in cases}) < len(cases)
    made = (
        DataCase(
            f"{case.section}/{case.name}" if repeated else case.name,
            case.images,
            case.targets,
            None if alone else case.group,
            case.section,
        )
        for case in cases
    )
    return tuple(sorted(made, key=lambda case: case.name))


def _images_alone(path: Path) -> FoundData | None:
    """A folder of images, and nothing else."""
    search = FolderSearch()
    own = search.among(entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if not own or any(search.images(folder) for folder in _folders_in(path)):
        return None
    left_out: list[tuple[str, str]] = []
    names = _names(path, left_out)
    beside = [
        name for name in names if any(name.removesuffix(end) in names for end in _LABEL_ENDINGS if name.endswith(end))
    ]
    if beside:
        raise ValueError(
            f"{path} holds {Path(names[beside[0]]).name}, which looks like a target, among the images: move images "
            'into a folder "images", and targets into another beside it, such as "labels".'
        )
    cases = tuple(DataCase(name, (file,), {}) for name, file in sorted(names.items()))
    return FoundData(
        cases, {}, channel_names([case.images for case in cases]), "a folder of images", left_out=tuple(left_out)
    )
