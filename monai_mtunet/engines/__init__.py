"""What MONAI's engines need for several tasks: batch preparation and handlers."""

from .checkpoints import BestMetric, CheckpointError, ResumableCheckpoint, VerifiedCheckpointLoader, load_checkpoint
from .epoch_seed import EpochSeed
from .panels import PanelHandler
from .prepare_batch import MultiTaskPrepareBatch
from .progress import TaskProgressBar
from .task_losses import NonFiniteLossError, TaskLossHandler, logged_scalars
from .weighting import WeightingHandler

__all__ = [
    "BestMetric",
    "CheckpointError",
    "EpochSeed",
    "MultiTaskPrepareBatch",
    "NonFiniteLossError",
    "PanelHandler",
    "ResumableCheckpoint",
    "TaskLossHandler",
    "TaskProgressBar",
    "VerifiedCheckpointLoader",
    "WeightingHandler",
    "load_checkpoint",
    "logged_scalars",
]
