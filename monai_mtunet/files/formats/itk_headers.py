"""Where uncompressed values stand in NRRD and MHA files, and the headers of such files as they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..axes import StoredAxes
from ..damage import check_size
from ..header import Header, rows_first
from ..raw_array import RawArray

__all__ = ["itk_axes", "mha_header", "nrrd_header", "raw_values"]

_LONGEST = 1 << 16  # bytes of a header
_NRRD_TYPES = {
    "int8": "int8", "uint8": "uint8", "int16": "short", "uint16": "ushort", "int32": "int", "uint32": "uint",
    "int64": "longlong", "uint64": "ulonglong", "float32": "float", "float64": "double",
}  # fmt: skip
_NRRD_NAMES = {
    "int8": "signed char|int8|int8_t", "uint8": "uchar|unsigned char|uint8|uint8_t",
    "int16": "short|short int|signed short|signed short int|int16|int16_t",
    "uint16": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "int32": "int|signed int|int32|int32_t", "uint32": "uint|unsigned int|uint32|uint32_t",
    "int64": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "uint64": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "float32": "float", "float64": "double",
}  # fmt: skip
_MHA_TYPES = {
    "int8": "MET_CHAR", "uint8": "MET_UCHAR", "int16": "MET_SHORT", "uint16": "MET_USHORT", "int32": "MET_INT",
    "uint32": "MET_UINT", "int64": "MET_LONG_LONG", "uint64": "MET_ULONG_LONG", "float32": "MET_FLOAT",
    "float64": "MET_DOUBLE",
}  # fmt: skip
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def raw_values(path: Path, shape: tuple[int, ...]) -> RawArray | None:
    """The values of a file that holds them uncompressed behind its header; None of any other.

    Raises:
        ValueError: When the file is too small for them.
    """
    with path.open("rb") as file:
        start = file.read(_LONGEST)
    found = _of_nrrd(start) if start.startswith(b"NRRD") else _of_mha(start) if b"ElementDataFile" in start else None
    if found is None:
        return None
    dtype, offset = found
    check_size(path, shape, dtype, offset)
    return RawArray(path, dtype, shape, offset, "C")


def _of_nrrd(start: bytes) -> tuple[str, int] | None:
    header, blank, _ = start.replace(b"\r\n", b"\n").partition(b"\n\n")
    if not blank or b"\r" in start[: len(header)]:
        return None
    fields = dict(line.split(": ", 1) for line in header.decode("latin-1").split("\n")[1:] if ": " in line)
    names = {name: dtype for dtype, spelled in _NRRD_NAMES.items() for name in spelled.split("|")}
    dtype = names.get(fields.get("type", "").strip())
    moved = any(name in fields for name in ("data file", "datafile", "line skip", "byte skip", "lineskip", "byteskip"))
    # ITK moves channels that are not the fastest axis.
    in_order = "vector" not in " ".join(fields.get("kinds", "").split()[1:])
    if dtype is None or moved or not in_order or fields.get("encoding", "").strip() != "raw":
        return None
    order: Literal["<", ">"] = ">" if fields.get("endian", "little").strip() == "big" else "<"
    return np.dtype(dtype).newbyteorder(order).str, len(header) + 2


def _of_mha(start: bytes) -> tuple[str, int] | None:
    fields, offset = {}, 0
    for line in start.splitlines(keepends=True):
        offset += len(line)
        name, _, value = line.decode("latin-1").partition("=")
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile":
            break
    names = {spelled: dtype for dtype, spelled in _MHA_TYPES.items()}
    dtype = names.get(fields.get("ElementType", ""))
    packed = fields.get("CompressedData", "False") != "False" or fields.get("BinaryData", "True") != "True"
    if dtype is None or packed or fields["ElementDataFile"] != "LOCAL" or "HeaderSize" in fields:
        return None
    big = "True" in (fields.get("BinaryDataByteOrderMSB"), fields.get("ElementByteOrderMSB"))
    return np.dtype(dtype).newbyteorder(">" if big else "<").str, offset


def itk_axes(header: Header, shape: tuple[int, ...]) -> StoredAxes:
    """Axes of a file, whose channels are the fastest."""
    spatial = "yx" if header.spatial_dims == 2 else "xyz"
    names = "zyx"[-header.spatial_dims :]
    sizes = dict(zip(spatial, shape[1:], strict=True))
    stored = tuple(sizes[name] for name in names)
    return StoredAxes(names + "c", (*stored, shape[0]), spatial) if shape[0] > 1 else StoredAxes(names, stored, spatial)


def _place(header: Header) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Directions as columns, spacing and origin, in ITK's directions."""
    dims = header.spatial_dims
    affine = np.eye(4) if header.affine is None else np.array(header.affine)
    affine = _LPS_TO_RAS @ (rows_first(affine) if dims == 2 else affine)
    axes = affine[:dims, :dims]
    spacing = np.linalg.norm(axes, axis=0)
    return axes / spacing, spacing, affine[:dims, 3]


def _list(values: Any, between: str = " ") -> str:
    return between.join(repr(float(value) + 0.0) for value in values)


def nrrd_header(header: Header, axes: StoredAxes, dtype: np.dtype[Any]) -> bytes:
    """The text that stands before the values."""
    directions, spacing, origin = _place(header)
    dims, channels = header.spatial_dims, axes.channels > 1
    vectors = " ".join(
        f"({_list(direction * length, ',')})" for direction, length in zip(directions.T, spacing, strict=True)
    )
    lines = [
        "NRRD0004",
        f"type: {_NRRD_TYPES[dtype.name]}",
        f"dimension: {len(axes.shape)}",
        "space: left-posterior-superior" if dims == 3 else "space dimension: 2",
        f"sizes: {' '.join(map(str, axes.shape[::-1]))}",
        f"space directions: {'none ' if channels else ''}{vectors}",
        f"kinds: {'vector ' if channels else ''}{' '.join(['domain'] * dims)}",
        "endian: little",
        "encoding: raw",
    ]
    if header.unit is not None:
        lines.append("space units: " + " ".join([f'"{header.unit}"'] * dims))
    return "\n".join([*lines, f"space origin: ({_list(origin, ',')})", "", ""]).encode()


def mha_header(header: Header, axes: StoredAxes, dtype: np.dtype[Any]) -> bytes:
    """The text that stands before the values."""
    directions, spacing, origin = _place(header)
    lines = [
        "ObjectType = Image",
        f"NDims = {header.spatial_dims}",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CompressedData = False",
        f"TransformMatrix = {_list(directions.T.ravel())}",
        f"Offset = {_list(origin)}",
        f"ElementSpacing = {_list(spacing)}",
        f"DimSize = {' '.join(map(str, axes.shape[: header.spatial_dims][::-1]))}",
    ]
    if axes.channels > 1:
        lines.append(f"ElementNumberOfChannels = {axes.channels}")
    return "\n".join([*lines, f"ElementType = {_MHA_TYPES[dtype.name]}", "ElementDataFile = LOCAL", ""]).encode()
