"""Tasks of targets that are intensities, quantities and directions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..fingerprint import DataFingerprint
from .declared import Declared
from .intensities import Intensities

__all__ = ["box", "depth", "disparity", "distance", "normals", "quantity", "restoration"]

_MILLIMETERS = 1000
_LARGE_BOX = 1.0  # beyond, boxes are in voxels
_SCALED = "the network predicts it divided by {}, its standard deviation, so that losses of all tasks are alike"


def restoration(
    name: str, intensities: Intensities, channels: int, clean: bool = True, reason: str = "a version of the image"
) -> Declared:
    """The image behind a degraded one, on the image's own scale."""
    task = {
        "_target_": "RestorationTask", "name": name, "channels": channels, "data_range": list(intensities.data_range),
        "mean": "@mean", "std": "@std", **({} if clean else {"clean_target": False}),
    }  # fmt: skip
    return Declared([task], f"{name}_psnr" if clean else f"{name}_noisy_mse", f"{reason}; mean squared error")


def quantity(name: str, found: DataFingerprint) -> Declared:
    """A number with a unit in every voxel; its unit is not known."""
    scale, draw_range = _spread(name, found)
    channels = max(len(one["channels"]) for case in found.cases if (one := case.targets.get(name)))
    task = {"_target_": "QuantityTask", "name": name, "unit": "units", "draw_range": draw_range, "channels": channels,
            "scale": scale}  # fmt: skip
    return Declared([task], f"{name}_mae", f"mean absolute error; {_SCALED.format(scale)}. Name its unit")


def depth(name: str, found: DataFingerprint) -> Declared:
    """Whole numbers are millimeters, all else meters."""
    whole = all(one["whole"] for case in found.cases if (one := case.targets.get(name)))
    scale, draw_range = _spread(name, found, _MILLIMETERS if whole else 1)
    task = {"_target_": "DepthTask", "name": name, "unit": "m", "draw_range": draw_range, "scale": scale}
    decode = {"_target_": "DecodeDepthd", "keys": name, "divisor": _MILLIMETERS, "allow_missing_keys": True}
    stored = "whole numbers are taken for millimeters (KITTI's divisor is 256), 0 for missing" if whole else "in meters"
    reason = f"{stored}; mean absolute error; {_SCALED.format(scale)}"
    return Declared([task], f"{name}_abs", reason, decode=[decode] if whole else [])


def disparity(name: str, found: DataFingerprint) -> Declared:
    """Whole numbers are Cityscapes' 16 bits, all else pixels."""
    whole = all(one["whole"] for case in found.cases if (one := case.targets.get(name)))
    scale, draw_range = _spread(name, found, 256 if whole else 1)
    task = {"_target_": "DepthTask", "name": name, "quantity": "disparity", "draw_range": draw_range, "scale": scale}
    decode = {"_target_": "DecodeDisparityd", "keys": name, "allow_missing_keys": True}
    stored = "whole numbers are 256 per pixel and 1, 0 is missing, as Cityscapes'" if whole else "in pixels"
    reason = f"{stored}; mean absolute error; {_SCALED.format(scale)}"
    return Declared([task], f"{name}_abs", reason, decode=[decode] if whole else [])


def distance(name: str, found: DataFingerprint) -> Declared:
    """In voxels, signed where there are negative ones."""
    scale, _ = _spread(name, found)
    signed = any(one.get("min", 0.0) < 0 for one in found.target_channels(name))
    task = {"_target_": "DistanceTask", "name": name, "unit": "voxel", "signed": signed, "scale": scale}
    return Declared([task], f"{name}_mae", f"mean absolute error; {_SCALED.format(scale)}")


def normals(name: str) -> Declared:
    """Unit vectors."""
    task = {"_target_": "NormalsTask", "name": name}
    return Declared([task], f"{name}_mean_angle", "1 - cosine; flips turn the vectors along")


def box(name: str, found: DataFingerprint, spatial_dims: int) -> Declared:
    """One box per image, in parts of its size where no number exceeds 1."""
    values = [case.targets[name] for case in found.cases if case.targets.get(name) is not None]
    unit = "normalized" if np.max(values) <= _LARGE_BOX else "voxel"
    task: dict[str, Any] = {"_target_": "BoundingBoxTask", "name": name, "spatial_dims": spatial_dims, "unit": unit}
    paint = {"_target_": "PaintBoxd", "tasks": "@active_tasks"}
    unpaint = {"_target_": "BoxOfMaskd", "tasks": "@active_tasks"}
    reason = f"{unit} numbers; painted while images are cropped and flipped"
    return Declared([task], f"{name}_iou", reason, decode=[paint], unmake=[unpaint], has_vector=True)


def _spread(name: str, found: DataFingerprint, divisor: float = 1) -> tuple[float, list[float]]:
    """Standard deviation, and a range that holds nearly all values, of two digits."""
    channels = found.target_channels(name)
    std = float(np.median([one["std"] for one in channels if "std" in one])) / divisor
    low = min(one["p0.5"] for one in channels if "p0.5" in one) / divisor
    high = max(one["p99.5"] for one in channels if "p99.5" in one) / divisor
    if not high > low:
        high = low + 1
    return float(f"{std or 1.0:.2g}"), [float(f"{low:.3g}"), float(f"{high:.3g}")]
