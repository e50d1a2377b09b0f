"""Pictures as they are displayed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.config import PathLike
from monai.data import PILReader
from monai.utils import ensure_tuple
from PIL import Image, ImageOps

__all__ = ["PictureReader"]

_PICTURES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif")
_OTHERS = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".npy", ".npz", ".dcm")
_BITS_PER_SAMPLE = 258  # TIFF's tag


class PictureReader(PILReader):
    """Read what Pillow reads, rows first, and as it is displayed: the orientation that a camera noted is applied.

    Formats are told by their content where the ending is none of a picture. GIFs are gray or RGB, other palettes stay
    numbers, which may be classes. Of animations it is the first frame. Stacks
    (several pages in a TIFF) and colors of 16 bits, which Pillow would cut to 8, are left to other readers. It pickles,
    as worker processes need.

    Args:
        mode: Pillow's mode to convert images to, such as "RGB" or "L". Default: as in the file.

    Example:
        >>> LoadSampled("image", reader=PictureReader("RGB"))
    """

    def __init__(self, mode: str | None = None) -> None:
        super().__init__(reverse_indexing=False)
        self.mode = mode

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all files are pictures that are read as a whole."""
        return all(_is_picture(Path(file)) for file in ensure_tuple(filename))

    def read(self, data: Any, **kwargs: Any) -> Any:
        """Read and orient one file, or several."""
        images = [self._displayed(file) for file in ensure_tuple(data)]
        return images if len(images) > 1 else images[0]

    def _displayed(self, file: PathLike) -> Image.Image:
        image = Image.open(file)
        ImageOps.exif_transpose(image, in_place=True)
        if self.mode is not None:
            return image.convert(self.mode)
        return _without_palette(image) if image.format == "GIF" else image

    def get_data(self, img: Any) -> tuple[Any, dict[Any, Any]]:
        """The values, in memory of their own where they are float32 already, and meta data."""
        values, meta = super().get_data(img)
        return values if values.flags.writeable else values.copy(), meta


def _without_palette(image: Image.Image) -> Image.Image:
    """Programs order a GIF's palette as they like, so its numbers are no gray values; in PNGs they may be classes."""
    colors = image.convert("RGB")
    bands = [np.asarray(band) for band in colors.split()]
    return colors.getchannel(0) if all(np.array_equal(bands[0], band) for band in bands[1:]) else colors


def _is_picture(file: Path) -> bool:
    name = file.name.lower()
    if name.endswith(_PICTURES):
        return True
    if name.endswith(_OTHERS) or file.is_dir():
        return False
    try:
        with Image.open(file) as image:
            return _is_read_whole(image)
    except Exception:  # each of Pillow's formats has exceptions of its own
        return False


def _is_read_whole(image: Image.Image) -> bool:
    if image.format == "TIFF":
        bits = max(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,)))
        return getattr(image, "n_frames", 1) == 1 and (bits <= 8 or len(image.getbands()) == 1)
    return image.format != "JPEG2000" or len(image.getbands()) == 1
