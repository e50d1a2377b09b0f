"""What the channels of images are called that nothing names."""

from __future__ import annotations

from collections.abc import Sequence

from ...files import open_image

__all__ = ["channel_names"]

_TRIED = 8  # images, since some may be damaged
_COLORS = ("red", "green", "blue")


def channel_names(images: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Name the channels: the colors of 2D images with three channels in one file, else "0", "1", ...

    Args:
        images: the files of each case. One that can be read is looked into; if none of the first can, each file is
            taken for one channel, and whoever reads the files says what is wrong with them.
    """
    for files in images[:_TRIED]:
        try:
            image = open_image(files)
        except (OSError, ImportError):
            continue
        if len(files) == 1 and image.spatial_dims == 2 and image.shape[0] == len(_COLORS):
            return _COLORS
        return tuple(map(str, range(image.shape[0])))
    return tuple(map(str, range(len(images[0]))))
