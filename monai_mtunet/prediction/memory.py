"""How much memory an image takes that is predicted as a whole."""

from __future__ import annotations

import re
from math import prod

from ..files.image import Image
from ..tasks import TaskList

__all__ = ["parse_bytes", "whole_image_bytes"]

_FLOAT = 4
_COPIES = 4  # of the image while transforms follow each other, and of predictions while they become files
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def whole_image_bytes(image: Image, tasks: TaskList) -> float:
    """What the image, its predictions and their copies take, the network left out."""
    channels = _COPIES * (image.shape[0] + sum(tasks.out_channels.values()))
    return float(prod(image.shape[1:]) * (channels * _FLOAT + image.shape[0] * image.dtype.itemsize))


def parse_bytes(text: str) -> float:
    """``"4GB"``, ``"500 MiB"`` or ``"2e9"`` as a number of bytes.

    Raises:
        ValueError: When it is no amount of memory.
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:e[0-9]+)?)\s*([kmgt]?i?)b?\s*", text, flags=re.IGNORECASE)
    if found is None or found[2].lower() not in _UNITS or not float(found[1]) > 0:
        raise ValueError(f"{text!r} is no amount of memory: write 4GB, 500MB or 1.5GiB.")
    return float(found[1]) * _UNITS[found[2].lower()]
