"""What runs beside the validation of every bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.engines import Workflow
from monai.handlers import MetricsSaver, StatsHandler, TensorBoardStatsHandler

from ...tasks import TaskList
from .panels import PanelHandler
from .tables.case_table import CaseTable
from .tables.confusion_table import ConfusionTable

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["ValidationHandlers"]


class ValidationHandlers:
    """Draws panels, logs the metrics, and writes tables of them.

    They are ``metrics.csv``, ``cases.csv`` with those of each image, and ``confusion_<task>.csv`` of classes.

    Further handlers follow it in the list.

    Args:
        tasks: the tasks that are measured.
        panel_dir: folder of the panels.
        metrics_dir: folder of the tables.
        summary_writer: TensorBoard writer; without one nothing goes there.
        panel_interval: every how many epochs to draw a panel.
        name: of the log's lines.
    """

    def __init__(
        self,
        tasks: TaskList,
        panel_dir: str | Path,
        metrics_dir: str | Path,
        summary_writer: SummaryWriter | None = None,
        panel_interval: int = 1,
        name: str = "validate",
    ) -> None:
        self.handlers: list[Any] = [
            PanelHandler(tasks, panel_dir, summary_writer, interval=panel_interval),
            StatsHandler(iteration_log=False, name=name),
            *([] if summary_writer is None else [TensorBoardStatsHandler(summary_writer, iteration_log=False)]),
            MetricsSaver(str(metrics_dir), metrics="*"),
            CaseTable(tasks, Path(metrics_dir) / "cases.csv"),
            ConfusionTable(tasks, metrics_dir),
        ]

    def attach(self, engine: Workflow) -> None:
        """Attach all to an evaluator."""
        for handler in self.handlers:
            handler.attach(engine)
