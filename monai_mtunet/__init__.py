"""One network, all your dense tasks: multi-task U-Nets for MONAI, in 2D and 3D.

Importing it makes bare ``_target_`` names (``"UMC"``, ``"SegmentationTask"``) resolve in MONAI configurations.
"""

import sys
from pathlib import PurePath
from typing import TYPE_CHECKING

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
    "report",
    "tasks",
    "transforms",
]


def _is_command() -> bool:
    """Whether this process is ``python -m monai_mtunet`` or ``monai-mtunet``, whose help need not wait for torch.

    Processes that it starts, such as workers, are not.
    """
    started = next(iter(sys.orig_argv[-len(sys.argv) :]), "")
    return PurePath(started).stem.replace("-", "_") == __name__


if TYPE_CHECKING or not _is_command():  # a command imports them itself, once its arguments are right
    from . import (
        bundle,
        data,
        engines,
        inferers,
        losses,
        metrics,
        networks,
        pictures,
        pretrained,
        report,
        tasks,
        transforms,
    )
