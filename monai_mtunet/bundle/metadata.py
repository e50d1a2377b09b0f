"""The outputs in a bundle's ``metadata.json``, written from the tasks that the bundle declares."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from ..tasks import TaskList

__all__ = ["describe_outputs", "read_tasks", "write_outputs"]


def describe_outputs(tasks: TaskList, spatial_dims: int) -> dict[str, Any]:
    """What a network of these tasks predicts, as ``network_data_format.outputs`` says it.

    Args:
        tasks: the declared tasks.
        spatial_dims: 2 or 3.

    Returns:
        ``pred`` first, all dense heads stacked, as tools want one tensor; then every task.
    """
    described = {task.name: task.metadata(spatial_dims) for task in tasks}
    channels = [f"{name}: {text}" for name in tasks.out_channels for text in described[name]["channel_def"].values()]
    vectors = list(tasks.out_features)
    apart = f"; {' and '.join(vectors)} are outputs of their own" if vectors else ""
    stacked = {
        "type": "image",
        "format": f"all {'dense ' * bool(vectors)}heads, stacked in the order of the tasks" + apart,
        "num_channels": len(channels),
        "spatial_shape": ["*"] * spatial_dims,
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(index): channel for index, channel in enumerate(channels)},
    }
    return {"pred": stacked, **described}


def read_tasks(bundle: str | Path) -> tuple[TaskList, int]:
    """The tasks that a bundle predicts, and its spatial dimensions.

    Args:
        bundle: its folder, with ``inference.json``.
    """
    parser = ConfigParser()
    parser.read_config(Path(bundle) / "inference.json")
    tasks: TaskList = parser.get_parsed_content("active_tasks")
    return tasks, int(parser.get_parsed_content("spatial_dims"))


def write_outputs(bundle: str | Path) -> Path:
    """Write the outputs of a bundle's ``metadata.json``; the rest of it stays.

    Args:
        bundle: its folder, with ``inference.json`` and ``metadata.json``.

    Returns:
        The written file.
    """
    file = Path(bundle) / "metadata.json"
    metadata = json.loads(file.read_text(encoding="utf-8"))
    metadata["network_data_format"]["outputs"] = describe_outputs(*read_tasks(bundle))
    text = json.dumps(metadata, indent=4, ensure_ascii=False)
    # Short lists of plain values read better on one line.
    text = re.sub(r"\[\s+([^\[\]{}]{1,80}?)\s+\]", lambda found: "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]", text)
    file.write_text(text + "\n", encoding="utf-8")
    return file
