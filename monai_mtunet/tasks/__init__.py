"""Tasks: what a network predicts, declared once."""

from .averaging import Averaging, DirectionAveraging, ProbabilityAveraging
from .bounding_box import BoundingBoxTask
from .classification import ClassificationTask
from .color import ColorTask
from .color_bar import ColorBar
from .depth import DepthTask
from .derive import (
    image_classes,
    label_classes,
    metric_cmp_fn,
    missing_voxels,
    out_channels,
    out_features,
    select_tasks,
    spatial_names,
    task_losses,
    task_metrics,
    task_names,
    task_weights,
)
from .derived import DerivedTask
from .distance import DistanceTask
from .edges import EdgeTask
from .instances import InstanceTask
from .normals import NormalsTask
from .panel import draw_panel, rasterize, save_panel
from .quantity import QuantityTask
from .regression import RegressionTask
from .restoration import RestorationTask
from .segmentation import SegmentationTask
from .task import Task
from .task_colors import task_colors

__all__ = [
    "Averaging",
    "BoundingBoxTask",
    "ClassificationTask",
    "ColorBar",
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
    "SegmentationTask",
    "Task",
    "draw_panel",
    "image_classes",
    "label_classes",
    "metric_cmp_fn",
    "missing_voxels",
    "out_channels",
    "out_features",
    "rasterize",
    "save_panel",
    "select_tasks",
    "spatial_names",
    "task_colors",
    "task_losses",
    "task_metrics",
    "task_names",
    "task_weights",
]
