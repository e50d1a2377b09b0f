"""One network, all your dense tasks: multi-task U-Nets for MONAI, in 2D and 3D.

Importing it makes bare ``_target_`` names (``"UMC"``, ``"SegmentationTask"``) resolve in MONAI configurations.
"""

from . import bundle, data, engines, inferers, losses, metrics, networks, pictures, pretrained, tasks, transforms

__version__ = "0.1.0"

__all__ = [
    "bundle",
    "data",
    "engines",
    "inferers",
    "losses",
    "metrics",
    "networks",
    "pictures",
    "pretrained",
    "tasks",
    "transforms",
]
