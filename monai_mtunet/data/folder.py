"""A folder of images to predict."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["IMAGE_EXTENSIONS", "folder_datalist"]

IMAGE_EXTENSIONS = (
    *(".nii", ".nii.gz", ".png", ".jpg", ".jpeg", ".bmp", ".nrrd", ".mha", ".mhd", ".tif", ".tiff", ".webp", ".jp2"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".gif", ".jfif", ".tga", ".avif"),
)
_NNUNET = re.compile("images(Tr|Ts|Val)")


def folder_datalist(input_dir: str | os.PathLike[str] | None, channels: Sequence[str] = ()) -> list[dict[str, Any]]:
    """List the images of a folder, sorted by name.

    Args:
        input_dir: folder that holds the images; folders within it are not searched.
        channels: how the names of an image's files end, where its channels lie in a file each: ``("_t1", "_t2")`` for
            ``case7_t1.nii.gz`` and ``case7_t2.nii.gz``. Other files are left out then.

    Returns:
        ``[{"image": ...}, ...]``, absolute paths of the files that end in `IMAGE_EXTENSIONS`; with ``channels`` a list
        of paths per image, in their order. Hidden files, such as the ``._x.nii.gz`` that macOS leaves beside
        ``x.nii.gz``, are left out.

    Raises:
        FileNotFoundError: When there is no such folder, or an image lacks a channel.
        ValueError: When it holds no image, or the channels of images in files of their own, as nnU-Net's folders do,
            and ``channels`` does not say so.

    Example:
        >>> images = folder_datalist("noisy_volumes")
        >>> images = folder_datalist("imagesTs", channels=["_0000", "_0001"])
    """
    folder = Path(input_dir or "").expanduser().absolute()
    if not input_dir or not folder.is_dir():
        raise FileNotFoundError(f"{input_dir!r} is no folder: give the folder of the images to predict by --input_dir.")
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    files = [entry for entry in entries if entry.name.lower().endswith(IMAGE_EXTENSIONS)]
    if not files:
        endings = ", ".join(IMAGE_EXTENSIONS)
        raise ValueError(f"{folder} holds no image: none of its files ends in {endings}.{_advice(entries)}")
    if channels:
        images = group_channels(folder, files, channels)
        if not images:
            wanted = ", ".join(channels)
            raise ValueError(f"{folder} holds no image whose name ends in {wanted}; it has {files[0].name}.")
        return [{"image": image} for image in images]
    if numbers := nnunet_channels(folder, files):
        raise ValueError(
            f"{folder} is nnU-Net's and holds a file per channel, {', '.join(numbers)}. Say so, and those of a "
            f'case are taken together: --channels "{numbers}".'
        )
    return [{"image": str(file)} for file in files]


def group_channels(folder: Path, files: Sequence[Path], channels: Sequence[str]) -> list[list[str]]:
    """The files of each image, channel by channel.

    Args:
        folder: that holds the files.
        files: those that end in none of the channels are left out.
        channels: how their names end.

    Raises:
        FileNotFoundError: When an image lacks a channel.
    """
    images: dict[str, dict[str, str]] = {}
    for file in files:
        known = (end for end in sorted(IMAGE_EXTENSIONS, key=len)[::-1] if file.name.lower().endswith(end))
        ending = next(known, file.suffix)
        stem = file.name[: -len(ending)]
        # The longest: "_t1_gd" ends as "_gd" does.
        for channel in sorted(channels, key=len)[::-1]:
            if stem.endswith(channel):
                images.setdefault(stem.removesuffix(channel), {})[channel] = str(file)
                break
    for name, found in images.items():
        if missing := [channel for channel in channels if channel not in found]:
            raise FileNotFoundError(
                f"{folder}: {name or 'an image'} has {', '.join(Path(file).name for file in found.values())}, but no "
                f"file that ends in {', '.join(missing)}: add it, or move the others away."
            )
    return [[found[channel] for channel in channels] for found in images.values()]


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


def nnunet_channels(folder: Path, files: Sequence[Path]) -> list[str]:
    """``["_0000", "_0001"]`` where a folder is nnU-Net's and holds a file per channel, [] elsewhere.

    One file per channel, ``case_0000.nii.gz`` and ``case_0001.nii.gz``, is not one image per file.
    """
    numbers = {found[0] for file in files if (found := re.search(r"_\d{4}(?=\.)", file.name))}
    return sorted(numbers) if _NNUNET.fullmatch(folder.name) and "_0001" in numbers else []
