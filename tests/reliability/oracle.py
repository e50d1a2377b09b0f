"""What a bad image may be loaded as: what its format's own checks and another reader say, or what it was before."""

from __future__ import annotations

import gzip
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps

Array = NDArray[Any]


def is_acceptable(loaded: Array, path: Path, original: Array) -> bool:
    """Whether loaded values, (C, *spatial), are those that the file holds, or those that it held before.

    Where the file fails its own checksum, only the latter are: what was damaged is not to be used.
    """
    allowed = [original]
    with suppress(Exception):  # a damaged file; each format has exceptions of its own
        allowed += _read(path)
    return any(_same(loaded, _channel_first(array, loaded.ndim)) for array in allowed)


def _read(path: Path) -> list[Array]:
    if ".nii" in path.name:
        content = path.read_bytes()
        whole = gzip.decompress(content) if path.name.endswith(".gz") else content
        image: Any = nib.Nifti1Image.from_bytes(whole)
        return [np.asarray(image.dataobj)]
    if path.suffix == ".png":
        _check_png(path.read_bytes())
    if path.suffix == ".jpg" and b"\xff\xd9" not in path.read_bytes():
        raise ValueError("the image has no end")
    if path.suffix == ".tif":
        whole_file = tifffile.imread(path)
        return [whole_file, *_by_pillow(path)] if whole_file.dtype.kind in "iu" else [whole_file]
    return _by_pillow(path)


def _by_pillow(path: Path) -> list[Array]:
    with Image.open(path) as picture:
        arrays = [np.asarray(ImageOps.exif_transpose(picture)), np.asarray(picture)]
        arrays += [np.asarray(picture.convert("RGB"))] if picture.mode in ("P", "CMYK") else []
    return arrays


def _check_png(content: bytes) -> None:
    """Raise for a chunk or a stream whose checksum is not that of its bytes."""
    at, stream = 8, b""
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(content[at + 4 : at + 8 + length]) != checksum:
            raise ValueError("a chunk is damaged")
        stream += content[at + 8 : at + 8 + length] if content[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    zlib.decompress(stream)


def _channel_first(array: Array, ndim: int) -> Array:
    array = (
        array.squeeze(tuple(axis for axis in range(3, array.ndim) if array.shape[axis] == 1))
        if array.ndim > 4
        else array
    )
    if array.ndim == ndim and array.shape[-1] <= 4:
        return np.moveaxis(array, -1, 0)
    return array[None] if array.ndim == ndim - 1 else array


def _same(loaded: Array, array: Array) -> bool:
    if loaded.shape != array.shape or array.dtype.kind not in "iufb":
        return False
    with np.errstate(all="ignore"):
        expected = array.astype(np.float32)
    expected[np.isinf(expected)] = np.nan
    return bool(np.allclose(loaded, expected, rtol=1e-6, atol=1e-3, equal_nan=True))
