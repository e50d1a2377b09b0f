"""Inference over all tasks in one pass, and writing its results."""

from .averaging.flipped_windows import FlippedWindows
from .averaging.multi_scale_flip import MultiScaleFlipInferer
from .averaging.network_ensemble import NetworkEnsemble
from .multi_task_sliding_window import MultiTaskSlidingWindowInferer
from .postprocessing import TaskPostprocessing
from .save_label_map import SaveLabelMapd
from .save_predictions import SavePredictionsd

__all__ = [
    "FlippedWindows",
    "MultiScaleFlipInferer",
    "MultiTaskSlidingWindowInferer",
    "NetworkEnsemble",
    "SaveLabelMapd",
    "SavePredictionsd",
    "TaskPostprocessing",
]
