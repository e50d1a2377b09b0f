"""MONAI's engines for several tasks: what all bundles share of training, validation and prediction."""

from .evaluator import MultiTaskEvaluator, MultiTaskPredictor
from .gradient_balancing import GradientBalancingTrainer, require_torchjd
from .handlers import (
    ActivationMapHandler,
    AttentionMaskHandler,
    EpochSeed,
    LossWeightPlot,
    NonFiniteLossError,
    PanelHandler,
    ResumableCheckpoint,
    TaskLossHandler,
    TrainingHandlers,
    ValidationHandlers,
    VerifiedCheckpointLoader,
    WeightingHandler,
    draw_activation_maps,
    draw_attention_masks,
    draw_loss_weights,
    load_checkpoint,
    read_activation_maps,
    read_attention_masks,
)
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
    "draw_activation_maps",
    "draw_attention_masks",
    "draw_loss_weights",
    "load_checkpoint",
    "read_activation_maps",
    "read_attention_masks",
    "require_torchjd",
]
