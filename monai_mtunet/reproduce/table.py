"""The table of an experiment."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from .experiment import Experiment, results


def table(experiment: Experiment, output_dir: str | Path) -> str:
    """The results so far as Markdown: mean and standard deviation over seeds, the paper's numbers, how many seeds.

    Args:
        experiment: the experiment.
        output_dir: as given to :func:`~monai_mtunet.reproduce.carry_out`.
    """
    printed = [metric for metric in experiment.metrics if any(metric in run.paper for run in experiment.runs)]
    columns = [*experiment.metrics, *(f"{metric} (paper)" for metric in printed), "seeds"]
    lines = [f"| | {' | '.join(columns)} |", f"|{' --- |' * (len(columns) + 1)}"]
    for run in experiment.runs:
        finished = results(experiment, run, output_dir)
        measured = [_mean_and_deviation([r[name] for r in finished if name in r]) for name in experiment.metrics]
        paper = [run.paper.get(name, "-") for name in printed]
        lines.append(f"| {' | '.join([run.name, *measured, *paper, str(len(finished))])} |")
    return "\n".join(lines)


def _mean_and_deviation(values: Sequence[float]) -> str:
    if not values:
        return "-"
    digits = 2 if max(map(abs, values)) >= 2 else 3  # decibels, or fractions
    deviation = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{deviation}"
