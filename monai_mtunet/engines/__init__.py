"""What MONAI's engines need for several tasks: batch preparation, handlers and gradient balancing."""

from .aggregators import NonNegativeProjector, aggregator_by_name
from .checkpoints import BestMetric, CheckpointError, ResumableCheckpoint, VerifiedCheckpointLoader, load_checkpoint
from .epoch_seed import EpochSeed
from .gradient_balancing import GradientBalancingTrainer
from .panels import PanelHandler
from .prepare_batch import MultiTaskPrepareBatch
from .progress import TaskProgressBar
from .task_losses import NonFiniteLossError, TaskLossHandler, logged_scalars
from .weighting import WeightingHandler

__all__ = [
    "BestMetric",
    "CheckpointError",
    "EpochSeed",
    "GradientBalancingTrainer",
    "MultiTaskPrepareBatch",
    "NonFiniteLossError",
    "NonNegativeProjector",
    "PanelHandler",
    "ResumableCheckpoint",
    "TaskLossHandler",
    "TaskProgressBar",
    "VerifiedCheckpointLoader",
    "WeightingHandler",
    "aggregator_by_name",
    "load_checkpoint",
    "logged_scalars",
]
