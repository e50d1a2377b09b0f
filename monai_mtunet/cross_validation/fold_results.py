"""What all folds together say: every image is measured by the network that did not learn from it."""

from __future__ import annotations

import csv
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..files.replacing import replacing
from .planned_folds import PlannedFolds

__all__ = ["FoldResults", "fold_results"]


@dataclass(frozen=True)
class FoldResults:
    """Results of the folds that are finished.

    Args:
        metrics: of each metric its value per fold.
        cases: of each image its fold and its metrics, the worst by the key metric first.
        expected: how many folds there are.
    """

    metrics: dict[str, dict[int, float]]
    cases: list[dict[str, str]]
    expected: int

    def text(self) -> str:
        """A line per metric: mean and standard deviation over folds."""
        finished = sorted({fold for values in self.metrics.values() for fold in values})
        lines = [f"{len(finished)} of {self.expected} folds, {len(self.cases)} images, each held out in its fold"]
        width = max(map(len, self.metrics), default=0)
        for name, values in self.metrics.items():
            mean, spread = _mean_and_spread(list(values.values()))
            each = ", ".join(f"{value:.4g}" for value in values.values())
            lines.append(f"{name:<{width}}  {mean:.4g} ± {spread:.2g}  ({each})")
        return "\n".join(lines)

    def save(self, folder: Path) -> None:
        """Write ``metrics.csv``, a line per metric, and ``cases.csv``, a line per image."""
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / "metrics.csv") as made, made.open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file)
            folds = sorted({fold for values in self.metrics.values() for fold in values})
            table.writerow(["metric", "mean", "standard deviation", *(f"fold {fold}" for fold in folds)])
            for name, values in self.metrics.items():
                table.writerow([name, *_mean_and_spread(list(values.values())), *(values.get(f, "") for f in folds)])
        with replacing(folder / "cases.csv") as made, made.open("w", newline="", encoding="utf-8") as file:
            names = list(dict.fromkeys(name for case in self.cases for name in case))
            rows = csv.DictWriter(file, names)
            rows.writeheader()
            rows.writerows(self.cases)


def fold_results(planned: PlannedFolds) -> FoldResults:
    """Gather the evaluations of all folds that are finished.

    Args:
        planned: the overlay's folds.
    """
    metrics: dict[str, dict[int, float]] = {}
    cases: list[dict[str, str]] = []
    for fold in planned.folds:
        folder = planned.output_dir(fold) / "evaluation"
        if not (folder / "metrics.csv").is_file():
            continue
        with (folder / "metrics.csv").open(encoding="utf-8") as file:
            for name, value in csv.reader(file):
                metrics.setdefault(name, {})[fold] = float(value)
        with (folder / "cases.csv").open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                image, *others = row
                cases.append({"image": row[image], "fold": str(fold), **{name: row[name] for name in others}})
    key = planned.key_metric()
    sign = -1 if key in planned.error_metrics() else 1
    return FoldResults(metrics, sorted(cases, key=lambda case: _order(case.get(key, ""), sign)), len(planned.folds))


def _order(value: str, sign: int) -> float:
    return sign * float(value) if value and not math.isnan(float(value)) else math.inf


def _mean_and_spread(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if not math.isnan(value)]
    if not known:
        return math.nan, math.nan
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else 0.0
