"""What is in a user's folder of data, whatever its layout."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...data.datalist_file import IMAGE_KEY, LIST_ENDINGS
from .case import DataCase, FoundData, TargetKind
from .case_names import target_name
from .dataset_json import DATASET_JSON
from .decathlon import read_decathlon
from .folders import read_folders
from .infer_kind import infer_kind
from .nnunet import read_nnunet
from .table import read_table

__all__ = ["find_data"]

_SHOWN = 5


def find_data(path: str | os.PathLike[str], tasks: Mapping[str, TargetKind | str] | None = None) -> FoundData:
    """Find cases and targets, and tell what each target is.

    Layouts are nnU-Net's raw data, the Medical Segmentation Decathlon's, a table (CSV, TSV or JSON), plain folders,
    ``images/`` and ``labels/`` and the like, and a folder of images alone. Nothing is written, and of images and
    targets a few are read.

    Args:
        path: the folder, or the table.
        tasks: of targets what they are, ``{"labels": "segmentation"}``; those that are not named are looked into.

    Returns:
        All cases, sorted by name, with the kind of every target.

    Raises:
        FileNotFoundError: When the path or a listed file does not exist.
        ValueError: When nothing is found, two layouts are possible, names do not match, or it cannot be told what a
            target is. The message names the folder or file, what was found, and what to do.
        OSError: When none of a target's files that were tried can be read.

    Example:
        >>> found = find_data("my_data", {"labels": "segmentation"})
        >>> found.layout, found.targets
        ('plain folders', {'labels': <TargetKind.SEGMENTATION: 'segmentation'>})
    """
    place = Path(os.path.abspath(Path(path).expanduser()))
    if not place.exists():
        raise FileNotFoundError(f"{path} does not exist: give the folder of your data, or the table that lists them.")
    found = _read(place.parent if place.name == DATASET_JSON else place)
    _check_names(place, found)
    return _with_kinds(place, found, tasks or {})


def _read(place: Path) -> FoundData:
    if place.is_file():
        if not place.name.lower().endswith(LIST_ENDINGS):
            raise ValueError(f"{place} is no table ({', '.join(LIST_ENDINGS)}): give the folder that it lies in.")
        table = read_table(place)
        assert table is not None
        return table
    declared = read_nnunet(place) or read_decathlon(place)  # by one file, which is either's
    found = [data for data in (declared, read_table(place), read_folders(place)) if data is not None]
    if not found:
        raise ValueError(_nothing_found(place))
    if len(found) > 1:
        layouts = [data.layout for data in found]
        raise ValueError(
            f"{place} can be read as {' and as '.join(layouts)}: give the table's own path to take it, or move it, or "
            f"{DATASET_JSON}, out of the folder."
        )
    return found[0]


def _nothing_found(place: Path) -> str:
    entries = [entry.name for entry in sorted(place.iterdir()) if not entry.name.startswith(".")]
    if not entries:
        return f"{place} is empty: give the folder of your data."
    some = ", ".join(entries[:_SHOWN]) + (", ..." if len(entries) > _SHOWN else "")
    if "imagesTr" in entries:
        return (
            f"{place} has imagesTr, but no {DATASET_JSON} with channels and labels: add nnU-Net's or the Decathlon's, "
            'or rename the folders to "images" and "labels".'
        )
    lists = [name for name in entries if name.lower().endswith(LIST_ENDINGS)]
    table = f" {lists[0]} is not taken for a table, as it cannot be read or has no {IMAGE_KEY!r}." if lists else ""
    return (
        f'{place} holds {some}, but no data that are known.{table} Put images into a folder "images", and each '
        'target into a folder beside it, such as "labels", with files of the same names; or list them in a table '
        f'(CSV or JSON) with a column "{IMAGE_KEY}" and one for each target.'
    )


def _check_names(place: Path, found: FoundData) -> None:
    if not found.cases:
        raise ValueError(f"{place}, {found.layout}: there is no case: add some.")
    images: dict[str, str] = {}
    for case in found.cases:
        if (other := images.setdefault(case.name, case.images[0])) is not case.images[0]:
            what = f"{other} and {case.images[0]} are" if other != case.images[0] else f"{other} is in two sections,"
            raise ValueError(f"{place}: {what} one case, {case.name!r}: rename or remove one of them.")


def _with_kinds(place: Path, found: FoundData, tasks: Mapping[str, TargetKind | str]) -> FoundData:
    names = list(dict.fromkeys(name for case in found.cases for name in case.targets))
    named = {target_name(name): _kind(name, kind) for name, kind in tasks.items()}
    if unknown := [name for name in named if name not in names]:
        there = ", ".join(names) or "none"
        raise ValueError(
            f"{place}, {found.layout}, has no target {unknown[0]!r}; there are: {there}. Correct its name."
        )
    cases, left_out = _without_empty(found, names, place)
    kept = [name for name in names if any(name in case.targets for case in cases)]
    targets = {}
    for name in kept:
        if name in named:
            _check_kind(place, name, named[name], cases)
        targets[name] = named.get(name) or found.targets.get(name) or infer_kind(name, cases)
    return replace(found, cases=cases, targets=targets, left_out=left_out)


def _without_empty(
    found: FoundData, names: list[str], place: Path
) -> tuple[tuple[DataCase, ...], tuple[tuple[str, str], ...]]:
    """Leave out targets that no case has."""
    counts = Counter(name for case in found.cases for name, target in case.targets.items() if target is not None)
    empty = [name for name in names if not counts[name]]
    cases = tuple(
        replace(case, targets={name: target for name, target in case.targets.items() if name not in empty})
        for case in found.cases
    )
    return cases, (*found.left_out, *((str(place), f"no case has the target {name!r}") for name in empty))


def _kind(name: str, kind: TargetKind | str) -> TargetKind:
    try:
        return TargetKind(kind)
    except ValueError:
        kinds = ", ".join(one.value for one in TargetKind)
        raise ValueError(f"{name!r} cannot be {kind!r}: say one of {kinds}.") from None


def _check_kind(place: Path, name: str, kind: TargetKind, cases: tuple[DataCase, ...]) -> None:
    target = next(target for case in cases if (target := case.targets.get(name)) is not None)
    first = target[0] if isinstance(target, tuple) else target
    in_files = isinstance(first, str)
    if kind.is_dense != in_files:
        holds = f"files, such as {first}" if in_files else f"numbers, such as {target}"
        fits = ", ".join(one.value for one in TargetKind if one.is_dense == in_files)
        raise ValueError(f"{place}: {name!r} holds {holds}, which cannot be {kind.value!r}: say one of {fits}.")
