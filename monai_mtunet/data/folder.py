"""A folder of images to predict."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["IMAGE_EXTENSIONS", "folder_datalist"]

IMAGE_EXTENSIONS = (".nii", ".nii.gz", ".png", ".jpg", ".jpeg", ".bmp", ".nrrd", ".mha", ".mhd")


def folder_datalist(input_dir: str | os.PathLike[str] | None) -> list[dict[str, str]]:
    """List the images of a folder, sorted by name.

    Args:
        input_dir: folder that holds the images; folders within it are not searched.

    Returns:
        ``[{"image": ...}, ...]``, absolute paths of the files that end in `IMAGE_EXTENSIONS`.

    Raises:
        FileNotFoundError: When there is no such folder.
        ValueError: When it holds no image.

    Example:
        >>> images = folder_datalist("noisy_volumes")
    """
    folder = Path(input_dir or "").expanduser().absolute()
    if not input_dir or not folder.is_dir():
        raise FileNotFoundError(f"{input_dir!r} is no folder: give the folder of the images to predict by --input_dir.")
    files = sorted(file for file in folder.iterdir() if file.name.lower().endswith(IMAGE_EXTENSIONS))
    if not files:
        raise ValueError(f"{folder} holds no image: none of its files ends in {', '.join(IMAGE_EXTENSIONS)}.")
    return [{"image": str(file)} for file in files]
