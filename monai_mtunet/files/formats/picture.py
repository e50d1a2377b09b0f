"""Pictures, by Pillow: rows first, as they are displayed."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps

from ..axes import StoredAxes
from ..header import Header, Kind
from ..image import Image
from .jpeg_end import check_jpeg_end

__all__ = ["PICTURES", "displayed", "is_picture", "open_picture"]

PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif")
_OTHERS = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".npy", ".npz", ".dcm")
_BITS_PER_SAMPLE = 258  # TIFF's tag
_MOST_DPI = 1e6  # more are no resolution, and PNGs cannot say them


def open_picture(
    path: Path,
    kind: Kind = Kind.PICTURE,
    ending: str = "",
    spacing: tuple[float, ...] | None = None,
    unit: str | None = None,
) -> Image:
    """Open a picture, which is decoded as a whole."""
    picture = displayed(path)
    values = np.asarray(picture)
    axes = StoredAxes("yxc"[: values.ndim], values.shape, "yx")
    dpi = _dpi(picture) if kind is Kind.PICTURE else None
    header = Header(kind, 2, values.dtype.name, axes.names, None, spacing, unit, ending=ending, dpi=dpi)
    image = Image(path, header, axes, partial(_values, path), "it is decoded as a whole: save it as TIFF or OME-Zarr")
    image.keep(values)
    return image


def _values(path: Path) -> NDArray[Any]:
    return np.asarray(displayed(path))


def _dpi(picture: Pillow.Image) -> tuple[float, float] | None:
    found = tuple(map(float, picture.info.get("dpi", ())))
    return (found[0], found[1]) if len(found) == 2 and all(0 < value < _MOST_DPI for value in found) else None


def displayed(file: Any, mode: str | None = None) -> Pillow.Image:
    """Read a picture, and turn it as the camera noted.

    GIFs are gray or RGB, other palettes stay numbers, which may be classes. Of animations it is the first frame.

    Args:
        file: its path.
        mode: Pillow's mode to convert it to. Default: as in the file.
    """
    with Pillow.open(file) as image:
        if image.format == "JPEG":
            check_jpeg_end(Path(file))
        if image.format == "PNG":
            image.verify()  # checksums, which decoding passes by
    image = Pillow.open(file)
    ImageOps.exif_transpose(image, in_place=True)
    if mode is not None:
        return image.convert(mode)
    return _without_palette(image) if image.format == "GIF" else image


def _without_palette(image: Pillow.Image) -> Pillow.Image:
    """Programs order a GIF's palette as they like, so its numbers are no gray values; in PNGs they may be classes."""
    colors = image.convert("RGB")
    bands = [np.asarray(band) for band in colors.split()]
    return colors.getchannel(0) if all(np.array_equal(bands[0], band) for band in bands[1:]) else colors


def is_picture(file: Path) -> bool:
    """Whether Pillow reads all of a file; stacks, and colors of 16 bits, it would cut."""
    name = file.name.lower()
    if name.endswith(PICTURES):
        return True
    if name.endswith(_OTHERS) or file.is_dir():
        return False
    try:
        with Pillow.open(file) as image:
            return _is_read_whole(image)
    except Exception:  # each of Pillow's formats has exceptions of its own
        return False


def _is_read_whole(image: Pillow.Image) -> bool:
    if image.format == "TIFF":
        bits = max(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,)))
        return getattr(image, "n_frames", 1) == 1 and (bits <= 8 or len(image.getbands()) == 1)
    return image.format != "JPEG2000" or len(image.getbands()) == 1
