"""The kinds of tasks, one per file."""

from .bounding_box import BoundingBoxTask
from .classification import ClassificationTask
from .color import ColorTask
from .depth import DepthTask
from .distance import DistanceTask
from .edges import EdgeTask
from .instances import InstanceTask
from .normals import NormalsTask
from .quantity import QuantityTask
from .regression import RegressionTask
from .restoration import RestorationTask
from .segmentation import SegmentationTask

__all__ = [
    "BoundingBoxTask",
    "ClassificationTask",
    "ColorTask",
    "DepthTask",
    "DistanceTask",
    "EdgeTask",
    "InstanceTask",
    "NormalsTask",
    "QuantityTask",
    "RegressionTask",
    "RestorationTask",
    "SegmentationTask",
]
