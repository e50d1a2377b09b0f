"""A column of a table: files, numbers, boxes, or names of classes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from monai.utils import ensure_tuple

from .case import Target, TargetKind

__all__ = ["Column", "read_column"]

_BOX_LENGTHS = (4, 6)  # where it starts and stops along two or three axes
_MOST_CLASSES = 1000
_CASES_PER_CLASS = 2  # at least, on average: numbers and texts that do not recur are no classes


class Column(NamedTuple):
    """One target of all cases.

    Args:
        name: the column's.
        values: one per case, None where it is missing.
        kind: None for files, which must be looked into.
        classes: numbers of named classes.
        unused: why it is no target; "" where it is one.
    """

    name: str
    values: tuple[Target, ...]
    kind: TargetKind | None = None
    classes: dict[str, int | tuple[int, ...]] = {}  # noqa: RUF012 - never changed
    unused: str = ""


def read_column(file: Path, name: str, cells: Sequence[Any]) -> Column:
    """Tell what a column holds.

    Whole numbers that recur are classes, others a number to be predicted; texts that recur are classes, numbered in
    alphabetical order, and others are no target.

    Args:
        file: the table, for messages.
        name: of the column.
        cells: one per case, as `read_datalist` gives them: files are absolute paths.

    Raises:
        ValueError: When it mixes files, numbers and text.
    """
    given = [cell for cell in cells if cell is not None]
    kinds = {_kind_of(cell): cell for cell in given}
    if len(kinds) > 1:
        (first, one), (second, other), *_ = kinds.items()
        raise ValueError(
            f"{file}, column {name!r} holds a {first}, {one!r}, and a {second}, {other!r}: give files, numbers or "
            "names of classes, and leave a cell empty where there is no target."
        )
    kind = next(iter(kinds), "nothing")
    if kind == "file":
        return Column(name, tuple(_as_files(cell) for cell in cells))
    if kind == "number":
        of_classes = all(float(cell).is_integer() and cell >= 0 for cell in given) and _recur(given)
        values = tuple(None if cell is None else int(cell) if of_classes else float(cell) for cell in cells)
        return Column(name, values, TargetKind.CLASS if of_classes else TargetKind.NUMBER)
    if kind == "box":
        return Column(name, tuple(None if cell is None else tuple(map(float, cell)) for cell in cells), TargetKind.BOX)
    if kind == "text" and _recur(given):
        numbers = {text: number for number, text in enumerate(sorted(set(given)))}
        values = tuple(None if cell is None else numbers[cell] for cell in cells)
        return Column(name, values, TargetKind.CLASS, {**numbers})
    if kind == "text":
        return Column(name, (), unused="it names neither files that exist, nor classes, which recur")
    return Column(name, (), unused=f"it holds {'nothing' if kind == 'nothing' else f'values such as {given[0]!r}'}")


def _kind_of(cell: Any) -> str:
    if isinstance(cell, (bool, int, float)):
        return "number"
    items = ensure_tuple(cell)
    if items and all(isinstance(item, str) for item in items):
        return "file" if all(os.path.isabs(item) for item in items) else "text" if len(items) == 1 else "list of texts"
    if len(items) in _BOX_LENGTHS and all(isinstance(item, (int, float)) for item in items):
        return "box"
    return "value"


def _as_files(cell: Any) -> Target:
    return None if cell is None else cell if isinstance(cell, str) else tuple(cell)


def _recur(values: Sequence[Any]) -> bool:
    distinct = len(set(values))
    return distinct <= 2 or (distinct <= _MOST_CLASSES and len(values) >= _CASES_PER_CLASS * distinct)
