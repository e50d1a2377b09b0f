"""Pictures in a mode of one's choice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monai.config import PathLike
from monai.data import PILReader
from monai.utils import ensure_tuple

from ...files.formats.picture import displayed, is_picture

__all__ = ["PictureReader"]


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
        return all(is_picture(Path(file)) for file in ensure_tuple(filename))

    def read(self, data: Any, **kwargs: Any) -> Any:
        """Read and orient one file, or several."""
        images = [displayed(file, self.mode) for file in ensure_tuple(data)]
        return images if len(images) > 1 else images[0]

    def get_data(self, img: Any) -> tuple[Any, dict[Any, Any]]:
        """The values, in memory of their own where they are float32 already, and meta data."""
        values, meta = super().get_data(img)
        return values if values.flags.writeable else values.copy(), meta
