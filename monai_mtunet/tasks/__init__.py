"""Tasks: what a network predicts, declared once."""

from .classification import ClassificationTask
from .derive import (
    image_classes,
    label_classes,
    missing_voxels,
    out_channels,
    out_features,
    select_tasks,
    task_losses,
    task_metrics,
    task_names,
)
from .panel import draw_panel, rasterise, save_panel
from .restoration import RestorationTask
from .segmentation import SegmentationTask
from .task import Task

__all__ = [
    "ClassificationTask",
    "RestorationTask",
    "SegmentationTask",
    "Task",
    "draw_panel",
    "image_classes",
    "label_classes",
    "missing_voxels",
    "out_channels",
    "out_features",
    "rasterise",
    "save_panel",
    "select_tasks",
    "task_losses",
    "task_metrics",
    "task_names",
]
