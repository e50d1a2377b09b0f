"""Training fold by fold, each the bundle's own run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..bundle.run_bundle import run_bundle
from ..bundle.run_record import check_record, run_record, write_record
from ..data.fold_datalist import FOLD_KEY
from .planned_folds import PlannedFolds

__all__ = ["train_folds"]


def train_folds(planned: PlannedFolds, folds: Sequence[int] = (), overrides: Mapping[str, Any] | None = None) -> None:
    """Train and evaluate folds, one after another. What is finished stays, what was interrupted is resumed.

    Each fold is ``python -m monai.bundle run`` with the bundle's ``train.json``, the overlay and ``--fold k``, and then
    with ``evaluate.json``. What decides its results is recorded in ``run.json`` in its folder.

    Args:
        planned: the overlay's folds.
        folds: numbers; all by default.
        overrides: items by id, the same for all folds.

    Raises:
        ValueError: When there is no such fold.
        RuntimeError: When a run fails, or a folder holds results of other configurations or overrides; it names the
            difference.
    """
    if unknown := sorted(set(folds) - set(planned.folds)):
        raise ValueError(f"{planned.overlay} has the folds {planned.folds}, and no {unknown}.")
    for fold in folds or planned.folds:
        _train(planned, fold, overrides or {})


def _train(planned: PlannedFolds, fold: int, overrides: Mapping[str, Any]) -> None:
    folder = planned.output_dir(fold)
    finished = (folder / "evaluation" / "metrics.csv").is_file()
    started = (folder / "checkpoints" / "last.pt").is_file()
    own = {**overrides, FOLD_KEY: fold}
    record = run_record(planned.train, own, int(overrides.get("seed", 0)), planned.evaluate)
    if finished or started:
        check_record(folder, record)
    if finished:
        return
    write_record(folder, record)
    run_bundle(planned.train, {**own, "resume": started, "overwrite": not started})
    run_bundle((*planned.train, planned.evaluate), own)
