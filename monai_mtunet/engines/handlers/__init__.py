"""What runs beside training, validation and prediction."""

from .activation_maps import ActivationMapHandler, draw_activation_maps, read_activation_maps
from .attention_masks import AttentionMaskHandler, draw_attention_masks, read_attention_masks
from .checkpoints import ResumableCheckpoint, VerifiedCheckpointLoader, load_checkpoint
from .epoch_seed import EpochSeed
from .loss_weight_plot import LossWeightPlot, draw_loss_weights
from .panels import PanelHandler
from .task_loss_handler import NonFiniteLossError, TaskLossHandler
from .training_handlers import TrainingHandlers
from .validation_handlers import ValidationHandlers
from .weighting_handler import WeightingHandler

__all__ = [
    "ActivationMapHandler",
    "AttentionMaskHandler",
    "EpochSeed",
    "LossWeightPlot",
    "NonFiniteLossError",
    "PanelHandler",
    "ResumableCheckpoint",
    "TaskLossHandler",
    "TrainingHandlers",
    "ValidationHandlers",
    "VerifiedCheckpointLoader",
    "WeightingHandler",
    "draw_activation_maps",
    "draw_attention_masks",
    "draw_loss_weights",
    "load_checkpoint",
    "read_activation_maps",
    "read_attention_masks",
]
