"""Which prediction belongs to which target."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monai.utils import ensure_tuple

from ..data import read_datalist
from ..data.file_names import stem_of
from ..files.folder_search import FolderSearch

__all__ = ["Case", "find_cases"]

_LISTS = (".json", ".csv", ".tsv")
_FIRST_CHANNEL = "_0000"  # how nnU-Net's images end, and its labels do not
_UNFINISHED = ".partial"


@dataclass
class Case:
    """One image: what was predicted for it, and what it should be.

    Args:
        name: path of its predictions below their folder, without task and ending.
        image: its first file, where a data list names it.
        predictions: files by task.
        targets: by task a file, or several that are its channels; of tasks of whole images values of a data list, too.
        without_target: tasks whose target a data list says to be missing.
    """

    name: str
    image: str | None = None
    predictions: dict[str, Path] = field(default_factory=dict)
    targets: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    without_target: frozenset[str] = frozenset()


def find_cases(folder: str | os.PathLike[str], targets: Sequence[str], tasks: Sequence[str]) -> list[Case]:
    """Find predictions and their targets.

    Args:
        folder: of predictions ``<name>_<task>`` and an ending, searched with all folders in it.
        targets: data lists, ``list.json`` or ``list.json#section``, with an image and a key per task; folders of files
            that are named as predictions are; or ``task=folder`` of files that are named as the images are.
        tasks: names of the tasks to look for.

    Returns:
        Every image with a prediction or a target, sorted by name; some may lack one or the other.

    Raises:
        FileNotFoundError: When there is no such folder or list.
        ValueError: When there is no prediction or no target at all, or two of one image and task.
    """
    cases = {case.name: case for case in _predictions(Path(folder), tasks)}
    predicted = set(cases)
    for source in targets:
        found = list(_targets(source, tasks))
        if not any(case.targets or case.without_target for case in found):
            raise ValueError(f"{source} holds no target of {' or '.join(tasks)}.")
        for target in found:
            name = _name_among(predicted, target.name)
            _join(cases.setdefault(name, Case(name)), target)
    return [cases[name] for name in sorted(cases)]


def _predictions(folder: Path, tasks: Sequence[str]) -> list[Case]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder: give the folder that predictions were written to.")
    cases: dict[str, Case] = {}
    for stem, task, path in _of_tasks(folder, tasks):
        other = cases.setdefault(stem, Case(stem)).predictions.setdefault(task, path)
        if other != path:
            raise ValueError(f"{other} and {path} are both the prediction of {task!r} for {stem}: remove one of them.")
    if not cases:
        raise ValueError(f"{folder} holds no prediction: no file's name ends in _{' or _'.join(tasks)}.")
    return list(cases.values())


def _targets(source: str, tasks: Sequence[str]) -> Iterator[Case]:
    task, _, of_task = source.partition("=")
    if Path(source).is_dir():
        for stem, name, path in _of_tasks(Path(source), tasks):
            yield Case(stem, targets={name: (str(path),)})
    elif task in tasks and Path(of_task).is_dir():
        for path in _files(Path(of_task)):
            yield Case(_stem(path, Path(of_task)), targets={task: (str(path),)})
    elif source.rpartition("#")[0].lower().endswith(_LISTS) or source.lower().endswith(_LISTS):
        yield from _of_list(source, tasks)
    else:
        raise FileNotFoundError(
            f"{source} is neither a data list, nor a folder of targets that are named as predictions are, nor "
            f"task=folder, of one of the tasks {', '.join(tasks)}, with targets that are named as images are."
        )


def _of_list(source: str, tasks: Sequence[str]) -> Iterator[Case]:
    file, _, section = source.rpartition("#") if not Path(source).is_file() else (source, "", "")
    for sample in read_datalist(file or source, section or None, keys=("image", *tasks)):
        image = ensure_tuple(sample["image"])[0]
        given = {task: sample[task] for task in tasks if task in sample}
        yield Case(
            os.path.join(os.path.dirname(image), stem_of(image)),
            image,
            targets={task: ensure_tuple(files) for task, files in given.items() if files is not None},
            without_target=frozenset(task for task, files in given.items() if files is None),
        )


def _of_tasks(folder: Path, tasks: Sequence[str]) -> Iterator[tuple[str, str, Path]]:
    """(name of the image, task, file) of the files whose names end in a task's."""
    for path in _files(folder):
        stem = _stem(path, folder)
        # The longest: "a_fine_segment" is of "fine_segment", where there is such a task.
        for task in sorted(tasks, key=len)[::-1]:
            if stem.endswith(f"_{task}"):
                yield stem.removesuffix(f"_{task}"), task, path
                break


def _files(folder: Path) -> list[Path]:
    images = [Path(file) for (file,) in FolderSearch().images(folder)]
    vectors = [path for path in folder.rglob("*.json") if not path.name.startswith(".")]
    return sorted(path for path in [*images, *vectors] if path.suffix != _UNFINISHED)


def _stem(path: Path, folder: Path) -> str:
    return os.path.normpath(path.relative_to(folder).parent / stem_of(str(path)))


def _name_among(predicted: Collection[str], name: str) -> str:
    """The prediction that a target's name, or its image's path, ends in: predictions keep the last folders of it."""
    parts = Path(name).parts
    tails = [os.path.join(*parts[start:]) for start in range(len(parts))]
    known = [tail + end for tail in tails for end in ("", _FIRST_CHANNEL) if tail + end in predicted]
    return known[0] if known else name


def _join(case: Case, target: Case) -> None:
    """Add what is known of targets."""
    for task, files in target.targets.items():
        other = case.targets.setdefault(task, files)
        if other != files:
            raise ValueError(f"{other[0]} and {files[0]} are both targets of {task!r} for {case.name}: give one.")
    case.image = target.image or case.image
    case.without_target |= target.without_target
