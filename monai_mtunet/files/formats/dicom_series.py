"""Which of a folder's DICOM files are one image."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import SimpleITK

__all__ = ["dicom_images", "slices_of_series"]


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
    slices = map(len, _series_of(folder))
    return list(files) if max(slices, default=1) == 1 else [folder]


def slices_of_series(file: Path) -> int:
    """How many files of its folder are slices of one series with a DICOM file, itself included."""
    return next((len(names) for names in _series_of(file.parent) if file.name in names), 1)


def _series_of(folder: Path) -> list[frozenset[str]]:
    """Names of the files of each series, which are told apart by size and direction, too, as MONAI does."""
    return _series(folder, folder.stat().st_mtime_ns, frozenset(os.listdir(folder)))


@lru_cache(maxsize=1)  # all files of a folder may be asked for one by one
def _series(folder: Path, changed: int, names: frozenset[str]) -> list[frozenset[str]]:
    reader = SimpleITK.ImageSeriesReader
    return [
        frozenset(Path(file).name for file in reader.GetGDCMSeriesFileNames(str(folder), name, True))
        for name in reader.GetGDCMSeriesIDs(str(folder), True)
    ]
