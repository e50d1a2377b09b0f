"""A folder of images to predict."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["IMAGE_EXTENSIONS", "folder_datalist"]

IMAGE_EXTENSIONS = (
    *(".nii", ".nii.gz", ".png", ".jpg", ".jpeg", ".bmp", ".nrrd", ".mha", ".mhd", ".tif", ".tiff", ".webp", ".jp2"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".gif", ".jfif", ".tga", ".avif"),
)
_NNUNET = re.compile("images(Tr|Ts|Val)")


def folder_datalist(input_dir: str | os.PathLike[str] | None) -> list[dict[str, str]]:
    """List the images of a folder, sorted by name.

    Args:
        input_dir: folder that holds the images; folders within it are not searched.

    Returns:
        ``[{"image": ...}, ...]``, absolute paths of the files that end in `IMAGE_EXTENSIONS`. Hidden ones, such as the
        ``._x.nii.gz`` that macOS leaves beside ``x.nii.gz``, are left out.

    Raises:
        FileNotFoundError: When there is no such folder.
        ValueError: When it holds no image, or the channels of images in files of their own, as nnU-Net's folders do.

    Example:
        >>> images = folder_datalist("noisy_volumes")
    """
    folder = Path(input_dir or "").expanduser().absolute()
    if not input_dir or not folder.is_dir():
        raise FileNotFoundError(f"{input_dir!r} is no folder: give the folder of the images to predict by --input_dir.")
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if entry.name.lower().endswith(IMAGE_EXTENSIONS)]
    if not files:
        endings = ", ".join(IMAGE_EXTENSIONS)
        raise ValueError(f"{folder} holds no image: none of its files ends in {endings}.{_advice(entries)}")
    if _NNUNET.fullmatch(folder.name):
        _check_channels(folder, files)
    return [{"image": str(file)} for file in files]


def _advice(entries: list[Path]) -> str:
    """What to do with a folder that holds something else."""
    folders = [entry.name for entry in entries if entry.is_dir()]
    if any(entry.is_file() and _is_dicom(entry) for entry in entries):
        return (
            " It holds DICOM slices: convert each series to one NIfTI file (dcm2niix does), or list the folders of "
            'series as images: val_data: [{"image": "folder_of_a_series"}, ...].'
        )
    if inner := [name for name in folders if _NNUNET.fullmatch(name)]:
        return f" It is laid out as nnU-Net's: give one of its folders {', '.join(inner)}."
    return f" Folders within it are not searched: give one of {', '.join(folders[:3])}." if folders else ""


def _is_dicom(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(132)[128:] == b"DICM"


def _check_channels(folder: Path, files: list[Path]) -> None:
    """One file per channel, ``case_0000.nii.gz`` and ``case_0001.nii.gz``, is not one image per file."""
    channels = [file.name for file in files if re.search(r"_0001\.", file.name)]
    if channels:
        first = channels[0].replace("_0001.", "_0000.")
        raise ValueError(
            f"{folder} is nnU-Net's and holds a file per channel, such as {channels[0]}. List those of a case "
            f'together, channel by channel: val_data: [{{"image": ["{first}", "{channels[0]}"]}}, ...], with their '
            "folder."
        )
