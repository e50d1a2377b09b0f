"""The sections of a data list, as its file has them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from monai.utils import ensure_tuple

__all__ = ["FILE_NAME", "IMAGE_KEY", "LIST_ENDINGS", "sections_of"]

FILE_NAME = re.compile(r".*\.[A-Za-z]\w{0,9}")  # "a.nii.gz", not "case 7" or "2.5"
IMAGE_KEY = "image"
LIST_ENDINGS = (".json", ".csv", ".tsv")
_SECTION = "section"  # the column of a CSV list


def sections_of(file: Path) -> dict[str | None, list[Any]]:
    """The entries of a list by section; the section of a list without any is None.

    Raises:
        ValueError: When the list cannot be read; the message names it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix.lower() == ".json":
            return _sections_of_json(json.loads(text, object_pairs_hook=_without_repeated))
        if file.suffix.lower() in (".csv", ".tsv"):
            return _sections_of_csv(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"The data list {file} is no JSON: line {error.lineno}, {error.msg}. Correct it.") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"The data list {file} is not in UTF-8, save it as such: {error}.") from error
    except (ValueError, csv.Error) as error:
        raise ValueError(f"The data list {file} cannot be read: {error}") from error
    raise ValueError(f"The data list {file} must be JSON or CSV, and its name must end in .json, .csv or .tsv.")


def _without_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"{repeated} stand twice in one pair of braces, where only the last would count: remove one.")
    return dict(pairs)


def _sections_of_json(content: Any) -> dict[str | None, list[Any]]:
    if isinstance(content, list):
        return {None: content}
    if not isinstance(content, dict):
        raise ValueError('it must hold {"train": [{"image": ...}, ...], "val": [...]}, or one list of samples.')
    return {name: value for name, value in content.items() if isinstance(value, list) and _are_samples(value)}


def _are_samples(values: list[Any]) -> bool:
    """Whether a list holds samples or files; lists beside the sections may hold words, such as names of classes."""
    first = values[0] if values else {}
    return isinstance(first, dict | list) or (isinstance(first, str) and bool(FILE_NAME.fullmatch(first)))


def _sections_of_csv(text: str) -> dict[str | None, list[Any]]:
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)  # some spreadsheets write ; or tabs
    header, *rows = [row for row in csv.reader(text.splitlines(), delimiter=separator) if any(map(str.strip, row))]
    names = [name.strip() for name in header]
    sections: dict[str | None, list[Any]] = {}
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"{row} has {len(row)} cells, the first line names {len(names)} columns: correct it.")
        entry: dict[str, Any] = {}
        for name, cell in zip(names, row, strict=True):
            value = _as_value(name, cell.strip())
            if name:  # some programs number the lines in a column without a name
                entry[name] = [*ensure_tuple(entry[name]), value] if name in entry else value
        section = entry.pop(_SECTION, None)
        # Neither file of several: missing, as one empty cell is.
        sample = {key: None if isinstance(value, list) and not any(value) else value for key, value in entry.items()}
        sections.setdefault(section, []).append(sample)
    return sections


def _as_value(name: str, cell: str) -> Any:
    if not cell:
        return None
    if name not in (IMAGE_KEY, _SECTION) and "_" not in cell:  # Python takes 1_2 for 12
        for number in (int, float):
            try:
                return number(cell)
            except ValueError:
                pass
    return cell
