"""TIFF, by tifffile: pictures, stacks, ImageJ's and OME's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tifffile import PHOTOMETRIC, TIFF, TiffFile, TiffPageSeries

from ..axes import SINGLE, StoredAxes
from ..damage import check_size
from ..header import Header, Kind
from ..image import Image, UnsuitableImageError
from ..missing_package import optional_package
from ..raw_array import RawArray
from .picture import is_picture, open_picture
from .tiff_spacing import spacing_and_unit

__all__ = ["open_tiff"]

_ORIENTATION = 274  # TIFF's tag
_STACK = "iqr"  # pages of which nothing is said are slices


def open_tiff(path: Path) -> Image:
    """Open a file: a picture is (C, H, W), a stack of pages (C, X, Y, Z)."""
    with _complaints_raised(), TiffFile(path) as file:
        series = _only_series(path, file)
        variant = "ome" if file.is_ome else "imagej" if file.is_imagej else ""
        ending = ".ome.tif" if path.name.lower().endswith((".ome.tif", ".ome.tiff")) else ".tif"
        if not _is_plain(series) and is_picture(path):
            return open_picture(path, Kind.TIFF, ending, *spacing_and_unit(file, "yx"))
        names = _names(path, series)
        spatial = "xyz" if "z" in names else "yx"
        axes = StoredAxes(names, tuple(series.shape), spatial)
        spacing, unit = spacing_and_unit(file, spatial)
        dtype = np.dtype(series.dtype)
        header = Header(
            Kind.TIFF, len(spatial), dtype.newbyteorder("=").name, names, None, spacing, unit, variant, ending
        )
        stored, reason = _stored(path, series)
    return Image(path, header, axes, stored, reason)


class _Complaints(logging.Filter):
    """Collects what tifffile says of damage, where it goes on with the pages that are left."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.ERROR:
            self.found.append(record.getMessage())
        return record.levelno < logging.ERROR


@contextmanager
def _complaints_raised() -> Iterator[None]:
    complaints, logger = _Complaints(), logging.getLogger("tifffile")
    logger.addFilter(complaints)
    try:
        yield
    finally:
        logger.removeFilter(complaints)
    if complaints.found:
        raise ValueError(complaints.found[0])


def _only_series(path: Path, file: TiffFile) -> TiffPageSeries:
    """The file's image; smaller ones beside it are previews."""
    series = list(file.series)
    largest = max(series, key=lambda one: one.size)
    if sum(one.shape == largest.shape for one in series) > 1:
        raise UnsuitableImageError(
            f"{path} holds {len(series)} images: save the one that is meant as a file of its own."
        )
    return largest


def _is_plain(series: TiffPageSeries) -> bool:
    """Whether the stored numbers are the values, and tifffile can decode them."""
    page = series.keyframe
    try:
        TIFF.DECOMPRESSORS[page.compression]
    except Exception:  # what needs imagecodecs
        return False
    turned = page.tags.valueof(_ORIENTATION, default=1) != 1
    photometrics = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.RGB, PHOTOMETRIC.PALETTE)
    return page.photometric in photometrics and page.bitspersample in (8, 16, 32, 64) and not turned


def _names(path: Path, series: TiffPageSeries) -> str:
    names = series.axes.lower()
    sizes = series.shape
    if "z" not in names:
        unnamed = [name for name, size in zip(names, sizes, strict=True) if name in _STACK and size > 1]
        names = names.replace(unnamed[0], "z") if len(unnamed) == 1 else names
    # A single slice is a picture.
    names = "".join(SINGLE if name == "z" and size == 1 else name for name, size in zip(names, sizes, strict=True))
    long = [name for name, size in zip(names, sizes, strict=True) if size > 1 and name not in "zyxcs"]
    if long or ("c" in names and "s" in names and min(sizes[names.index("c")], sizes[names.index("s")]) > 1):
        raise UnsuitableImageError(
            f"{path} has axes {series.axes} of lengths {' x '.join(map(str, sizes))}, where an image has slices (Z), "
            "rows, columns and one axis of channels. Save each time point as a file; where T stands for slices, swap "
            "the axes (Fiji: Image > Properties)."
        )
    if "c" in names and "s" in names:
        single = "c" if sizes[names.index("c")] == 1 else "s"
        names = names.replace(single, SINGLE)
    return names


def _stored(path: Path, series: TiffPageSeries) -> tuple[Any, str]:
    """What opens the values, and why boxes are not read by themselves."""
    if series.dataoffset is not None:  # not compressed, in one piece
        check_size(path, series.shape, series.dtype, series.dataoffset)
        stored = RawArray(path, np.dtype(series.dtype).str, tuple(series.shape), series.dataoffset, "C")
        return _native_order(stored, series).open, ""
    number = list(series.parent.series).index(series) if series.parent is not None else 0
    try:
        optional_package("zarr", "Reading boxes of a TIFF")
    except ImportError as error:
        return partial(_whole, path, number), str(error)
    pages = [page for page in series.pages if page is not None]
    ends = [start + size for page in pages for start, size in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if max(ends) > path.stat().st_size:
        raise ValueError(f"it ends before its pages do, {max(ends)} bytes of {path.stat().st_size}")
    pieces = len(ends)
    reason = "" if pieces > 1 else "it is compressed in one piece: save it with tiles, or without compression"
    return partial(_by_pieces, path, number), reason


def _native_order(stored: RawArray, series: TiffPageSeries) -> RawArray:
    order = series.parent.byteorder if series.parent is not None else "<"
    return replace(stored, dtype=np.dtype(stored.dtype).newbyteorder(order).str)


def _whole(path: Path, number: int) -> Any:
    with TiffFile(path) as file:
        return file.series[number].asarray()


def _by_pieces(path: Path, number: int) -> Any:
    zarr = optional_package("zarr", "Reading boxes of a TIFF")
    return zarr.open_array(TiffFile(path).series[number].aszarr(level=0), mode="r")
