"""NumPy's ``.npy`` and ``.npz``, whose axes have no names."""

from __future__ import annotations

from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from ..axes import StoredAxes
from ..damage import check_size
from ..header import Header, Kind
from ..image import Image, UnsuitableImageError
from ..raw_array import RawArray

__all__ = ["npy_axes", "npy_header", "open_npy"]

_NAMES = {2: "yx", 3: "xyz", 4: "cxyz"}


def open_npy(path: Path) -> Image:
    """Open an array: (H, W), (X, Y, Z) or (C, X, Y, Z), as LoadSampled has taken them."""
    if path.name.lower().endswith(".npz"):
        values = _only_array(path)
        return _image(
            path, values.shape, values.dtype, partial(_only_array, path), "a .npz is read as a whole: np.save"
        )
    with path.open("rb") as file:
        version = npy_format.read_magic(file)
        read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        shape, in_columns, dtype = read(file)
        offset = file.tell()
    if dtype.hasobject:
        raise UnsuitableImageError(f"{path} holds Python objects, where an array of numbers is expected.")
    check_size(path, shape, dtype, offset)
    stored = RawArray(path, dtype.str, shape, offset, "F" if in_columns else "C")
    return _image(path, shape, dtype, stored.open)


def _image(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], open_values: Any, reason: str = "") -> Image:
    if len(shape) not in _NAMES or dtype.kind not in "iufb":
        raise UnsuitableImageError(
            f"{path} holds {dtype} of shape {shape}, where numbers of shape (H, W), (X, Y, Z) or (C, X, Y, Z) are "
            "expected. The channels of a 2D image go into a file each, given as a list, or into a TIFF."
        )
    names = _NAMES[len(shape)]
    header = Header(Kind.NPY, 2 if len(shape) == 2 else 3, dtype.newbyteorder("=").name, names, ending=".npy")
    axes = StoredAxes(names, tuple(shape), "yx" if len(shape) == 2 else "xyz")
    return Image(path, header, axes, open_values, reason)


def _only_array(path: Path) -> NDArray[Any]:
    with np.load(path) as arrays:
        if len(arrays.files) != 1:
            raise UnsuitableImageError(
                f"{path} holds the arrays {arrays.files}: save the one that is the image by np.save."
            )
        values: NDArray[Any] = arrays[arrays.files[0]]
        return values


def npy_axes(header: Header, shape: tuple[int, ...]) -> StoredAxes:
    """Axes of a file: (H, W), (X, Y, Z), or channels first."""
    spatial = "yx" if header.spatial_dims == 2 else "xyz"
    return StoredAxes(spatial, shape[1:], spatial) if shape[0] == 1 else StoredAxes("c" + spatial, shape, spatial)


def npy_header(header: Header, axes: StoredAxes, dtype: np.dtype[Any]) -> bytes:
    """The bytes that stand before the values."""
    written = BytesIO()
    described = {"descr": npy_format.dtype_to_descr(dtype), "fortran_order": False, "shape": axes.shape}
    npy_format.write_array_header_2_0(written, described)
    return written.getvalue()
