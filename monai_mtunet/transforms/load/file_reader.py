"""`monai_mtunet.files` as a reader of MONAI's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monai.config import PathLike
from monai.data import ImageReader
from monai.utils import MetaKeys, SpaceKeys, ensure_tuple
from numpy.typing import NDArray

from ...files import open_image
from ...files.header import HEADER_KEY
from ...files.image import Image

__all__ = ["FileReader"]


class FileReader(ImageReader):
    """Reads all formats of `open_image`: what is loaded for training is what is read box by box for prediction."""

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether it reads the files: `open_image` tells formats itself, by ending or content."""
        return True

    def read(self, data: Sequence[PathLike] | PathLike, **kwargs: Any) -> Image:
        """Open a file."""
        return open_image([str(file) for file in ensure_tuple(data)])

    def get_data(self, img: Image) -> tuple[NDArray[Any], dict[str, Any]]:
        """The values, channel first, and meta data."""
        meta: dict[str, Any] = {
            MetaKeys.ORIGINAL_CHANNEL_DIM: 0,
            MetaKeys.SPATIAL_SHAPE: img.shape[1:],
            HEADER_KEY: img.header.to_json(),
        }
        if img.affine is not None:
            meta |= {MetaKeys.AFFINE: img.affine, MetaKeys.ORIGINAL_AFFINE: img.affine, MetaKeys.SPACE: SpaceKeys.RAS}
        return img.read(), meta
