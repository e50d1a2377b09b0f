"""The plot of an experiment: two metrics against each other."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..pictures.palette import OKABE_ITO
from ..pictures.task_colors import TASK_COLORS, task_colors
from .experiment import Experiment, results

_MARKERS = "osD^vP*X<>"
_GRAY = "#7f7f7f"
_COLORS = [_GRAY, *("#{:02x}{:02x}{:02x}".format(*color) for color in OKABE_ITO if color != (240, 228, 66))]


def plot(experiment: Experiment, output_dir: str | Path) -> Figure:
    """Every run as a point with the standard deviations over its seeds; a run with one of the metrics as a line.

    Lines are the single-task networks: a point beyond both is better at both tasks than a network of its own. Axes and
    lines have their task's color, as in every curve; points have other colors, and differ in their markers as well.

    Args:
        experiment: an experiment whose ``plot`` names two metrics.
        output_dir: as given to :func:`~monai_mtunet.reproduce.carry_out`.

    Raises:
        ValueError: When the experiment names no metrics to plot.
    """
    if not experiment.plot:
        raise ValueError(f"Experiment {experiment.name!r} names no two metrics to plot.")
    figure = Figure(figsize=(9, 5.5), dpi=110, layout="constrained")
    axis = figure.subplots()
    colors = _axis_colors(experiment.plot)
    for index, run in enumerate(experiment.runs):
        finished = results(experiment, run, output_dir)
        values = [[result[metric] for result in finished if metric in result] for metric in experiment.plot]
        _draw_run(axis, run.name, values, index, colors)
    axis.set_xlabel(experiment.plot[0], color=colors[0])
    axis.set_ylabel(experiment.plot[1], color=colors[1])
    axis.grid(alpha=0.3)
    if axis.get_legend_handles_labels()[0]:
        figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure


def _axis_colors(metrics: Sequence[str]) -> list[str]:
    """Metrics are called <task>_<metric>; black where both axes are of one task."""
    tasks = [next((t for t in TASK_COLORS if metric.startswith(f"{t}_")), metric.split("_")[0]) for metric in metrics]
    return [task_colors(tasks)[task] for task in tasks] if len(set(tasks)) > 1 else ["black"] * len(metrics)


def _draw_run(axis: Axes, name: str, values: list[list[float]], index: int, axis_colors: Sequence[str]) -> None:
    free = [color for color in _COLORS if color not in axis_colors]
    color = free[index % len(free)]
    mean = [statistics.fmean(numbers) if numbers else None for numbers in values]
    spread = [statistics.stdev(numbers) if len(numbers) > 1 else 0.0 for numbers in values]
    x, y = mean
    if x is not None and y is not None:
        marker = _MARKERS[index % len(_MARKERS)]
        axis.errorbar(
            x, y, xerr=spread[0], yerr=spread[1], fmt=marker, color=color, capsize=2, elinewidth=1, label=name
        )
    elif x is not None:
        axis.axvline(x, color=axis_colors[0], linestyle="--", label=name)
        axis.axvspan(x - spread[0], x + spread[0], color=axis_colors[0], alpha=0.15)
    elif y is not None:
        axis.axhline(y, color=axis_colors[1], linestyle="--", label=name)
        axis.axhspan(y - spread[1], y + spread[1], color=axis_colors[1], alpha=0.15)
