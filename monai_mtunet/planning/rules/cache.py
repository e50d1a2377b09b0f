"""Whether images stay in memory once they are loaded."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil

from .choice import Choice
from .declared import Declared
from .grid import Grid
from .samples import Samples

__all__ = ["choose_cache"]

_FREE = 0.5  # of the memory that is free, for images
_FLOAT, _LABEL = 4, 2  # bytes of a cached voxel
_MOST_WORKERS = 8


def choose_cache(grid: Grid, channels: int, tasks: Sequence[Declared], free: float | None = None) -> Samples:
    """Keep all images in memory where half of what is free holds them; else read them anew, in processes beside.

    Args:
        grid: the images, as they are cached.
        channels: of an image.
        tasks: all, whose targets are cached too.
        free: bytes of memory that are free; by default this machine's.
    """
    dense = [task for one in tasks if not one.has_vector for task in one.tasks]
    labels = sum(task["_target_"] in ("SegmentationTask", "EdgeTask", "InstanceTask") for task in dense)
    values = sum(int(task.get("channels", 1)) for task in dense) - labels
    voxels = float(np.prod(grid.sizes, axis=1, dtype=np.float64).sum())
    needed = voxels * (_FLOAT * (channels + values) + _LABEL * labels)
    free = float(psutil.virtual_memory().available) if free is None else free
    told = f"all images take {needed / 1e9:.2g} GB, and {free / 1e9:.2g} GB are free"
    if needed <= _FREE * free:
        return Samples({}, [Choice("cache", "all images", told)])
    workers = max(1, min(_MOST_WORKERS, (os.cpu_count() or 1) - 1))
    items: dict[str, Any] = {"cache_rate": 0.0, "num_workers": workers}
    return Samples(
        items, [Choice("cache", "none", f"{told}: they are read anew in every epoch, by {workers} process(es)")]
    )
