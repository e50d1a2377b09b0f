"""DICOM, by MONAI's reader: a folder of one series, or a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any
from warnings import catch_warnings, filterwarnings

import numpy as np
from monai.data import ITKReader
from monai.utils import MetaKeys
from numpy.typing import NDArray

from ..axes import StoredAxes
from ..header import Header, Kind, rows, spacing_of
from ..image import Image, UnsuitableImageError
from .dicom_series import slices_of_series

__all__ = ["is_dicom", "open_dicom"]

_SEVERAL = ".*contains more than one DICOM series"  # MONAI's warning, where it takes any of them


def is_dicom(file: Path) -> bool:
    """Whether a file is DICOM by its content."""
    with file.open("rb") as opened:
        return opened.read(132)[128:] == b"DICM"


def open_dicom(path: Path) -> Image:
    """Open a series, which is read as a whole.

    Its prediction is NIfTI: an image of DICOM states patient, device and study, of which a network knows nothing.

    Raises:
        UnsuitableImageError: When it is one slice of a series, or a folder of several series.
    """
    if path.is_file() and (slices := slices_of_series(path)) > 1:
        raise UnsuitableImageError(
            f"{path} is one of the {slices} slices of a series: give its folder {path.parent}, or move a slice that is "
            "meant alone into a folder of its own."
        )
    values, affine = _values_and_affine(path)
    names = "xyzc"[: values.ndim]
    header = Header(
        kind=Kind.NIFTI,
        spatial_dims=3,
        dtype=values.dtype.name,
        axes=names,
        affine=rows(affine),
        spacing=spacing_of(affine, 3),
        unit="mm",
        ending=".nii.gz",
        spaces=(1, 1),
    )
    reason = "a DICOM series is read as a whole: convert it to .nii once (dcm2niix does)"
    image = Image(path, header, StoredAxes(names, values.shape, "xyz"), partial(_values, path), reason)
    image.keep(values)
    return image


def _values_and_affine(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    reader = ITKReader()
    with catch_warnings():
        filterwarnings("error", message=_SEVERAL)
        try:
            image = reader.read(str(path))
        except UserWarning as error:
            raise UnsuitableImageError(
                f"{path} holds several DICOM series: move each into a folder of its own."
            ) from error
    values, meta = reader.get_data(image)
    return values, np.asarray(meta[MetaKeys.AFFINE], dtype=np.float64)


def _values(path: Path) -> NDArray[Any]:
    return _values_and_affine(path)[0]
