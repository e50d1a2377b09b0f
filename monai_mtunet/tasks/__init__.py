"""Tasks: what a network predicts, declared once."""

from .derive import label_classes, missing_voxels, out_channels, select_tasks, task_losses, task_metrics, task_names
from .panel import draw_panel, rasterise, save_panel
from .restoration import RestorationTask
from .segmentation import SegmentationTask
from .task import Task

__all__ = [
    "RestorationTask",
    "SegmentationTask",
    "Task",
    "draw_panel",
    "label_classes",
    "missing_voxels",
    "out_channels",
    "rasterise",
    "save_panel",
    "select_tasks",
    "task_losses",
    "task_metrics",
    "task_names",
]
