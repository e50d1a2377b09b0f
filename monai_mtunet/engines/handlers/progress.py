"""The progress bar of a training run."""

from __future__ import annotations

from ignite.handlers import ProgressBar
from monai.engines import Workflow

from .task_loss_handler import logged_scalars


class TaskProgressBar(ProgressBar):
    """ignite's progress bar with the loss and weight of every task beside it. The same arguments."""

    def attach(self, engine: Workflow) -> None:  # type: ignore[override]
        """Attach to a trainer that has a :class:`~monai_mtunet.engines.TaskLossHandler`."""
        super().attach(engine, output_transform=logged_scalars)
