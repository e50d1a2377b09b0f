"""What a bundle says of its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monai.bundle import ConfigParser
from monai.transforms import Compose

from ..bundle.configuration_files import configuration_files
from ..tasks import TaskList

__all__ = ["bundle_tasks"]


def bundle_tasks(bundle: str | Path, overlays: Sequence[str] = ()) -> tuple[TaskList, int, Compose]:
    """Read a bundle's ``inference.json`` and overlays; no trained network is needed.

    Args:
        bundle: its folder.
        overlays: further configuration files, those that the predictions were made with.

    Returns:
        The tasks, the spatial dimensions and the preprocessing.

    Raises:
        FileNotFoundError: When there is no such bundle or overlay.
        ValueError: When an overlay cannot be read, or an item of it is mistyped.
    """
    config = ConfigParser()
    config.read_config(configuration_files(bundle, overlays))
    config.update({"bundle_root": str(bundle), "val_data": []})  # no data set is looked for
    tasks: TaskList = config.get_parsed_content("active_tasks")
    preprocessing: Compose = config.get_parsed_content("preprocessing")
    return tasks, int(config.get_parsed_content("spatial_dims")), preprocessing
