"""NIfTI files that lie where their image's file does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from monai.data import MetaTensor
from monai.data.utils import to_affine_nd
from numpy.typing import DTypeLike
from torch import Tensor

__all__ = ["is_of_nifti", "save_volume"]

_AXES_SWAPPED = "axes_swapped"  # how `LoadSampled` marks meta data of (C, H, W) whose file has axes (X, Y)


def is_of_nifti(values: Tensor, meta: Mapping[str, Any]) -> bool:
    """Whether a prediction is saved as NIfTI: that of a volume, or of a 2D image whose file says where it lies."""
    return values.ndim == 4 or (values.ndim == 3 and _AXES_SWAPPED in meta)


def save_volume(values: Tensor, meta: Mapping[str, Any], dtype: DTypeLike, path: Path) -> None:
    """Write a volume, or a 2D image in its file's axes.

    As many spatial axes are written as there are: MONAI's ``SaveImage`` drops the last one of a single slice.

    Args:
        values: ``(C, X, Y, Z)``, or ``(C, H, W)`` of a file with axes (X, Y). Several channels are written last, as the
            fourth axis. Its affine is that of the file, or the image's where it has none.
        meta: the image's meta data.
        dtype: of the file.
        path: of the file, which ends in ``.nii.gz``.
    """
    affine = np.asarray(values.affine if isinstance(values, MetaTensor) else meta.get("affine", np.eye(4)))
    array = torch.as_tensor(values).detach().cpu().numpy().astype(dtype)
    if values.ndim == 3:
        array, affine = array.swapaxes(1, 2), affine[:, [1, 0, *range(2, len(affine))]]
    array = array[0] if len(array) == 1 else np.moveaxis(array if array.ndim == 4 else array[..., None], 0, -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, to_affine_nd(3, affine)), path)
