"""What to do about a file that cannot be read."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["advice", "check_size"]

_KNOWN = (
    *(".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".npy", ".npz", ".dcm", ".hdr", ".img", ".zarr"),
    *(".tif", ".tiff", ".jp2", ".j2k"),
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif"),
)
_DAMAGED = "It is truncated, corrupt or not an image; replace the file."
_MOST_COMPRESSED = 1032  # what deflate makes of zeros at best


def advice(file: Path) -> str:
    """What is probably wrong, and what to do about it."""
    if file.is_dir():
        return "It is a folder, but holds no series of DICOM slices: give a file, or the folder of one series."
    if file.name.startswith("."):
        return "It is a hidden file, which macOS and others write beside images: leave it out."
    if not file.name.lower().endswith(_KNOWN):
        return "Its format is unknown, or it is damaged: convert it to PNG or TIFF, or to NIfTI if it is a volume."
    return _DAMAGED


def check_size(path: Path, shape: tuple[int, ...], dtype: Any, offset: int = 0, compressed: bool = False) -> None:
    """Check that a file is large enough for what its header claims, before memory is taken for it.

    Raises:
        ValueError: When it is not.
    """
    claimed = prod(shape) * np.dtype(dtype).itemsize
    size = path.stat().st_size
    if min(shape, default=0) <= 0 or claimed > (size * _MOST_COMPRESSED if compressed else size - offset):
        raise ValueError(
            f"its header claims {' x '.join(map(str, shape))} values of {np.dtype(dtype)}, {claimed} bytes, "
            f"but the file has {size}"
        )
