"""What MONAI's engines need for several tasks: batch preparation, handlers and gradient balancing."""

from .activation_maps import ActivationMapHandler, draw_activation_maps, read_activation_maps
from .attention_masks import AttentionMaskHandler, draw_attention_masks, read_attention_masks
from .checkpoints import BestMetric, CheckpointError, ResumableCheckpoint, VerifiedCheckpointLoader, load_checkpoint
from .epoch_seed import EpochSeed
from .gradient_balancing import GradientBalancingTrainer, require_torchjd
from .loss_weight_plot import LossWeightPlot, draw_loss_weights
from .non_negative_projector import NonNegativeProjector
from .panels import PanelHandler
from .prepare_batch import MultiTaskPrepareBatch
from .progress import TaskProgressBar
from .task_loss_handler import NonFiniteLossError, TaskLossHandler
from .weighting_handler import WeightingHandler

__all__ = [
    "ActivationMapHandler",
    "AttentionMaskHandler",
    "BestMetric",
    "CheckpointError",
    "EpochSeed",
    "GradientBalancingTrainer",
    "LossWeightPlot",
    "MultiTaskPrepareBatch",
    "NonFiniteLossError",
    "NonNegativeProjector",
    "PanelHandler",
    "ResumableCheckpoint",
    "TaskLossHandler",
    "TaskProgressBar",
    "VerifiedCheckpointLoader",
    "WeightingHandler",
    "draw_activation_maps",
    "draw_attention_masks",
    "draw_loss_weights",
    "load_checkpoint",
    "read_activation_maps",
    "read_attention_masks",
    "require_torchjd",
]
