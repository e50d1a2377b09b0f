"""One image of one file or several, channel first."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import ImageReader, MetaTensor
from monai.transforms import EnsureChannelFirst
from monai.transforms.io.array import switch_endianness
from monai.utils import ImageMetaKey, convert_to_dst_type, ensure_tuple

from ...files import open_image
from ...files.header import HEADER_KEY
from ...files.image import UnreadableError, naming
from ..grids import check_same_grid, has_grid
from ..sample_description import describe
from .file_reader import FileReader

__all__ = ["ReadImage"]


class ReadImage:
    """Reads every format of `open_image`, as float32.

    MONAI's ``LoadImage`` makes every reader that MONAI knows, one of which warns where pydicom is installed.

    Args:
        reader: reader to take for its file types.
    """

    def __init__(self, reader: ImageReader | None = None) -> None:
        self.reader = reader

    def __call__(self, key: Hashable, path: Any) -> torch.Tensor:
        """Read the files, whose channels follow each other.

        Raises:
            FileNotFoundError: When a file does not exist.
            OSError: When one cannot be read.
            ValueError: When they differ in size or place, or what is given is no path.
        """
        files = (path,) if isinstance(path, Mapping) else ensure_tuple(path)
        images = [self._of_file(key, file) for file in files]
        if not images:
            raise ValueError(f"{key}: no file is named: name one in the data list, or null for a missing target.")
        for image in images[1:]:
            _check_together(key, images[0], image)
        if len(images) == 1:
            return images[0]
        values = torch.cat([torch.as_tensor(image) for image in images])
        result: torch.Tensor = convert_to_dst_type(values, dst=images[0])[0]
        return result

    def _of_file(self, key: Hashable, file: Any) -> torch.Tensor:
        if not isinstance(file, str | os.PathLike):
            raise ValueError(f"{key}: {file!r} is no path: name a file in the data list, or null for a missing target.")
        path = Path(file).expanduser()
        if not os.path.exists(path):  # unlike Path's own, it takes names that no file can have
            raise FileNotFoundError(f"{key}: {file} does not exist: correct the data list, or bring the file there.")
        try:
            with naming(path):
                if self.reader is None or not self.reader.verify_suffix(str(path)):
                    return _loaded(FileReader(), path)
                return _as_displayed(_loaded(self.reader, path), path)
        except UnreadableError as error:
            # The same message with the key; the library's own error is what it is from.
            raise OSError(f"{key}: {error}") from error.__cause__


def _loaded(reader: ImageReader, path: Path) -> torch.Tensor:
    values, meta = reader.get_data(reader.read(str(path)))
    meta = switch_endianness(meta, "<")
    meta[ImageMetaKey.FILENAME_OR_OBJ] = str(path)
    image = MetaTensor.ensure_torch_and_prune_meta(values.astype(np.float32, copy=False), meta)
    loaded: torch.Tensor = EnsureChannelFirst()(image, meta_dict=meta)
    return loaded


def _as_displayed(values: torch.Tensor, path: Path) -> torch.Tensor:
    """MONAI's readers of ITK and NIfTI give axes (X, Y) where pictures have rows first; volumes stay (X, Y, Z)."""
    values = _swapped(values) if has_grid(values) and values.ndim == 3 else values
    if isinstance(values, MetaTensor):
        values.meta[HEADER_KEY] = open_image(path).header.to_json()
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
