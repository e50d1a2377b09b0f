"""Inference over all tasks in one pass, and writing its results."""

from .multi_task_sliding_window import MultiTaskSlidingWindowInferer
from .postprocessing import postprocessing
from .save_predictions import PostprocessTasksd, SavePaneld, SavePredictionsd

__all__ = [
    "MultiTaskSlidingWindowInferer",
    "PostprocessTasksd",
    "SavePaneld",
    "SavePredictionsd",
    "postprocessing",
]
