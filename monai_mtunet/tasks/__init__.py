"""Tasks: what a network predicts, declared once."""

from .averaging import Averaging, DirectionAveraging, ProbabilityAveraging
from .derived import DerivedTask
from .kinds.bounding_box import BoundingBoxTask
from .kinds.classification import ClassificationTask
from .kinds.color import ColorTask
from .kinds.depth import DepthTask
from .kinds.distance import DistanceTask
from .kinds.edges import EdgeTask
from .kinds.instances import InstanceTask
from .kinds.normals import NormalsTask
from .kinds.quantity import QuantityTask
from .kinds.regression import RegressionTask
from .kinds.restoration import RestorationTask
from .kinds.segmentation import SegmentationTask
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
