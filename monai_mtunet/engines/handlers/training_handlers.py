"""What runs beside the training of every bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai.engines import Workflow
from monai.handlers import LrScheduleHandler, StatsHandler, TensorBoardStatsHandler, ValidationHandler
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from ...losses import MultiTaskLoss
from ...tasks import TaskList
from ..checks.normalization_check import NormalizationCheck
from ..checks.size_check import SizeCheck
from ..checks.target_check import TargetCheck
from ..evaluator import MultiTaskEvaluator
from .checkpoints import ResumableCheckpoint
from .early_stopping import MetricEarlyStopping
from .epoch_seed import EpochSeed
from .freeze_parts import FreezeParts
from .loss_weight_plot import LossWeightPlot
from .progress import TaskProgressBar
from .tables.best_tables import BestTables
from .task_loss_handler import TaskLossHandler, logged_scalars
from .weighting_handler import WeightingHandler

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TrainingHandlers"]


class TrainingHandlers:
    """Attaches what every training needs, in order.

    These are looks at targets, sizes and normalized maps, seeds, losses and weights, learning rate, validation,
    checkpoints and logs.

    Losses and weights are logged, drawn (``<output_dir>/loss_weights.png``) and shown in the progress bar; network,
    optimizer, schedule and loss are saved (``<output_dir>/checkpoints``), and the tables of the best epoch are kept
    (``<output_dir>/validation/best``). Further handlers follow it in the list.

    Args:
        tasks: the tasks to train.
        network: the trained network.
        loss: its loss.
        optimizer: the optimizer.
        lr_scheduler: the learning rate's schedule, of ``torch.optim.lr_scheduler``.
        data_loader: the training data.
        evaluator: validates every ``val_interval`` epochs; its key metric decides the best checkpoint.
        output_dir: where the run's files go.
        summary_writer: TensorBoard writer.
        val_interval: every how many epochs to validate.
        schedule_by_epoch: whether the learning rate changes after every epoch; otherwise after every iteration.
        seed: of all that is random.
        resume: whether to continue from ``<output_dir>/checkpoints/last.pt``.
        early_stopping: "metric", "patience" and "threshold" of :class:`MetricEarlyStopping`; without it, or with a
            patience of ``None``, nothing stops before the trainer's ``max_epochs``.
        frozen_parts: names of the network's modules that do not learn at first; see :class:`FreezeParts`.
        frozen_epochs: for how many epochs, or None throughout.

    Raises:
        ValueError: When `frozen_epochs` are given for no part, or the network has no part of such a name.
    """

    def __init__(
        self,
        tasks: TaskList,
        network: nn.Module,
        loss: MultiTaskLoss,
        optimizer: Optimizer,
        lr_scheduler: Any,
        data_loader: DataLoader[Any],
        evaluator: MultiTaskEvaluator,
        output_dir: str | Path,
        summary_writer: SummaryWriter,
        val_interval: int = 1,
        schedule_by_epoch: bool = True,
        seed: int = 0,
        resume: bool = False,
        early_stopping: Mapping[str, Any] | None = None,
        frozen_parts: str | Sequence[str] = (),
        frozen_epochs: int | None = None,
    ) -> None:
        if not isinstance(val_interval, int) or val_interval < 1:
            raise ValueError(f"val_interval must be a whole number of epochs, at least 1, got {val_interval!r}.")
        if frozen_epochs and not frozen_parts:
            raise ValueError(
                f"frozen_epochs is {frozen_epochs}, but no part is named: give frozen_parts, as \"['encoder']\"."
            )
        stopping = (
            {}
            if early_stopping is None
            else {"early_stopping": MetricEarlyStopping(tasks, evaluator, **early_stopping)}
        )
        states = {
            "network": network, "optimizer": optimizer, "lr_scheduler": lr_scheduler, "loss": loss, **stopping,
        }  # fmt: skip
        self.handlers: list[Any] = [
            TargetCheck(tasks, loss, data_loader),
            SizeCheck(data_loader),
            NormalizationCheck(network, data_loader),
            EpochSeed(seed, data_loader),
            TaskLossHandler(loss),
            WeightingHandler(loss),
            LossWeightPlot(loss, output_dir),
            TaskProgressBar(),
            LrScheduleHandler(lr_scheduler, print_lr=False, epoch_level=schedule_by_epoch),
            ValidationHandler(interval=val_interval, validator=evaluator, epoch_level=True),
            BestTables(tasks, evaluator, Path(output_dir) / "validation"),
            ResumableCheckpoint(Path(output_dir) / "checkpoints", states, evaluator, resume),
            *stopping.values(),
            StatsHandler(iteration_log=False, name="train"),
            TensorBoardStatsHandler(summary_writer, output_transform=_iteration_scalars),
        ]
        if frozen_parts:
            self.handlers.append(FreezeParts(network, frozen_parts, frozen_epochs))

    def attach(self, engine: Workflow) -> None:
        """Attach all to a trainer."""
        for handler in self.handlers:
            handler.attach(engine)


def _iteration_scalars(output: Any) -> dict[str, float]:
    return logged_scalars(output, "iteration/")
