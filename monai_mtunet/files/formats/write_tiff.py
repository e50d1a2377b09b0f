"""TIFF as it is written: plain, ImageJ's or OME's, uncompressed, of any size."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from ..axes import StoredAxes
from ..header import Header, Legend
from ..units import converted

__all__ = ["tiff_axes", "tiff_layout", "tiff_variant"]

_MOST_OF_IMAGEJ = 2**32 - 2**25  # bytes; what is larger is BigTIFF, which ImageJ reads by Bio-Formats
_OME_UNITS = {"angstrom": "Å", "nm": "nm", "um": "µm", "mm": "mm", "cm": "cm", "m": "m", None: "pixel"}


def tiff_variant(header: Header, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """Among "imagej", "ome" and "", plain: the image's own, unless ImageJ lacks the type or the size."""
    if header.variant != "imagej":
        return header.variant
    too_large = prod(shape) * dtype.itemsize > _MOST_OF_IMAGEJ
    return "ome" if too_large or dtype.name not in ("uint8", "uint16", "float32") else "imagej"


def tiff_axes(header: Header, shape: tuple[int, ...], dtype: np.dtype[Any], variant: str) -> StoredAxes:
    """Axes of a file: colors stay samples of a pixel, other channels are pages."""
    spatial = "yx" if header.spatial_dims == 2 else "xyz"
    slices = "z" if header.spatial_dims == 3 else ""
    if "s" in header.axes and shape[0] in (3, 4) and dtype.name in ("uint8", "uint16"):
        names = f"{slices}cyx" if dtype.name == "uint16" and variant == "imagej" else f"{slices}yxs"
    elif shape[0] > 1:
        names = f"{slices}cyx" if variant == "imagej" else f"c{slices}yx"
    else:
        names = f"{slices}yx"
    sizes = {"c": shape[0], "s": shape[0], **dict(zip(spatial, shape[1:], strict=True))}
    return StoredAxes(names, tuple(sizes[name] for name in names), spatial)


def tiff_layout(
    header: Header, axes: StoredAxes, dtype: np.dtype[Any], variant: str, labels: Legend | None, name: str
) -> Callable[[Path], int]:
    """What makes an empty file."""
    written = {
        "shape": axes.shape,
        "dtype": dtype,
        "byteorder": "<",
        "photometric": "rgb" if "s" in axes.names else "minisblack",
        "software": False,
        **_VARIANTS[variant](header, axes, name),
    }
    if labels and dtype.name == "uint8" and variant != "imagej":
        written |= {"photometric": "palette", "colormap": _colors(labels).astype(np.uint16) * 257}
    if labels and dtype.name == "uint8" and variant == "imagej":
        written["metadata"] |= {"LUTs": [_colors(labels)]}
    return partial(_lay_out, written)


def _lay_out(written: Mapping[str, Any], path: Path) -> int:
    tifffile.imwrite(path, **written)
    with tifffile.TiffFile(path) as file:
        (series,) = file.series
        offset = series.dataoffset
    if offset is None or series.size != prod(written["shape"]):
        raise ValueError(f"{path}: a TIFF of shape {written['shape']} is not laid out in one piece.")
    return int(offset)


def _colors(labels: Legend) -> NDArray[np.uint8]:
    """(3, 256), as TIFF has them; classes that are none are black, and 255, missing, is white."""
    colors = np.zeros((256, 3), dtype=np.uint8)
    colors[255] = 255
    for number, (_, color) in labels.items():
        colors[number] = color
    return np.ascontiguousarray(colors.T)


def _lengths(header: Header) -> dict[str, float]:
    """Of a voxel, by axis; empty where they are unknown."""
    spatial = "yx" if header.spatial_dims == 2 else "xyz"
    return dict(zip(spatial, header.spacing, strict=True)) if header.spacing else {}


def _plain(header: Header, axes: StoredAxes, name: str) -> dict[str, Any]:
    lengths, metadata = _lengths(header), {"axes": axes.names.upper()}
    if not lengths:
        return {"metadata": metadata}
    if header.unit is None:
        per_unit = (1 / lengths["x"], 1 / lengths["y"])
        return {"metadata": metadata | _depth(header), "resolution": per_unit, "resolutionunit": "NONE"}
    per_cm = tuple(1 / converted(lengths[axis], header.unit, "cm") for axis in "xy")
    return {"metadata": metadata | _depth(header), "resolution": per_cm, "resolutionunit": "CENTIMETER"}


def _depth(header: Header) -> dict[str, Any]:
    """What tags do not tell: the distance of slices, in ImageJ's words."""
    lengths = _lengths(header)
    unit = {} if header.unit is None else {"unit": header.unit}
    return {**unit, **({"spacing": lengths["z"]} if "z" in lengths else {})}


def _imagej(header: Header, axes: StoredAxes, name: str) -> dict[str, Any]:
    lengths, metadata = _lengths(header), {"axes": axes.names.upper()}
    if not lengths:
        return {"imagej": True, "metadata": metadata}
    resolution = (1 / lengths["x"], 1 / lengths["y"])
    return {"imagej": True, "metadata": metadata | _depth(header), "resolution": resolution, "resolutionunit": "NONE"}


def _ome(header: Header, axes: StoredAxes, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"axes": axes.names.upper(), "Name": name}
    # Equal images are equal files, which an unfinished one is known by.
    metadata["UUID"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name} {axes.names} {axes.shape}"))
    for axis, length in _lengths(header).items():
        metadata |= {f"PhysicalSize{axis.upper()}": length, f"PhysicalSize{axis.upper()}Unit": _OME_UNITS[header.unit]}
    return {"ome": True, "metadata": metadata}


_VARIANTS: dict[str, Callable[[Header, StoredAxes, str], dict[str, Any]]] = {
    "": _plain,
    "imagej": _imagej,
    "ome": _ome,
}
