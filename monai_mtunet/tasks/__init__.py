"""Tasks: what a network predicts, declared once."""

from .averaging import Averaging, DirectionAveraging, ProbabilityAveraging
from .derived import DerivedTask
from .kinds import (
    BoundingBoxTask,
    ClassificationTask,
    ColorTask,
    DepthTask,
    DistanceTask,
    EdgeTask,
    InstanceTask,
    NormalsTask,
    QuantityTask,
    RegressionTask,
    RestorationTask,
    SegmentationTask,
)
from .panel import draw_panel
from .saved_as import SavedAs
from .task import Task
from .task_list import TaskList

__all__ = [
    "Averaging",
    "BoundingBoxTask",
    "ClassificationTask",
    "ColorTask",
    "DepthTask",
    "DerivedTask",
    "DirectionAveraging",
    "DistanceTask",
    "EdgeTask",
    "InstanceTask",
    "NormalsTask",
    "ProbabilityAveraging",
    "QuantityTask",
    "RegressionTask",
    "RestorationTask",
    "SavedAs",
    "SegmentationTask",
    "Task",
    "TaskList",
    "draw_panel",
]
