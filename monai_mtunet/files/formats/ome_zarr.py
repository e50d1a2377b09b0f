"""zarr arrays of version 2 and 3, and OME-Zarr groups 0.4 and 0.5, whose level 0 is the image."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..axes import SINGLE, StoredAxes
from ..header import Header, Kind, rows, rows_first
from ..image import Image, UnsuitableImageError
from ..missing_package import optional_package
from ..units import converted, short_unit

__all__ = ["is_zarr", "open_zarr"]

_MARKS = ("zarr.json", ".zarray", ".zgroup")
_UNNAMED = {2: "yx", 3: "zyx", 4: "czyx", 5: "tczyx"}
_VERSIONS = {2: "0.4", 3: "0.5"}  # of OME-Zarr that belongs to one of zarr


def is_zarr(folder: Path) -> bool:
    """Whether a folder is an array or a group."""
    return folder.name.lower().endswith(".zarr") or any((folder / mark).exists() for mark in _MARKS)


def open_zarr(path: Path) -> Image:
    """Open an array, or the largest level of an OME-Zarr group.

    The axes of an array without names are (Y, X), (Z, Y, X) or (C, Z, Y, X).
    """
    zarr = optional_package("zarr", f"Reading {path.name}")
    opened = zarr.open(path, mode="r")
    if isinstance(opened, zarr.Array):
        return _of_array(path, opened)
    attributes = dict(opened.attrs)
    multiscales = attributes.get("ome", attributes).get("multiscales")
    if multiscales:
        return _of_multiscale(path, opened, multiscales[0])
    members = dict(opened.members())
    arrays = [name for name, member in members.items() if isinstance(member, zarr.Array)]
    inner = [*arrays, *(name for name in members if name not in arrays and name != "OME")]
    if len(inner) == 1:
        return open_zarr(path / inner[0])  # as bioformats2raw lays out one image
    raise UnsuitableImageError(
        f"{path} is a zarr group without OME metadata, of {', '.join(sorted(inner)[:10]) or 'nothing'}: give the one "
        f"that is the image, such as {path / (sorted(inner)[0] if inner else '0')}."
    )


def _of_array(path: Path, array: Any) -> Image:
    named = array.metadata.dimension_names if array.metadata.zarr_format == 3 else array.attrs.get("_ARRAY_DIMENSIONS")
    names = [str(name)[:1].lower() for name in named or _UNNAMED.get(array.ndim, "?")]
    return _image(path, "", array, names)


def _of_multiscale(path: Path, group: Any, multiscale: Mapping[str, Any]) -> Image:
    level = multiscale["datasets"][0]
    array = group[level["path"]]
    axes = multiscale.get("axes") or [{"name": name} for name in _UNNAMED[array.ndim]]
    # Version 0.3 has names alone.
    axes = [axis if isinstance(axis, Mapping) else {"name": axis} for axis in axes]
    names = ["c" if axis.get("type") == "channel" else axis["name"].lower() for axis in axes]
    scale, origin = np.ones(len(names)), np.zeros(len(names))
    for step in (*level.get("coordinateTransformations", ()), *multiscale.get("coordinateTransformations", ())):
        factor = np.array(step.get("scale", np.ones(len(names))), dtype=float)
        scale, origin = scale * factor, origin * factor + np.array(step.get("translation", np.zeros(len(names))))
    units = {axis["name"].lower(): short_unit(axis.get("unit")) for axis in axes}
    unit = units.get("x")
    places = {
        name: (
            converted(length, units[axis["name"].lower()], unit),
            converted(start, units[axis["name"].lower()], unit),
        )
        for name, axis, length, start in zip(names, axes, scale, origin, strict=True)
    }
    return _image(path, level["path"], array, names, places, unit)


def _image(
    path: Path,
    level: str,
    array: Any,
    names: list[str],
    places: Mapping[str, tuple[float, float]] | None = None,
    unit: str | None = None,
) -> Image:
    sizes = dict(zip(names, array.shape, strict=False))
    letters = "".join(SINGLE if name not in "zyxc" or (name == "z" and sizes[name] == 1) else name for name in names)
    spatial = "xyz" if "z" in letters else "yx"
    try:
        axes = StoredAxes(letters, tuple(array.shape), spatial)
    except ValueError as error:
        raise UnsuitableImageError(
            f"{path} has axes {', '.join(names)} of lengths {' x '.join(map(str, array.shape))}, where an image has z, "
            "y, x and one axis of channels. Save each time point as a file, or name the axes (dimension_names)."
        ) from error
    affine = _affine(spatial, places) if places and _says_something(spatial, places, unit) else None
    header = Header(
        kind=Kind.ZARR,
        spatial_dims=len(spatial),
        dtype=array.dtype.newbyteorder("=").name,
        axes="".join(name if name in "tzyxc" else "?" for name in names),
        affine=None if affine is None else rows(affine),
        spacing=None if affine is None or places is None else tuple(float(places[name][0]) for name in spatial),
        unit=unit,
        variant=_VERSIONS[array.metadata.zarr_format],
        ending=".ome.zarr" if path.name.lower().endswith(".ome.zarr") else ".zarr",
    )
    return Image(path, header, axes, partial(_values, path, level))


def _says_something(spatial: str, places: Mapping[str, tuple[float, float]], unit: str | None) -> bool:
    return unit is not None or any(places[name] != (1, 0) for name in spatial)


def _affine(spatial: str, places: Mapping[str, tuple[float, float]]) -> Any:
    affine = np.eye(4)
    for axis, name in enumerate("xyz"):
        if name in spatial:
            affine[axis, axis], affine[axis, 3] = places[name]
    return rows_first(affine) if spatial == "yx" else affine


def _values(path: Path, level: str) -> Any:
    zarr = optional_package("zarr", f"Reading {path.name}")
    opened = zarr.open(path, mode="r")
    return opened[level] if level else opened
