"""What an evaluation found, in files and in words."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from ..bundle.output_folder import make_output_folder
from ..files.replacing import replacing
from .evaluate import Evaluation

__all__ = ["prepare_folder", "summary", "write_reports"]

_REPORTS = ("metrics.csv", "cases.csv", "evaluation.json")
_TOLD = 5  # of each kind of trouble; the files tell all


def write_reports(evaluation: Evaluation, folder: Path, errors: Collection[str] = ()) -> None:
    """Write ``metrics.csv``, a line per metric, ``cases.csv``, a line per image, and all in ``evaluation.json``.

    Args:
        evaluation: what was measured.
        folder: of the files.
        errors: names of metrics of which less is better: images come in the order of the first metric, worst first.
    """
    names = list(evaluation.metrics)
    with _table(folder / "metrics.csv") as file:
        csv.writer(file).writerows([name, value] for name, value in evaluation.metrics.items())
    with _table(folder / "cases.csv") as file:
        table = csv.writer(file)
        table.writerow(["image", *names])
        for case in _worst_first(evaluation.cases, names, errors):
            table.writerow([case, *map(_cell, evaluation.cases[case].values())])
    content = {
        "metrics": _numbers(evaluation.metrics),
        "cases": {case: _numbers(row) for case, row in evaluation.cases.items()},
        "missing_predictions": evaluation.missing_predictions,
        "missing_targets": evaluation.missing_targets,
        "failed": evaluation.failed,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(folder / "evaluation.json") as made:
        made.write_text(text + "\n", encoding="utf-8")


@contextmanager
def _table(path: Path) -> Iterator[TextIO]:
    with replacing(path) as made, made.open("w", newline="", encoding="utf-8") as file:
        yield file


def prepare_folder(folder: Path, overwrite: bool = False) -> None:
    """Make the folder of the reports before anything is measured, and refuse to replace an earlier evaluation.

    Raises:
        FileExistsError: When there is one, unless it may be overwritten.
        OSError: When the folder cannot be made or written to.
    """
    make_output_folder(folder)
    found = [folder / name for name in _REPORTS if (folder / name).exists()]
    if found and not overwrite:
        raise FileExistsError(f"{found[0]} is there already: choose another --output, or replace it with --overwrite.")


def summary(evaluation: Evaluation) -> str:
    """The metrics of all images, and what could not be measured, as lines of text."""
    lines = [f"{len(evaluation.cases)} image(s)"]
    width = max(map(len, evaluation.metrics), default=0)
    lines += [f"{name:<{width}}  {value:.4g}" for name, value in evaluation.metrics.items()]
    failed = [f"{what}: {reason}" for what, reason in evaluation.failed.items()]
    for what, names in (
        ("without a prediction", evaluation.missing_predictions),
        ("without a target (where there is none, leave the task out by --tasks)", evaluation.missing_targets),
        ("failed", failed),
    ):
        lines += [f"{len(names)} {what}: {_some(names)}"] if names else []
    return "\n".join(lines)


def _some(names: Sequence[str]) -> str:
    return "; ".join(names[:_TOLD]) + ("; ..." if len(names) > _TOLD else "")


def _worst_first(cases: Mapping[str, Mapping[str, float]], names: Sequence[str], errors: Collection[str]) -> list[str]:
    if not names:
        return []
    key, sign = names[0], -1 if names[0] in errors else 1
    return sorted(cases, key=lambda case: (math.isnan(cases[case][key]), sign * cases[case][key]))


def _numbers(metrics: Mapping[str, float]) -> dict[str, float | str | None]:
    """As JSON has them, which knows no NaN and no infinity."""
    return {
        name: value if math.isfinite(value) else None if math.isnan(value) else str(value)
        for name, value in metrics.items()
    }


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"
