"""What a task's files are like: one choice, from which resampling, types and file names follow."""

from __future__ import annotations

from enum import Enum

__all__ = ["SavedAs"]


class SavedAs(Enum):
    """What files hold of a task's predictions; how they are written is in `monai_mtunet.inferers.SavePredictionsd`."""

    LABELS = "label map of 8 bits"
    """Class numbers: resampled by nearest neighbor, never rescaled; a PNG has the task's palette."""

    IDS = "label map of 16 bits and more"
    """Ids of instances, or class numbers beyond 255: as class numbers, but without a palette. More than 65,535 take 32
    bits."""

    PICTURE = "picture"
    """Intensities as the network's input has them: what scaled the input is undone for them; images are PNGs."""

    VALUES = "values"
    """float32 of any unit, which 8 bits do not hold: resampled by nearest neighbor, never rescaled."""

    JSON = "JSON"
    """One vector per image: it has no place in the image, so nothing spatial is done to it."""
