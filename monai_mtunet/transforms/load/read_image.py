"""One image of one file or several, channel first, and what is wrong where that fails."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import torch
from monai.data import ImageReader, MetaTensor, NibabelReader
from monai.transforms import LoadImage
from monai.utils import ImageMetaKey, MetaKeys, convert_to_dst_type, ensure_tuple
from PIL import Image

from ..grids import check_same_grid, has_grid
from ..sample_description import describe
from .picture_reader import PictureReader

__all__ = ["ReadImage"]

_AXES_SWAPPED = "axes_swapped"  # in the meta data of (C, H, W) whose file has axes (X, Y); predictions are saved by it

_WITHOUT_PLACE = (".tif", ".tiff", ".jp2", ".j2k")  # ITK invents an affine
_KNOWN = (
    *(".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".npy", ".npz", ".dcm", ".hdr", ".img", *_WITHOUT_PLACE),
    *(".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".avif"),
)
_DAMAGED = "It is truncated, corrupt or not an image; replace the file."


class ReadImage:
    """MONAI's ``LoadImage``, with 2D images as displayed, (C, H, W), of every format, and advice that fits.

    Args:
        reader: reader to try first for its file types.
    """

    def __init__(self, reader: ImageReader | None = None) -> None:
        self.load = LoadImage(ensure_channel_first=True)
        # ITK writes vectors as (X, Y, Z, 1, C), and some programs (X, Y, Z, 1, 1).
        self.load.register(NibabelReader(squeeze_non_spatial_dims=True))
        self.load.register(PictureReader())
        if reader is not None:
            self.load.register(reader)

    def __call__(self, key: Hashable, path: Any) -> torch.Tensor:
        """Read the files, whose channels follow each other.

        Raises:
            FileNotFoundError: When a file does not exist.
            OSError: When one cannot be read.
            ValueError: When they differ in size or place.
        """
        images = [self._of_file(key, file) for file in ensure_tuple(path)]
        for image in images[1:]:
            _check_together(key, images[0], image)
        if len(images) == 1:
            return images[0]
        values = torch.cat([torch.as_tensor(image) for image in images])
        result: torch.Tensor = convert_to_dst_type(values, dst=images[0])[0]
        return result

    def _of_file(self, key: Hashable, file: Any) -> torch.Tensor:
        if not Path(file).expanduser().exists():
            raise FileNotFoundError(f"{key}: {file} does not exist.")
        try:
            values: torch.Tensor = self.load(file)
        except Exception as error:  # each format's reader has exceptions of its own
            raise OSError(
                f"{key}: {file} cannot be read. {_advice(Path(file).expanduser())} "
                f"The reader said: {type(error).__name__}: {error}"
            ) from error
        return _as_displayed(values)


def _as_displayed(values: torch.Tensor) -> torch.Tensor:
    """ITK and NIfTI have axes (X, Y) where pictures have rows first; volumes stay (X, Y, Z)."""
    if not has_grid(values):
        return values
    name = str(values.meta.get(ImageMetaKey.FILENAME_OR_OBJ)).lower()
    without_place = name.endswith(_WITHOUT_PLACE)
    if values.ndim == 3:
        values = _swapped(values)
        if not without_place:
            values.meta[_AXES_SWAPPED] = "yes"
    if without_place:
        del values.meta[MetaKeys.ORIGINAL_AFFINE]
    return values


def _swapped(values: MetaTensor) -> MetaTensor:
    affine = values.affine
    swapped = MetaTensor(values.as_tensor().transpose(1, 2).contiguous(), meta=values.meta)
    swapped.affine = affine[:, [1, 0, *range(2, len(affine))]]
    return swapped


def _check_together(key: Hashable, first: torch.Tensor, other: torch.Tensor) -> None:
    remedy = "Files that are given together are the channels of one image: resample one of them to the other's grid."
    if first.shape[1:] != other.shape[1:]:
        raise ValueError(f"{describe(key, first)} and {describe(key, other)} differ in size. {remedy}")
    check_same_grid(key, first, key, other, remedy)


def _advice(file: Path) -> str:
    if file.is_dir():
        return "It is a folder, but holds no series of DICOM slices: give a file, or the folder of one series."
    if file.name.startswith("."):
        return "It is a hidden file, which macOS and others write beside images: leave it out."
    if file.name.lower().endswith(_WITHOUT_PLACE) and _is_identified(file):
        return (
            "It holds colors of more than 8 bits, or several pages: save it as NIfTI, or each channel as a gray image "
            "and give the list of files."
        )
    if not file.name.lower().endswith(_KNOWN):
        return "Its format is unknown, or it is damaged: convert it to PNG or TIFF, or to NIfTI if it is a volume."
    return _DAMAGED


def _is_identified(file: Path) -> bool:
    """Whether the file is a picture of a kind that Pillow knows and `PictureReader` leaves to others."""
    try:
        with Image.open(file):
            return not PictureReader().verify_suffix(file)
    except Exception:  # each of Pillow's formats has exceptions of its own
        return False
