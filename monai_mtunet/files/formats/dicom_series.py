"""Which of a folder's DICOM files are one image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import SimpleITK

__all__ = ["dicom_images"]


def dicom_images(folder: Path, files: Sequence[Path]) -> list[Path]:
    """The images of a folder: the folder itself where it holds a series, else each file.

    Args:
        folder: that holds the files.
        files: its DICOM files.

    Returns:
        What `open_image` opens. Of a folder that mixes series of several slices it is the folder, which opening
        refuses: it says to sort them.
    """
    if not files:
        return []
    reader = SimpleITK.ImageSeriesReader
    several = reader.GetGDCMSeriesIDs(str(folder), True)  # told apart by size and direction, too, as MONAI does
    slices = [len(reader.GetGDCMSeriesFileNames(str(folder), name, True)) for name in several]
    return list(files) if max(slices, default=1) == 1 else [folder]
