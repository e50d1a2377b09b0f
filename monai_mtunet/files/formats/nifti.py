"""NIfTI, by nibabel."""

from __future__ import annotations

import gzip
from functools import partial
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from ..axes import SINGLE, StoredAxes
from ..damage import check_size
from ..header import Header, Kind, rows, rows_first, spacing_of
from ..image import Image, UnsuitableImageError
from ..units import short_unit

__all__ = ["nifti_axes", "nifti_header", "open_nifti"]

COMPRESSED = ".nii.gz"
_CHUNK = 2**20  # bytes
_MOST_OF_NIFTI_1 = 32767  # voxels along an axis


def open_nifti(path: Path) -> Image:
    """Open a file; 2D ones, with axes (X, Y), are (C, H, W) as displayed.

    ITK writes vectors as (X, Y, Z, 1, C), and some programs (X, Y, Z, 1, 1).
    """
    compressed = path.name.lower().endswith(".gz")
    file: Any = nibabel.load(path)
    proxy = file.dataobj
    check_size(path, proxy.shape, file.get_data_dtype(), proxy.offset, compressed)
    dims = min(len(proxy.shape), 3)
    names = "xyz"[:dims] + "".join(SINGLE if size == 1 else "c" for size in proxy.shape[dims:])
    if dims < 2 or names.count("c") > 1 or file.get_data_dtype().kind not in "iuf":
        raise UnsuitableImageError(
            f"{path} holds {file.get_data_dtype()} of shape {proxy.shape}, where numbers of shape (X, Y), (X, Y, Z) or "
            "(X, Y, Z, C) are expected: save the part that is the image, colors as channels."
        )
    spatial_dims = 2 if dims == 2 else 3
    affine = np.asarray(file.affine, dtype=np.float64)
    affine = rows_first(affine) if spatial_dims == 2 else affine
    header = Header(
        kind=Kind.NIFTI,
        spatial_dims=spatial_dims,
        dtype=proxy[tuple(slice(0, 1) for _ in proxy.shape)].dtype.newbyteorder("=").name,
        axes=names,
        affine=rows(affine),
        spacing=spacing_of(affine, spatial_dims),
        unit=short_unit(file.header.get_xyzt_units()[0]),
        variant=COMPRESSED if compressed else ".nii",
        ending=COMPRESSED,
        spaces=_spaces(file),
    )
    axes = StoredAxes(names, tuple(proxy.shape), "yx" if dims == 2 else "xyz")
    reason = f"{path.name} is compressed, unpack it once: gunzip --keep {path.name}" if compressed else ""
    return Image(path, header, axes, partial(_values, path), reason)


def _values(path: Path) -> Any:
    file: Any = nibabel.load(path)
    if not path.name.lower().endswith(".gz"):
        return file.dataobj
    last = file.dataobj.offset + prod(file.shape) * file.get_data_dtype().itemsize
    with gzip.open(path) as packed:
        content = packed.read(last)
        while packed.read(_CHUNK):  # to its end, where the checksum is: nibabel stops after the last voxel
            pass
    return type(file).from_bytes(content).dataobj


def nifti_axes(header: Header, shape: tuple[int, ...]) -> StoredAxes:
    """Axes of a file: channels are written last, as the fourth axis."""
    sizes = dict(zip("cyx" if header.spatial_dims == 2 else "cxyz", shape, strict=True))
    names = "xy" if header.spatial_dims == 2 else "xyz"
    if shape[0] > 1:
        names = "xy-c" if header.spatial_dims == 2 else "xyzc"
    stored = tuple(1 if name == SINGLE else sizes[name] for name in names)
    return StoredAxes(names, stored, "yx" if header.spatial_dims == 2 else "xyz")


def nifti_header(header: Header, axes: StoredAxes, dtype: np.dtype[Any]) -> bytes:
    """The bytes that stand before the values."""
    affine = np.eye(4) if header.affine is None else np.array(header.affine)
    affine = rows_first(affine) if header.spatial_dims == 2 else affine
    kind = nibabel.Nifti1Image if max(axes.shape) <= _MOST_OF_NIFTI_1 else nibabel.Nifti2Image
    image = kind(np.broadcast_to(dtype.type(0), axes.shape), affine, dtype=dtype)
    if header.unit in ("mm", "um", "m"):
        image.header.set_xyzt_units({"mm": "mm", "um": "micron", "m": "meter"}[header.unit])
    _place(image.header, affine, *header.spaces)
    image.header.set_slope_inter(1, 0)
    image.header["vox_offset"] = image.header.single_vox_offset
    written = BytesIO()
    image.header.write_to(written)
    content = written.getvalue()
    return content + bytes(int(image.header["vox_offset"]) - len(content))


def _spaces(file: Any) -> tuple[int, int]:
    """Codes of qform and sform, of which one may lead elsewhere: nibabel goes by the sform."""
    qform, sform = int(file.header["qform_code"]), int(file.header["sform_code"])
    return (qform if qform and _is_qform_of(file.header, file.affine) else 0, sform)


def _place(nifti: Any, affine: NDArray[np.float64], qform: int, sform: int) -> None:
    """Say the place as the image does: programs read one or the other, and compare the codes of two files."""
    if qform:
        nifti.set_qform(affine, qform)
        if not _is_qform_of(nifti, affine):  # which knows no shears
            nifti.set_qform(None, 0)
    nifti.set_sform(affine, sform if sform or nifti["qform_code"] else 2)


def _is_qform_of(nifti: Any, affine: NDArray[np.float64]) -> bool:
    return bool(np.allclose(nifti.get_qform(), affine, rtol=1e-4, atol=1e-4 * np.abs(affine[:3, :3]).max()))
