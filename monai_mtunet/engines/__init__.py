"""What MONAI's engines need for several tasks: batch preparation, handlers and gradient balancing."""

from .activation_maps import ActivationMapHandler, draw_activation_maps, read_activation_maps
from .aggregators import NonNegativeProjector, aggregator_by_name
from .attention_masks import AttentionMaskHandler, draw_attention_masks, read_attention_masks
from .checkpoints import BestMetric, CheckpointError, ResumableCheckpoint, VerifiedCheckpointLoader, load_checkpoint
from .epoch_seed import EpochSeed
from .gradient_balancing import GradientBalancingTrainer
from .panels import PanelHandler
from .prepare_batch import MultiTaskPrepareBatch
from .pretrained import LoadedWeights, load_pretrained
from .pretrained_vgg import load_vgg16
from .progress import TaskProgressBar
from .task_losses import NonFiniteLossError, TaskLossHandler, logged_scalars
from .weight_plot import LossWeightPlot
from .weighting import WeightingHandler

__all__ = [
    "ActivationMapHandler",
    "AttentionMaskHandler",
    "BestMetric",
    "CheckpointError",
    "EpochSeed",
    "GradientBalancingTrainer",
    "LoadedWeights",
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
    "aggregator_by_name",
    "draw_activation_maps",
    "draw_attention_masks",
    "load_checkpoint",
    "load_pretrained",
    "load_vgg16",
    "logged_scalars",
    "read_activation_maps",
    "read_attention_masks",
]
