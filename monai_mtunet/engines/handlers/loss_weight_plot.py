"""The curves of the tasks' weights and losses over the epochs (Figure 4 of the MT-UNet paper)."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from monai.engines import Workflow

from ...losses import MultiTaskLoss
from ...pictures import task_colors

Row = dict[str, float]  # of one epoch, by column


class LossWeightPlot:
    """Writes every task's weight and raw loss, both means over an epoch, to a table and draws them.

    After each epoch it writes ``<output_dir>/loss_weights.csv``, with the columns ``epoch``, ``weight_<task>`` and
    ``loss_<task>``, and ``loss_weights.png``. Weights are those that multiplied the losses, whatever the weighting
    method; one that tells none, and a task without targets in an epoch, leave NaN in the table and a gap in the curve.
    A resumed run continues the table and drops what lies beyond the epoch that it resumes from.

    Attach it after :class:`~monai_mtunet.engines.TaskLossHandler`, whose means it takes.

    Args:
        loss_function: the trainer's :class:`~monai_mtunet.losses.MultiTaskLoss`.
        output_dir: folder of both files.

    Raises:
        ValueError: When the table of a resumed run is not one of this handler.
        RuntimeError: When no :class:`~monai_mtunet.engines.TaskLossHandler` ran before it.

    Example:
        >>> LossWeightPlot(loss, "outputs/weights").attach(trainer)
    """

    def __init__(self, loss_function: MultiTaskLoss, output_dir: str | Path) -> None:
        self.tasks = list(loss_function.losses)
        self.output_dir = Path(output_dir)

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Add one epoch."""
        if engine.state.rank:
            return
        table = self.output_dir / "loss_weights.csv"
        epoch = engine.state.epoch
        before = read_loss_weights(table) if epoch > 1 and table.is_file() else []
        rows = [row for row in before if row["epoch"] < epoch]
        rows.append(self._row(epoch, engine.state.metrics))
        self.output_dir.mkdir(parents=True, exist_ok=True)
        self._write(table, rows)
        draw_loss_weights(self.tasks, rows).savefig(table.with_suffix(".png"))

    def _columns(self) -> list[str]:
        return ["epoch", *(f"{what}_{task}" for what in ("weight", "loss") for task in self.tasks)]

    def _row(self, epoch: int, means: Mapping[str, Any]) -> Row:
        absent = [name for name in self._columns()[1:] if name not in means]
        if absent:
            raise RuntimeError(
                f"The trainer's metrics have no {absent}: attach TaskLossHandler to it, before LossWeightPlot."
            )
        return {"epoch": epoch} | {name: float(means[name]) for name in self._columns()[1:]}

    def _write(self, table: Path, rows: Sequence[Row]) -> None:
        """Replace the table at once, so that a killed process leaves a whole one."""
        partial = table.with_suffix(".csv.partial")
        with partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, self._columns(), restval=math.nan, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        os.replace(partial, table)


def read_loss_weights(table: str | Path) -> list[Row]:
    """Read what :class:`LossWeightPlot` wrote.

    Args:
        table: its CSV file.

    Returns:
        A row per epoch: ``{"epoch": ..., "weight_<task>": ..., "loss_<task>": ...}``.

    Raises:
        ValueError: When the file has no column "epoch", or something else than numbers.
    """
    with Path(table).open(newline="") as file:
        reader = csv.DictReader(file)
        try:
            if "epoch" not in (reader.fieldnames or ()):
                raise ValueError(f"its columns are {reader.fieldnames}, without 'epoch'")
            return [{n: int(v) if n == "epoch" else float(v) for n, v in row.items()} for row in reader]
        except (ValueError, TypeError) as error:  # TypeError: a line with too few or too many values
            raise ValueError(
                f"{table} is no table of loss weights (line {reader.line_num}: {error}): move it away, or choose "
                "another output_dir."
            ) from error


def draw_loss_weights(tasks: Sequence[str], rows: Sequence[Row]) -> Figure:
    """Draw the weights, where there are any, above the raw losses.

    Args:
        tasks: names of the tasks.
        rows: what :func:`read_loss_weights` gives, of one epoch at least.

    Returns:
        A matplotlib figure.
    """
    drawn = [what for what in ("weight", "loss") if what == "loss" or _has_values(rows, tasks, what)]
    figure = Figure(figsize=(6.4, 2.7 * len(drawn) + 0.3), dpi=110, layout="constrained")
    for what, axis in zip(drawn, figure.subplots(len(drawn), sharex=True, squeeze=False)[:, 0], strict=True):
        _draw_curves(axis, what, tasks, rows)
    figure.axes[0].legend(fontsize=8, frameon=False)
    figure.axes[-1].set_xlabel("epoch")
    figure.axes[-1].set_xlim(rows[0]["epoch"] - 0.5, rows[-1]["epoch"] + 0.5)
    figure.axes[-1].xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _draw_curves(axis: Axes, what: str, tasks: Sequence[str], rows: Sequence[Row]) -> None:
    curves = {task: [row.get(f"{what}_{task}", math.nan) for row in rows] for task in tasks}
    epochs = [row["epoch"] for row in rows]
    colors = task_colors(tasks)
    for task, values in curves.items():
        axis.plot(epochs, values, label=task, color=colors[task], marker="o", markersize=3, linewidth=1.2)
    shown = [value for values in curves.values() for value in values if math.isfinite(value)]
    if what == "weight":
        axis.set_ylim(0, 1.1 * max(shown) or None)
        axis.set_ylabel("weight")
    else:
        decades = bool(shown) and min(shown) > 0 and max(shown) > 10 * min(shown)
        axis.set_yscale("log" if decades else "linear")
        axis.set_ylabel("raw loss")
    axis.grid(alpha=0.3)


def _has_values(rows: Sequence[Row], tasks: Sequence[str], what: str) -> bool:
    return any(math.isfinite(row.get(f"{what}_{task}", math.nan)) for row in rows for task in tasks)
