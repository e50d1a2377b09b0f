"""What validation measured, read from its tables."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...engines.handlers.tables.best_tables import EPOCH_FILE

__all__ = ["Case", "Confusion", "Measured", "read_measured"]


@dataclass(frozen=True)
class Case:
    """An image and its metrics, NaN where it has no target."""

    name: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Confusion:
    """How often each class is taken for each.

    Args:
        classes: their names.
        counts: of the pairs (true, predicted) that occur.
    """

    classes: Sequence[str]
    counts: Mapping[tuple[str, str], int]

    def share(self, true: str, predicted: str) -> float:
        """Of what is one class, the part that is taken for another, 0..1; NaN where the class does not occur."""
        occurs = sum(count for (one, _), count in self.counts.items() if one == true)
        return self.counts.get((true, predicted), 0) / occurs if occurs else math.nan

    def most(self, count: int) -> list[tuple[str, str, int]]:
        """The pairs of different classes that occur most."""
        pairs = [(*pair, number) for pair, number in self.counts.items() if pair[0] != pair[1] and number]
        return sorted(pairs, key=lambda pair: -pair[2])[:count]


@dataclass(frozen=True)
class Measured:
    """The tables of one validation.

    Args:
        metrics: of all images.
        cases: the worst by the key metric first, those without one last.
        confusions: by task.
        epoch: which validation it is; None for the last one, of which that is not written.
        key_metric: what decides which epoch is best; None where that is not written.
        errors: metrics of which less is better.
        tasks: their names; empty where they are not written.
        order: the names of the cases in the order of the data.
        processes: how many measured them together.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    cases: Sequence[Case] = ()
    confusions: Mapping[str, Confusion] = field(default_factory=dict)
    epoch: int | None = None
    key_metric: str | None = None
    errors: Sequence[str] = ()
    tasks: Sequence[str] = ()
    order: Sequence[str] = ()
    processes: int = 1

    def chosen(self) -> dict[str, Case]:
        """The best, the median and the worst case by the key metric; of fewer than three cases fewer."""
        key = self.key_metric
        ranked = [case for case in self.cases if not math.isnan(case.metrics.get(key or "", math.nan))]
        if not ranked:
            return {}
        by_role = {"best": ranked[-1], "worst": ranked[0], "median": ranked[len(ranked) // 2]}
        names: dict[str, Case] = {}
        for role, case in by_role.items():
            if case not in names.values():
                names[role] = case
        return {role: names[role] for role in ("best", "median", "worst") if role in names}


def read_measured(folder: Path) -> Measured:
    """Read the tables of the best epoch, or those of the last one where no epoch is the best.

    Args:
        folder: ``validation`` of a training.
    """
    best = folder / "best"
    if (best / EPOCH_FILE).is_file():
        about = json.loads((best / EPOCH_FILE).read_text(encoding="utf-8"))
        return Measured(
            *_tables(best), about["epoch"], about["key_metric"], tuple(about["errors"]), tuple(about["tasks"]),
            tuple(about["cases"]), about["processes"],
        )  # fmt: skip
    return Measured(*_tables(folder))


def _tables(folder: Path) -> tuple[dict[str, float], list[Case], dict[str, Confusion]]:
    metrics = {name: float(value) for name, value in _rows(folder / "metrics.csv")}
    header, *rows = _rows(folder / "cases.csv") or [[]]
    cases = [
        Case(name, {metric: float(cell or "nan") for metric, cell in zip(header[1:], cells, strict=True)})
        for name, *cells in rows
    ]
    prefix = "confusion_"
    confusions = {
        path.stem.removeprefix(prefix): _confusion(_rows(path)[1:]) for path in sorted(folder.glob(f"{prefix}*.csv"))
    }
    return metrics, cases, confusions


def _rows(path: Path) -> list[list[str]]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.reader(file) if row]


def _confusion(rows: Sequence[Sequence[str]]) -> Confusion:
    classes = tuple(true for true, predicted, _ in rows if true == predicted)
    return Confusion(classes, {(true, predicted): int(count) for true, predicted, count in rows})
