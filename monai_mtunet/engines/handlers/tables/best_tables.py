"""The tables of the best epoch, which later ones do not replace."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import ignite.distributed as idist
from ignite.engine import Events
from monai.engines import Evaluator, Workflow

from ....tasks import TaskList

__all__ = ["BestTables"]

EPOCH_FILE = "epoch.json"


class BestTables:
    """Keeps the tables of the epoch that ``best.pt`` is of in ``<folder>/best``, with an ``epoch.json``.

    That file holds the ``epoch``, the ``key_metric``, the ``errors`` (metrics of which less is better), the names of
    the ``tasks``, the names of the ``cases`` in the order in which they were measured, and by how many ``processes``.
    Attach it to a trainer, after its validation and before :class:`~monai_mtunet.engines.ResumableCheckpoint`.

    Args:
        tasks: the tasks that are measured.
        evaluator: what measures them.
        folder: where it writes its tables.
    """

    def __init__(self, tasks: TaskList, evaluator: Evaluator, folder: str | Path) -> None:
        self.tasks = tasks
        self.evaluator = evaluator
        self.folder = Path(folder)

    def attach(self, engine: Workflow) -> None:
        """Attach to a trainer."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Copy the tables if this epoch is the best so far."""
        state = self.evaluator.state
        if state.rank or state.best_metric_epoch != engine.state.epoch or math.isnan(state.best_metric):
            return
        tables = sorted(self.folder.glob("*.csv"))
        if not tables:
            return
        # A folder of its own until it is whole: a killed process leaves one or the other.
        partial, best = self.folder / "best.partial", self.folder / "best"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for table in tables:
            shutil.copyfile(table, partial / table.name)
        names: Sequence[str] = getattr(state, "case_names", ())
        about = {
            "epoch": engine.state.epoch,
            "key_metric": state.key_metric_name,
            "errors": sorted(self.tasks.error_metrics),
            "tasks": list(self.tasks.names),
            "cases": list(names),
            "processes": idist.get_world_size(),
        }
        (partial / EPOCH_FILE).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
        shutil.rmtree(best, ignore_errors=True)
        partial.rename(best)
