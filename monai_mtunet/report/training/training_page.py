"""The page of a training folder."""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...bundle.training_record import CONFIGURATION_FILE, RECORD_FILE
from ...pictures import task_colors
from ..charts import Chart, line_chart
from ..page import write_page
from ..picture_bytes import data_uri
from .case_pictures import PICTURES_FILE
from .measured import Measured, read_measured
from .metric_groups import TaskMetrics, metrics_of_tasks
from .picture_archive import PictureArchive, read_pictures
from .scalars import Scalars, read_scalars

__all__ = ["PAGE", "write_training_page"]

PAGE = "report.html"

_MOST_CASES = 1000  # rows of the table
_MOST_CLASSES = 40  # rows of a confusion matrix
_MOST_PAIRS = 30


def write_training_page(folder: Path, output: Path | None = None, note: str = "") -> Path:
    """Write the page of a training, finished or not, from the files in its folder alone.

    Args:
        folder: ``output_dir`` of the training.
        output: the page; by default ``<folder>/report.html``.
        note: something that the page tells first.

    Returns:
        The page's path.

    Raises:
        FileNotFoundError: When the folder holds no training.
    """
    scalars, measured = read_scalars(folder / "tensorboard"), read_measured(folder / "validation")
    if not scalars.curves and not measured.metrics:
        raise FileNotFoundError(
            f"{folder} holds no training: there is neither tensorboard/ nor validation/metrics.csv in it. Give the "
            "output_dir of a training."
        )
    pictures = read_pictures(folder / PICTURES_FILE)
    if pictures is not None and pictures.epoch != measured.epoch:
        pictures = None  # of an earlier best epoch
    tasks = measured.tasks or [name.removeprefix("loss_") for name in scalars.curves if name.startswith("loss_")]
    output = output or folder / PAGE
    write_page(
        output, "training.html",
        title=folder.resolve().name, facts=_facts(scalars, measured), notes=_notes(note, measured, pictures),
        tasks=[_task(one, scalars, measured) for one in metrics_of_tasks(_metric_names(scalars, measured), tasks)],
        measured=measured, evaluated=read_measured(folder / "evaluation").metrics, **_last(scalars, measured),
        roles=measured.chosen(), pictures=pictures, panel=_panel(folder) if pictures is None else None,
        most_cases=_MOST_CASES, most_classes=_MOST_CLASSES, most_pairs=_MOST_PAIRS,
        weights=_weights(scalars, tasks), total=_total(scalars, measured), runs=_runs(folder), folder=str(folder),
        configuration=_text(folder / CONFIGURATION_FILE), configuration_file=CONFIGURATION_FILE,
    )  # fmt: skip
    return output


def _metric_names(scalars: Scalars, measured: Measured) -> list[str]:
    return list(dict.fromkeys([*measured.metrics, *scalars.curves]))


def _facts(scalars: Scalars, measured: Measured) -> dict[str, str]:
    facts = {"Epochs": f"{scalars.last_epoch} trained"}
    if measured.epoch is not None and measured.key_metric is not None:
        value = measured.metrics.get(measured.key_metric, math.nan)
        facts["Best epoch"] = f"{measured.epoch}, with {measured.key_metric} = {value:.4g}"
    if (seconds := scalars.seconds_per_epoch()) is not None:
        facts["Time"] = f"{seconds:.3g} s per epoch, {datetime.timedelta(seconds=round(seconds * scalars.last_epoch))}"
    if scalars.times:
        ended = datetime.datetime.fromtimestamp(max(scalars.times.values())).astimezone()
        facts["Last epoch ended"] = ended.strftime("%Y-%m-%d %H:%M %Z")
    return facts


def _notes(note: str, measured: Measured, pictures: PictureArchive | None) -> list[str]:
    notes = [note] if note else []
    if measured.epoch is None and measured.metrics:
        notes.append("No epoch is known to be the best. The values are those of the last validation.")
    if pictures is None and not note:
        notes.append(
            "There are no pictures of cases, which a training draws when it ends. Where the data are still there, "
            "python -m monai_mtunet report FOLDER --draw draws them."
        )
    return notes


def _task(metrics: TaskMetrics, scalars: Scalars, measured: Measured) -> dict[str, Any]:
    color = task_colors([metrics.task])[metrics.task]
    charts = [
        line_chart(name, {name: scalars.curves[name]}, measured.epoch, [color])
        for name in (f"loss_{metrics.task}", *metrics.single)
        if scalars.curves.get(name)
    ]
    for word, group in metrics.groups.items():
        lines = {part: scalars.curves[name] for part, name in group.items() if scalars.curves.get(name)}
        if lines:
            charts.append(line_chart(f"{metrics.task}_{word}", lines, measured.epoch))
    return {"metrics": metrics, "charts": charts, "confusion": measured.confusions.get(metrics.task)}


def _total(scalars: Scalars, measured: Measured) -> Chart | None:
    loss = scalars.curves.get("loss")
    return line_chart("loss", {"weighted sum": loss}, measured.epoch, ["#333333"]) if loss else None


def _weights(scalars: Scalars, tasks: Sequence[str]) -> dict[str, Any]:
    """The curves of the weights where they change, otherwise what they are."""
    lines = {task: scalars.curves[f"weight_{task}"] for task in tasks if f"weight_{task}" in scalars.curves}
    known = {task: [value for value in line.values() if math.isfinite(value)] for task, line in lines.items()}
    if all(max(values, default=0) == min(values, default=0) for values in known.values()):
        return {"chart": None, "fixed": {task: values[0] for task, values in known.items() if values}}
    return {"chart": line_chart("weights", lines, None, list(task_colors(lines).values())), "fixed": {}}


def _last(scalars: Scalars, measured: Measured) -> dict[str, Any]:
    """The last epoch that was validated, and its values."""
    names = [name for name in measured.metrics if name in scalars.curves] or list(scalars.curves)
    epoch = max((max(scalars.curves[name], default=0) for name in names), default=0)
    return {"last_epoch": epoch, "last": {name: curve.get(epoch) for name, curve in scalars.curves.items()}}


def _panel(folder: Path) -> tuple[str, str] | None:
    """The newest panel of validation, its name and its address."""
    panels = sorted((folder / "panels").glob("epoch_*.png"))
    return (panels[-1].stem.replace("_", " "), data_uri(panels[-1].read_bytes(), "png")) if panels else None


def _runs(folder: Path) -> list[dict[str, Any]]:
    text = _text(folder / RECORD_FILE)
    runs: list[dict[str, Any]] = json.loads(text)["runs"] if text else []
    return runs


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
