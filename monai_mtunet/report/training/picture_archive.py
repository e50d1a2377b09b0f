"""Pictures of some cases in one file, as they stand on the page."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...files.replacing import replacing
from ..pictured_case import PicturedCase

__all__ = ["PictureArchive", "read_pictures", "write_pictures"]

_INDEX = "index.json"


@dataclass(frozen=True)
class PictureArchive:
    """Cases, and what their colors mean.

    Args:
        epoch: whose checkpoint predicted them.
        cases: the pictured ones.
        legend: ``[[text, [red, green, blue]], ...]``.
        bars: scales of values, ``[[label, low, high, [color, ...]], ...]``.
    """

    epoch: int
    cases: Sequence[PicturedCase]
    legend: Sequence[Any] = ()
    bars: Sequence[Any] = ()


def write_pictures(path: Path, archive: PictureArchive) -> None:
    """Write a zip file of all pictures, with an index."""
    index: dict[str, Any] = {"epoch": archive.epoch, "legend": archive.legend, "bars": archive.bars, "cases": []}
    with replacing(path) as made, zipfile.ZipFile(made, "w") as file:
        for case in archive.cases:
            names = []
            for number, row in zip(case.numbers, case.pictures, strict=True):
                names.append([
                    f"{case.role}/{number:04d}_{column}.{ending}"
                    for column, (ending, _) in zip(_file_names(case.columns), row, strict=True)
                ])  # fmt: skip
                for name, (_, content) in zip(names[-1], row, strict=True):
                    file.writestr(name, content)
            index["cases"].append(asdict(case) | {"pictures": names})
        file.writestr(_INDEX, json.dumps(index, indent=1, ensure_ascii=False))


def _file_names(columns: Sequence[str]) -> list[str]:
    return [column.replace(": ", "_") for column in columns]


def read_pictures(path: Path) -> PictureArchive | None:
    """Read what :func:`write_pictures` wrote; None where there is no such file."""
    if not path.is_file():
        return None
    with zipfile.ZipFile(path) as file:
        index = json.loads(file.read(_INDEX))
        cases = []
        for entry in index.pop("cases"):
            names = entry.pop("pictures")
            pictures = [[(name.rpartition(".")[2], file.read(name)) for name in row] for row in names]
            cases.append(PicturedCase(**entry, pictures=pictures))
    return PictureArchive(cases=cases, **index)
