"""Write an image of the kind of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from .axes import StoredAxes
from .formats.itk_headers import itk_axes, mha_header, nrrd_header
from .formats.nifti import nifti_axes, nifti_header
from .formats.npy import npy_axes, npy_header
from .formats.write_picture import fits_png, picture_axes, png_of
from .formats.write_tiff import tiff_axes, tiff_layout, tiff_variant
from .formats.write_zarr import ZarrWriter
from .header import Header, Kind, Legend
from .image import Image
from .raw_writer import Finish, RawWriter, gzipped, with_header
from .region_writer import RegionWriter
from .replacing import naming_written

__all__ = ["create_like"]

_TYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")


def create_like(
    like: Image | Header | Mapping[str, Any],
    path: str | Path,
    shape: Sequence[int],
    dtype: DTypeLike,
    labels: Legend | None = None,
    blocks: Sequence[int] | None = None,
    *,
    name: str | None = None,
    affine: Any = None,
    resume: bool = False,
) -> RegionWriter:
    """Begin a file of the kind of another image: its format, axes, spacing, affine, units and resolution.

    NIfTI is compressed where no blocks are given, or the image was. DICOM becomes NIfTI. What is no picture, such as
    depth, becomes ``.npy`` beside a PNG or JPEG. A label map in OME-Zarr is a group of ``labels``.

    Args:
        like: the image, its header, or the meta data of a loaded one.
        path: of the file, without its ending, which is in the writer's ``path``.
        shape: ``(C, *spatial)``.
        dtype: of the file: integers for label maps, float32 for values.
        labels: of label maps the name and the color of each number; ``{}`` of instances.
        blocks: shape ``(*spatial)`` of the regions that will be written, where several processes write.
        name: of a label map within its file. Default: that of the file.
        affine: of the written image, in the package's order of axes. Default: the image's.
        resume: go on with the unfinished file of an earlier run, if there is one. Default: start anew.

    Returns:
        What writes: ``writer.write(box, values)``, and at last ``writer.close()``.

    Raises:
        ValueError: When the shape does not fit the image's dimensions, the type is none of these files, or an
            unfinished file is of another image.
        OSError: When the disk is full or read-only.

    Example:
        >>> with create_like(image, "out/case_segment", (1, *image.shape[1:]), "uint8", labels={}) as writer:
        ...     writer.write(None, classes)
    """
    header = _header(like, len(shape) - 1)
    if affine is not None:
        header = header.placed(np.asarray(affine, dtype=np.float64))
    if len(shape) != header.spatial_dims + 1:
        raise ValueError(f"{path}: shape {tuple(shape)} does not fit an image of {header.spatial_dims} dimensions.")
    if np.dtype(dtype).name not in _TYPES:
        raise ValueError(f"{path}: {np.dtype(dtype)} is no type of these files: take one of {', '.join(_TYPES)}.")
    order = Order(header, Path(path), tuple(shape), np.dtype(dtype), labels, blocks, name or Path(path).name, resume)
    with naming_written(order.stem):
        return _WRITERS[header.kind](order)


@dataclass(frozen=True)
class Order:
    """What `create_like` is asked for."""

    header: Header
    stem: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    labels: Legend | None
    blocks: Sequence[int] | None
    name: str
    resume: bool

    def path(self, ending: str) -> Path:
        """The final file."""
        return self.stem.with_name(self.stem.name + ending)

    def little_endian(self) -> Order:
        """The same, with the byte order that the format's header states."""
        return replace(self, dtype=self.dtype.newbyteorder("<"))


def _header(like: Image | Header | Mapping[str, Any], spatial_dims: int) -> Header:
    if isinstance(like, Image):
        return like.header
    if isinstance(like, Header):
        return like
    known = Header.of_meta(like)
    if known is None or known.spatial_dims != spatial_dims:
        return Header.without_file(spatial_dims)
    return known


def _nifti(order: Order) -> RegionWriter:
    compressed = order.blocks is None or order.header.variant == ".nii.gz"
    axes = nifti_axes(order.header, order.shape)
    content = nifti_header(order.header, axes, order.dtype)
    return _raw(order, ".nii.gz" if compressed else ".nii", axes, content, "F", gzipped if compressed else None)


def _npy(order: Order) -> RegionWriter:
    axes = npy_axes(order.header, order.shape)
    return _raw(order, ".npy", axes, npy_header(order.header, axes, order.dtype))


def _raw(
    order: Order,
    ending: str,
    axes: StoredAxes,
    content: bytes,
    layout: Literal["C", "F"] = "C",
    finish: Finish | None = None,
) -> RegionWriter:
    lay_out = with_header(content, prod(axes.shape) * order.dtype.itemsize)
    return RawWriter(order.path(ending), axes, order.dtype, lay_out, layout, order.resume, finish)


def _nrrd(order: Order) -> RegionWriter:
    order = order.little_endian()
    axes = itk_axes(order.header, order.shape)
    return _raw(order, ".nrrd", axes, nrrd_header(order.header, axes, order.dtype))


def _mha(order: Order) -> RegionWriter:
    order = order.little_endian()
    axes = itk_axes(order.header, order.shape)
    return _raw(order, ".mha", axes, mha_header(order.header, axes, order.dtype))


def _tiff(order: Order) -> RegionWriter:
    order = order.little_endian()
    variant = tiff_variant(order.header, order.shape, order.dtype)
    axes = tiff_axes(order.header, order.shape, order.dtype, variant)
    lay_out = tiff_layout(order.header, axes, order.dtype, variant, order.labels, order.name)
    path = order.path(order.header.ending or ".tif")
    return RawWriter(path, axes, order.dtype, lay_out, resume=order.resume)


def _picture(order: Order) -> RegionWriter:
    if not fits_png(order.shape, order.dtype):
        return _npy(order)
    axes = picture_axes(order.shape)
    finish = png_of({number: color for number, (_, color) in (order.labels or {}).items()}, order.header.dpi)
    return _raw(order, ".png", axes, npy_header(order.header, axes, order.dtype), finish=finish)


def _zarr(order: Order) -> RegionWriter:
    path = order.path(order.header.ending or ".zarr")
    return ZarrWriter(
        path, order.header, order.shape, order.dtype, order.labels, order.name, order.blocks, order.resume
    )


_WRITERS: dict[Kind, Callable[[Order], RegionWriter]] = {
    Kind.NIFTI: _nifti,
    Kind.NRRD: _nrrd,
    Kind.MHA: _mha,
    Kind.TIFF: _tiff,
    Kind.ZARR: _zarr,
    Kind.NPY: _npy,
    Kind.PICTURE: _picture,
}
