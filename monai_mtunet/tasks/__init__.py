"""Tasks: what a network predicts, declared once."""

from .averaging import Averaging, DirectionAveraging, ProbabilityAveraging
from .bounding_box import BoundingBoxTask
from .classification import ClassificationTask
from .colour import ColourTask
from .colour_bar import ColourBar
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
from .panel import draw_panel, rasterise, save_panel
from .quantity import QuantityTask
from .regression import RegressionTask
from .restoration import RestorationTask
from .segmentation import SegmentationTask
from .task import Task
from .task_colours import task_colours

__all__ = [
    "Averaging",
    "BoundingBoxTask",
    "ClassificationTask",
    "ColourBar",
    "ColourTask",
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
    "rasterise",
    "save_panel",
    "select_tasks",
    "spatial_names",
    "task_colours",
    "task_losses",
    "task_metrics",
    "task_names",
    "task_weights",
]
