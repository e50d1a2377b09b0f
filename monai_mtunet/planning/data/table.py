"""A table of files and values: CSV or JSON, a line per case and a column per target."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.utils import ensure_tuple

from ...data import read_datalist
from ...data.datalist_file import IMAGE_KEY, LIST_ENDINGS, sections_of
from .case import DataCase, FoundData, Section
from .case_names import case_names, target_names
from .channel_names import channel_names
from .column import Column, read_column
from .dataset_json import DATASET_JSON

__all__ = ["GROUP_COLUMNS", "read_table"]

GROUP_COLUMNS = ("group", "patient", "patient_id", "subject", "subject_id", "fold")
_SECTIONS: dict[str, Section] = {
    **{"train": "train", "training": "train", "val": "val", "validation": "val", "test": "test", "testing": "test"},
}


def read_table(path: Path) -> FoundData | None:
    """Find the cases that a table lists, as `read_datalist` reads it.

    Of its columns "image" holds the images, several of that name their channels, "section" what cases are for, and
    `GROUP_COLUMNS` what belongs together; each other column is a target: files, numbers, or names of classes.

    Args:
        path: the file, or a folder that holds it, beside other files.

    Returns:
        Cases; None where a folder has no table with a column "image".

    Raises:
        ValueError: When the table cannot be read, a folder has two, or a column mixes files, numbers and text.
        FileNotFoundError: When files do not exist.
    """
    file = _table_in(path) if path.is_dir() else path
    if file is None:
        return None
    entries = list(_entries(file))
    images = [tuple(ensure_tuple(entry[IMAGE_KEY])) for _, entry in entries]
    if uneven := next((files for files in images if len(files) != len(images[0])), None):
        raise ValueError(
            f"{file}: {images[0][0]} has {len(images[0])} image file(s), {uneven[0]} {len(uneven)}: each is a channel, "
            "list as many for all."
        )
    group = next((name for name in GROUP_COLUMNS if any(name in entry for _, entry in entries)), None)
    columns = _columns(file, [entry for _, entry in entries], group)
    left_out = tuple((f"{file}, column {column.name!r}", column.unused) for column in columns.values() if column.unused)
    used = {name: column for name, column in columns.items() if not column.unused}
    cases = [
        DataCase(
            name,
            files,
            {target: column.values[number] for target, column in used.items()},
            None if group is None or entry.get(group) is None else str(entry[group]),
            section,
        )
        for number, (name, files, (section, entry)) in enumerate(zip(case_names(images), images, entries, strict=True))
    ]
    return FoundData(
        cases=tuple(sorted(cases, key=lambda case: case.name)),
        targets={name: column.kind for name, column in used.items() if column.kind},
        channels=channel_names(images),
        layout=f"the table {file.name}",
        labels={name: column.classes for name, column in used.items() if column.classes},
        left_out=left_out,
    )


def _table_in(folder: Path) -> Path | None:
    lists = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in LIST_ENDINGS and file.is_file()]
    tables = [file for file in lists if not file.name.startswith(".") and file.name != DATASET_JSON and _is_table(file)]
    if len(tables) > 1:
        raise ValueError(
            f'{folder} holds {len(tables)} tables with a column "{IMAGE_KEY}", '
            f"{', '.join(table.name for table in tables)}: give the path of one of them instead of the folder."
        )
    return tables[0] if tables else None


def _is_table(file: Path) -> bool:
    """Whether it names images; other lists may lie beside them."""
    try:
        sections = sections_of(file)
    except (OSError, ValueError):
        return False
    return any(isinstance(entry, dict) and entry.get(IMAGE_KEY) for entries in sections.values() for entry in entries)


def _entries(file: Path) -> list[tuple[Section | None, dict[str, Any]]]:
    sections = {name: entries for name, entries in sections_of(file).items() if entries}
    if unknown := [name for name in sections if name is not None and name not in _SECTIONS]:
        raise ValueError(
            f'{file} has the section {unknown[0]!r}, but sections are "train", "val" and "test": rename it. What '
            f'belongs together is told by a column "{GROUP_COLUMNS[0]}".'
        )
    if None in sections and len(sections) > 1:
        raise ValueError(f"{file}: only some lines have a section, fill in or empty that column for all of them.")
    found = [(name, entry) for name in sections or [None] for entry in read_datalist(file, name)]
    return [(None if name is None else _SECTIONS[name], entry) for name, entry in found]


def _columns(file: Path, entries: Sequence[Mapping[str, Any]], group: str | None) -> dict[str, Column]:
    keys = dict.fromkeys(key for entry in entries for key in entry if key not in (IMAGE_KEY, group))
    names = target_names(keys, os.fspath(file))
    return {names[key]: read_column(file, key, [entry.get(key) for entry in entries]) for key in keys}
