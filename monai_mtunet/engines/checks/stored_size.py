"""The size of an image as its file's header tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import SimpleITK
import torch
from monai.utils import ensure_tuple
from PIL import Image

__all__ = ["stored_size"]


def stored_size(image: Any) -> tuple[int, ...] | None:
    """Tell the size of an image without reading its voxels: to see whether sizes differ, in the file's own axes.

    Args:
        image: its file, or several, whose first counts; or an array.

    Returns:
        Size of the file, channels included where it stores them as an axis; ``None`` where the header does not tell.
    """
    if isinstance(image, (torch.Tensor, np.ndarray)):
        return tuple(image.shape)
    files = ensure_tuple(image)
    if not files or not isinstance(files[0], str | Path):
        return None
    file = Path(files[0]).expanduser()
    for read in (_of_picture, _of_nifti, _of_others) if file.is_file() else ():
        try:
            return read(str(file))
        except Exception:  # each format has exceptions of its own; what is wrong with a file, loading it says
            continue
    return None


def _of_picture(file: str) -> tuple[int, ...]:
    with Image.open(file) as image:
        return tuple(image.size)


def _of_nifti(file: str) -> tuple[int, ...]:
    return tuple(nibabel.load(file).shape)  # type: ignore[attr-defined]


def _of_others(file: str) -> tuple[int, ...]:
    if file.lower().endswith(".npy"):
        return tuple(np.load(file, mmap_mode="r").shape)
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(file)
    reader.ReadImageInformation()
    return tuple(reader.GetSize())
