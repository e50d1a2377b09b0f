"""NRRD, MetaImage (MHA), Analyze and what else ITK reads, by SimpleITK; uncompressed NRRD and MHA are mapped."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from ..axes import StoredAxes
from ..header import Header, Kind, rows, rows_first, spacing_of
from ..image import Image, UnsuitableImageError
from ..units import short_unit
from .itk_headers import raw_values

__all__ = ["open_itk"]

_KINDS = {".nrrd": Kind.NRRD, ".nhdr": Kind.NRRD, ".mha": Kind.MHA, ".mhd": Kind.MHA}
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def open_itk(path: Path) -> Image:
    """Open a file by its header."""
    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    dims, channels = reader.GetDimension(), reader.GetNumberOfComponents()
    size = [int(length) for length in reader.GetSize()]
    pixel = SimpleITK.GetPixelIDValueAsString(reader.GetPixelIDValue())
    if dims not in (2, 3) or "complex" in pixel:
        raise UnsuitableImageError(
            f"{path} holds {pixel} of {' x '.join(map(str, size))}, where an image has two or three axes: save the "
            "part that is the image."
        )
    names = "zyx"[-dims:] + ("c" if channels > 1 else "")
    axes = StoredAxes(names, (*size[::-1], *([channels] if channels > 1 else [])), "yx" if dims == 2 else "xyz")
    affine = _affine(reader, dims)
    kind = _KINDS.get(path.suffix.lower(), Kind.NIFTI)
    stored = raw_values(path, axes.shape)
    header = Header(
        kind=kind,
        spatial_dims=dims,
        dtype=_dtype(reader).name,
        axes=names,
        affine=rows(affine),
        spacing=spacing_of(affine, dims),
        unit=_unit(reader),
        ending={Kind.NRRD: ".nrrd", Kind.MHA: ".mha"}.get(kind, ""),
    )
    if stored is not None and np.dtype(stored.dtype).newbyteorder("=") == np.dtype(header.dtype):
        return Image(path, header, axes, stored.open)
    return Image(
        path, header, axes, partial(_values, path), "it is compressed, or ITK reads it as a whole: save it as .nii"
    )


def _affine(reader: Any, dims: int) -> NDArray[np.float64]:
    """From indices to places in NIfTI's directions, for axes (Y, X) of images."""
    affine = np.eye(4)
    affine[:dims, :dims] = np.reshape(reader.GetDirection(), (dims, dims)) @ np.diag(reader.GetSpacing())
    affine[:dims, 3] = reader.GetOrigin()
    affine = _LPS_TO_RAS @ affine
    return rows_first(affine) if dims == 2 else affine


def _dtype(reader: Any) -> np.dtype[Any]:
    """That of one voxel, which is all that has to be made to ask SimpleITK for it."""
    voxel = SimpleITK.Image([1] * reader.GetDimension(), reader.GetPixelIDValue(), reader.GetNumberOfComponents())
    return np.dtype(SimpleITK.GetArrayViewFromImage(voxel).dtype)


def _unit(reader: Any) -> str | None:
    key = "NRRD_space units"
    units = reader.GetMetaData(key).split() if reader.HasMetaDataKey(key) else []
    return short_unit(units[0].strip('"')) if units else None


def _values(path: Path) -> NDArray[Any]:
    values: NDArray[Any] = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
    return values
