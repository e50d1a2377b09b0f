"""Experiments: a table of bundle runs, each trained with several seeds, evaluated and averaged."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """One row of the table: how the bundle is configured.

    Attributes:
        name: the row's name.
        configs: configuration files, later ones win.
        overrides: items by id.
        paper: what the paper prints for it, by metric, as text.
    """

    name: str
    configs: tuple[str, ...]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    paper: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Experiment:
    """A table: rows are runs, columns are metrics of the best checkpoint, or of the last epoch.

    Attributes:
        name: its file's name without extension.
        description: what is compared: data, split, budget.
        runs: the rows.
        seeds: every run is repeated with each.
        metrics: the columns, names in ``metrics.csv``.
        evaluate: the overlay that evaluates the best checkpoint; without one the last validation of training counts.
        plot: two of the metrics to plot against each other, or none.
    """

    name: str
    description: str
    runs: tuple[Run, ...]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    evaluate: str | None
    plot: tuple[str, ...] = ()


def load_experiment(path: str | Path) -> Experiment:
    """Read an experiment from JSON.

    The file holds ``description``, ``configs`` and ``overrides`` of every run, ``seeds``, ``metrics`` and ``runs``:
    ``{row name: {"configs": [...], "overrides": {...}, "paper": {metric: number}}}``, of which configs and overrides
    come on top. ``evaluate`` may name an overlay, and ``plot`` two of the metrics.

    Args:
        path: the JSON file.

    Raises:
        ValueError: When an entry is missing, a run has an entry of another name, or the plot or the paper's numbers
            are of other metrics than the table's.
    """
    content = json.loads(Path(path).read_text())
    missing = {"description", "configs", "seeds", "metrics", "runs"} - set(content)
    if missing:
        raise ValueError(f"{path} lacks {sorted(missing)}.")
    runs = []
    for name, run in content["runs"].items():
        if set(run) - {"configs", "overrides", "paper"}:
            raise ValueError(f"{path}, run {name!r}: {sorted(run)} may only be 'configs', 'overrides' and 'paper'.")
        configs = (*content["configs"], *run.get("configs", ()))
        overrides = {**content.get("overrides", {}), **run.get("overrides", {})}
        runs.append(Run(name, configs, overrides, {metric: str(n) for metric, n in run.get("paper", {}).items()}))
    plot = tuple(content.get("plot", ()))
    unknown = {*plot, *(metric for run in runs for metric in run.paper)} - set(content["metrics"])
    if unknown or len(plot) not in (0, 2):
        raise ValueError(f"{path}: 'plot' {list(plot)} takes two of {content['metrics']}, and 'paper' any of them.")
    return Experiment(
        Path(path).stem,
        content["description"],
        tuple(runs),
        tuple(content["seeds"]),
        tuple(content["metrics"]),
        content.get("evaluate"),
        plot,
    )


def carry_out(experiment: Experiment, output_dir: str | Path, jobs: int = 1) -> None:
    """Train and evaluate every run with every seed. What is finished stays, what was interrupted is resumed.

    Args:
        experiment: the experiment.
        output_dir: each run goes to ``<output_dir>/<experiment>/<row>/seed_<seed>``.
        jobs: how many at a time; each takes the threads that ``OMP_NUM_THREADS`` gives it.

    Raises:
        RuntimeError: When a run fails; it names the log. The others are carried out first.
    """
    cells = [(run, seed) for seed in experiment.seeds for run in experiment.runs]
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_train_and_evaluate, experiment, run, seed, Path(output_dir)) for run, seed in cells]
    for future in futures:
        future.result()


def results(experiment: Experiment, run: Run, output_dir: str | Path) -> list[dict[str, float]]:
    """Metrics by name of the seeds that are finished.

    Args:
        experiment: the experiment.
        run: one of its rows.
        output_dir: as given to :func:`carry_out`.
    """
    files = [_results(_folder(experiment, run, seed, Path(output_dir))) for seed in experiment.seeds]
    return [_read(file) for file in files if file.is_file()]


def _folder(experiment: Experiment, run: Run, seed: int, output_dir: Path) -> Path:
    row = "".join(letter if letter.isalnum() else "_" for letter in run.name)
    return output_dir / experiment.name / row / f"seed_{seed}"


def _results(folder: Path) -> Path:
    return folder / "evaluation" / "metrics.csv"


def _train_and_evaluate(experiment: Experiment, run: Run, seed: int, output_dir: Path) -> None:
    folder = _folder(experiment, run, seed, output_dir)
    if _results(folder).is_file():
        return
    started = (folder / "checkpoints" / "last.pt").is_file()
    overrides = {**run.overrides, "seed": seed, "output_dir": folder}
    _bundle(run.configs, {**overrides, "resume": started}, folder / "train.log")
    if experiment.evaluate is None:
        _results(folder).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / "validation" / "metrics.csv", _results(folder))
    else:
        _bundle((*run.configs, experiment.evaluate), overrides, folder / "evaluate.log")


def _bundle(configs: Sequence[str], overrides: Mapping[str, Any], log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    options = [option for name, value in overrides.items() for option in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", str(list(configs)), *options]
    with open(log, "a") as file:
        code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=os.environ, check=False).returncode
    if code:
        raise RuntimeError(f"A run ended with exit status {code}; its output is in {log}.")


def _read(path: Path) -> dict[str, float]:
    with open(path) as file:
        return {name: float(value) for name, value in csv.reader(file)}
