"""MONAI's engines for several tasks: what all bundles share of training, validation and prediction."""

from .evaluator import MultiTaskEvaluator, MultiTaskPredictor
from .gradient_balancing import GradientBalancingTrainer, require_torchjd
from .handlers.activation_maps import ActivationMapHandler
from .handlers.attention_masks import AttentionMaskHandler, read_attention_masks
from .handlers.checkpoints import ResumableCheckpoint, VerifiedCheckpointLoader
from .handlers.epoch_seed import EpochSeed
from .handlers.loss_weight_plot import LossWeightPlot, draw_loss_weights
from .handlers.panels import PanelHandler
from .handlers.task_loss_handler import NonFiniteLossError, TaskLossHandler
from .handlers.training_handlers import TrainingHandlers
from .handlers.validation_handlers import ValidationHandlers
from .handlers.weighting_handler import WeightingHandler
from .non_negative_projector import NonNegativeProjector
from .prepare_batch import MultiTaskPrepareBatch
from .preprocessing import TaskPreprocessing
from .trainer import MultiTaskTrainer

__all__ = [
    "ActivationMapHandler",
    "AttentionMaskHandler",
    "EpochSeed",
    "GradientBalancingTrainer",
    "LossWeightPlot",
    "MultiTaskEvaluator",
    "MultiTaskPredictor",
    "MultiTaskPrepareBatch",
    "MultiTaskTrainer",
    "NonFiniteLossError",
    "NonNegativeProjector",
    "PanelHandler",
    "ResumableCheckpoint",
    "TaskLossHandler",
    "TaskPreprocessing",
    "TrainingHandlers",
    "ValidationHandlers",
    "VerifiedCheckpointLoader",
    "WeightingHandler",
    "draw_loss_weights",
    "read_attention_masks",
    "require_torchjd",
]
