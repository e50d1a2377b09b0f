"""Open any image file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from .channel_files import together
from .formats.dicom import is_dicom, open_dicom
from .formats.itk import open_itk
from .formats.nifti import open_nifti
from .formats.npy import open_npy
from .formats.ome_zarr import is_zarr, open_zarr
from .formats.picture import PICTURES, is_picture, open_picture
from .formats.tiff import open_tiff
from .image import Image, UnsuitableImageError, naming

__all__ = ["IMAGE_ENDINGS", "open_image"]

Source = str | os.PathLike[str]

_BY_ENDING: dict[tuple[str, ...], Callable[[Path], Image]] = {
    (".nii", ".nii.gz"): open_nifti,
    (".npy", ".npz"): open_npy,
    (".tif", ".tiff"): open_tiff,
    (".nrrd", ".nhdr", ".mha", ".mhd"): open_itk,
    (".dcm",): open_dicom,
}
# Of files that are taken for images in a folder of many things; other files may be images too.
IMAGE_ENDINGS: tuple[str, ...] = (*chain(*_BY_ENDING), *PICTURES, ".jp2", ".j2k")


def open_image(path: Source | Sequence[Source]) -> Image:
    """Open an image without reading its values.

    Args:
        path: a file, a folder of one DICOM series, a zarr array or group, or a list of files that are the channels of
            one image.

    Raises:
        FileNotFoundError: When a file does not exist.
        OSError: When it cannot be read, or is no image with one, two or three axes and channels.
        ImportError: When an optional package is missing, with the line that installs it.

    Example:
        >>> image = open_image("brain.nii")
        >>> image.read((slice(0, 64), slice(0, 64), slice(0, 32))).shape
        (1, 64, 64, 32)
    """
    if not isinstance(path, (str, os.PathLike)):
        images = [open_image(file) for file in path]
        return images[0] if len(images) == 1 else together(images)
    file = Path(path).expanduser()
    if not os.path.exists(file):  # unlike Path's own, it takes names that no file can have
        raise FileNotFoundError(f"{path} does not exist: correct the path.")
    with naming(file):
        image = _opener(file)(file)
        _check_place(image)
        return image


def _check_place(image: Image) -> None:
    if image.affine is not None and not np.isfinite(image.affine).all():
        raise UnsuitableImageError(
            f"{image.path} lies nowhere, its affine is {image.affine.tolist()}: write its header anew, or take the "
            "file that it was made from."
        )


def _opener(file: Path) -> Callable[[Path], Image]:
    name = file.name.lower()
    if file.is_dir():
        return open_zarr if is_zarr(file) else open_dicom
    for endings, opener in _BY_ENDING.items():
        if name.endswith(endings):
            return opener
    if is_picture(file):
        return open_picture
    return open_dicom if is_dicom(file) else open_itk
