"""One network, all your dense tasks: multi-task U-Nets for MONAI, in 2D and 3D.

Importing it makes bare ``_target_`` names (``"UMC"``, ``"SegmentationTask"``) resolve in MONAI configurations, and
gives configurations the functions that derive a bundle's parts from its ``tasks``.
"""

from . import bundle, data, engines, inferers, losses, metrics, networks, tasks, transforms
from .inferers import postprocessing
from .tasks import (
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

__version__ = "0.1.0"

__all__ = [
    "bundle",
    "data",
    "engines",
    "image_classes",
    "inferers",
    "label_classes",
    "losses",
    "metric_cmp_fn",
    "metrics",
    "missing_voxels",
    "networks",
    "out_channels",
    "out_features",
    "postprocessing",
    "select_tasks",
    "spatial_names",
    "task_losses",
    "task_metrics",
    "task_names",
    "task_weights",
    "tasks",
    "transforms",
]
