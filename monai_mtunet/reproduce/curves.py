"""The curves of an experiment: losses and metrics over the epochs, a line per run."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from ..pictures.palette import distinct_colors
from .experiment import Experiment, Run, tensorboard_folders

_COLUMNS = 3
_STYLES = ("-", "--", ":")
_COLORS = [tuple(level / 255 for level in color) for color in distinct_colors(7)[1:]]

Curve = dict[int, list[float]]  # values of the seeds by epoch


def read_curve(experiment: Experiment, run: Run, tag: str, output_dir: str | Path) -> Curve:
    """A run's values of a scalar over the epochs, of the seeds that were started.

    Args:
        experiment: the experiment.
        run: one of its rows.
        tag: a scalar in TensorBoard's files: a metric of validation, or ``loss_<task>``, the mean of an epoch.
        output_dir: as given to :func:`~monai_mtunet.reproduce.carry_out`.

    Returns:
        ``{epoch: [value of each seed that has one]}``, without what is NaN; of an epoch that a resumed run repeats the
        later value.
    """
    curve: Curve = {}
    for folder in tensorboard_folders(experiment, run, output_dir):
        events = EventAccumulator(str(folder))
        events.Reload()
        if tag in events.Tags()["scalars"]:
            by_epoch = {event.step: event.value for event in events.Scalars(tag)}
            for epoch, value in by_epoch.items():
                if math.isfinite(value):
                    curve.setdefault(epoch, []).append(value)
    return dict(sorted(curve.items()))


def draw_curves(experiment: Experiment, output_dir: str | Path) -> Figure:
    """An axis per scalar, a line per run that has it: means over the seeds, of which bands show the lowest and highest.

    Args:
        experiment: an experiment whose ``curves`` names scalars.
        output_dir: as given to :func:`~monai_mtunet.reproduce.carry_out`.

    Raises:
        ValueError: When the experiment names no curves.
    """
    if not experiment.curves:
        raise ValueError(f"Experiment {experiment.name!r} names no curves to draw.")
    columns = min(_COLUMNS, len(experiment.curves))
    rows = -(-len(experiment.curves) // columns)
    figure = Figure(figsize=(3.6 * columns + 2.6, 2.9 * rows), dpi=110, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, tag in zip(axes, experiment.curves, strict=False):
        for index, run in enumerate(experiment.runs):
            _draw_curve(axis, run.name, read_curve(experiment, run, tag, output_dir), index)
        axis.set_title(tag, fontsize=9)
        axis.set_xlabel("epoch", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
    for axis in axes[len(experiment.curves) :]:
        axis.set_axis_off()
    _draw_legend(figure, list(axes))
    return figure


def _draw_curve(axis: Axes, name: str, curve: Curve, index: int) -> None:
    if not curve:
        return
    color, style = _COLORS[index % len(_COLORS)], _STYLES[index // len(_COLORS) % len(_STYLES)]
    mean = [statistics.fmean(values) for values in curve.values()]
    axis.plot(list(curve), mean, style, color=color, linewidth=1.3, marker="." if len(curve) < 3 else None, label=name)
    low, high = ([choose(values) for values in curve.values()] for choose in (min, max))
    axis.fill_between(list(curve), low, high, color=color, alpha=0.12, linewidth=0)


def _draw_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    lines: dict[str, Artist] = {}
    for axis in axes:
        handles, names = axis.get_legend_handles_labels()
        lines |= {str(name): handle for name, handle in zip(names, handles, strict=True) if isinstance(handle, Artist)}
    if lines:
        figure.legend(list(lines.values()), list(lines), loc="outside right upper", fontsize=8, frameon=False)
