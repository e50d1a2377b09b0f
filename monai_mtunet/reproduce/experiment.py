"""Experiments: a table of bundle runs, each trained with several seeds, evaluated and averaged."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from monai.bundle import ConfigParser
from monai.bundle.reference_resolver import ReferenceResolver
from monai.bundle.utils import ID_SEP_KEY, MERGE_KEY

from ..bundle.run_bundle import run_bundle
from ..bundle.run_record import check_record, run_record, write_record


@dataclass(frozen=True)
class Run:
    """One row of the table: how the bundle is configured.

    Attributes:
        name: the row's name.
        configs: configuration files, later ones win.
        overrides: items by id.
        paper: what the paper prints for it, by metric, as text.
        pretrained: name of an earlier run, whose best checkpoint of the same seed the bundle's ``pretrained`` is; or
            none.
    """

    name: str
    configs: tuple[str, ...]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    paper: Mapping[str, str] = field(default_factory=dict)
    pretrained: str | None = None


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
        curves: scalars to draw over the epochs, as TensorBoard has them: metrics of validation, ``loss_<task>``.
    """

    name: str
    description: str
    runs: tuple[Run, ...]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    evaluate: str | None
    plot: tuple[str, ...] = ()
    curves: tuple[str, ...] = ()


def load_experiment(path: str | Path, overlays: Sequence[str] = ()) -> Experiment:
    """Read an experiment from JSON.

    The file holds ``description``, ``configs`` and ``overrides`` of every run, ``seeds``, ``metrics`` and ``runs``:
    ``{row name: {"configs": [...], "overrides": {...}, "paper": {metric: number}}}``, of which configs and overrides
    come on top. A run that goes on from another's best checkpoint names that row as its ``pretrained``.
    ``evaluate`` may name an overlay, and ``plot`` two of the metrics.

    Args:
        path: the JSON file, which may also name ``curves``, scalars over the epochs.
        overlays: further configuration files, to carry out the table on other data: after those of every run, before
            each run's own. Items that they set win over ``overrides``, but not over a run's own.

    Raises:
        ValueError: When an entry is missing, a run has an entry of another name or goes on from a row that is not
            before it, or the plot or the paper's numbers are of other metrics than the table's.
    """
    content = json.loads(Path(path).read_text())
    missing = {"description", "configs", "seeds", "metrics", "runs"} - set(content)
    if missing:
        raise ValueError(f"{path} lacks {sorted(missing)}.")
    content = _on_other_data(content, overlays)
    runs = _runs(content, path)
    plot, curves = tuple(content.get("plot", ())), tuple(content.get("curves", ()))
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
        curves,
    )


def _on_other_data(content: dict[str, Any], overlays: Sequence[str]) -> dict[str, Any]:
    """The file's content with overlays, without the overrides of items (first parts of ids) that they set."""
    overlaid = {_item(name) for file in overlays for name in ConfigParser.load_config_file(file)}
    kept = {name: value for name, value in content.get("overrides", {}).items() if _item(name) not in overlaid}
    return {**content, "configs": [*content["configs"], *overlays], "overrides": kept}


def _item(name: str) -> str:
    return ReferenceResolver.normalize_id(name).lstrip(MERGE_KEY).split(ID_SEP_KEY)[0]


def _runs(content: Mapping[str, Any], path: str | Path) -> list[Run]:
    runs: list[Run] = []
    for name, run in content["runs"].items():
        if set(run) - {"configs", "overrides", "paper", "pretrained"}:
            raise ValueError(
                f"{path}, run {name!r}: {sorted(run)} may only be 'configs', 'overrides', 'paper' and 'pretrained'."
            )
        pretrained = run.get("pretrained")
        if pretrained is not None and pretrained not in (before := [earlier.name for earlier in runs]):
            raise ValueError(
                f"{path}, run {name!r}: 'pretrained' {pretrained!r} is none of the runs before it, {before}."
            )
        configs = (*content["configs"], *run.get("configs", ()))
        overrides = {**content.get("overrides", {}), **run.get("overrides", {})}
        paper = {metric: str(number) for metric, number in run.get("paper", {}).items()}
        runs.append(Run(name, configs, overrides, paper, pretrained))
    return runs


def carry_out(experiment: Experiment, output_dir: str | Path, jobs: int = 1) -> None:
    """Train and evaluate every run with every seed. What is finished stays, what was interrupted is resumed.

    A run that goes on from another one waits until that is finished. A keyboard interrupt ends the runs under way and
    starts no other.

    Args:
        experiment: the experiment.
        output_dir: each run goes to ``<output_dir>/<experiment>/<row>/seed_<seed>``, with what it is made with in
            ``run.json``: configuration files with their SHA-256, overrides, seed and evaluation.
        jobs: how many at a time; each takes the threads that ``OMP_NUM_THREADS`` gives it.

    Raises:
        RuntimeError: When runs fail; it names their logs. When folders hold results of other configurations,
            overrides or evaluations, or of unknown ones; it names folders and differences. The other runs are
            carried out first.
    """
    cells = [(run, seed) for seed in experiment.seeds for run in experiment.runs]
    interrupted = Event()
    pool = ThreadPoolExecutor(jobs)
    try:
        futures: dict[tuple[str | None, int], Future[None]] = {}
        for run, seed in cells:  # started in this order, so that what a run waits for is under way before it
            before = futures.get((run.pretrained, seed))
            futures[run.name, seed] = pool.submit(
                _train_and_evaluate, experiment, run, seed, Path(output_dir), interrupted, before
            )
        wait(futures.values())
    except KeyboardInterrupt:
        interrupted.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    failures = [failure for future in futures.values() if (failure := future.exception())]
    if failures:
        raise RuntimeError("\n".join(map(str, failures))) from failures[0]


def results(experiment: Experiment, run: Run, output_dir: str | Path) -> list[dict[str, float]]:
    """Metrics by name of the seeds that are finished.

    Args:
        experiment: the experiment.
        run: one of its rows.
        output_dir: as given to :func:`carry_out`.
    """
    files = [_results(_folder(experiment, run, seed, Path(output_dir))) for seed in experiment.seeds]
    return [_read(file) for file in files if file.is_file()]


def tensorboard_folders(experiment: Experiment, run: Run, output_dir: str | Path) -> list[Path]:
    """Where the seeds of a run that were started log; arguments as for :func:`results`."""
    folders = [_folder(experiment, run, seed, Path(output_dir)) / "tensorboard" for seed in experiment.seeds]
    return [folder for folder in folders if folder.is_dir()]


def _folder(experiment: Experiment, run: Run, seed: int, output_dir: Path) -> Path:
    row = "".join(letter if letter.isalnum() else "_" for letter in run.name)
    return output_dir / experiment.name / row / f"seed_{seed}"


def _results(folder: Path) -> Path:
    return folder / "evaluation" / "metrics.csv"


def _train_and_evaluate(
    experiment: Experiment, run: Run, seed: int, output_dir: Path, interrupted: Event, before: Future[None] | None
) -> None:
    folder = _folder(experiment, run, seed, output_dir)
    pretrained = None
    if before is not None:
        if before.exception():
            raise RuntimeError(f"Run {run.name!r}, seed {seed}, could not start: {run.pretrained!r} failed.")
        if interrupted.is_set():
            return
        (earlier,) = (earlier for earlier in experiment.runs if earlier.name == run.pretrained)
        pretrained = _folder(experiment, earlier, seed, output_dir) / "checkpoints" / "best.pt"
    finished, started = _results(folder).is_file(), (folder / "checkpoints" / "last.pt").is_file()
    record = run_record(run.configs, run.overrides, seed, experiment.evaluate, pretrained)
    if finished or started:
        check_record(folder, record)
    if finished or interrupted.is_set():
        return
    write_record(folder, record)
    start = {} if pretrained is None else {"pretrained": pretrained}
    overrides = {**run.overrides, **start, "seed": seed, "output_dir": folder}
    run_bundle(
        run.configs, {**overrides, "resume": started, "overwrite": not started}, folder / "train.log", interrupted
    )
    if interrupted.is_set():
        return
    if experiment.evaluate is None:
        _finish_with(folder / "validation" / "metrics.csv", folder)
    else:
        run_bundle((*run.configs, experiment.evaluate), overrides, folder / "evaluate.log", interrupted)


def _finish_with(metrics: Path, folder: Path) -> None:
    partial = _results(folder).with_suffix(".partial")  # a run is finished when its results are complete
    partial.parent.mkdir(exist_ok=True)
    shutil.copyfile(metrics, partial)
    os.replace(partial, _results(folder))


def _read(path: Path) -> dict[str, float]:
    with open(path) as file:
        return {name: float(value) for name, value in csv.reader(file)}
