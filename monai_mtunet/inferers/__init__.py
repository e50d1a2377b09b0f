"""Inference over all tasks in one pass, and writing its results."""

from .multi_scale_flip import MultiScaleFlipInferer
from .multi_task_sliding_window import MultiTaskSlidingWindowInferer
from .postprocessing import TaskPostprocessing
from .save_label_map import SaveLabelMapd
from .save_predictions import SavePredictionsd

__all__ = [
    "MultiScaleFlipInferer",
    "MultiTaskSlidingWindowInferer",
    "SaveLabelMapd",
    "SavePredictionsd",
    "TaskPostprocessing",
]
