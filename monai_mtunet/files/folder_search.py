"""The images of a folder and of all folders in it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..data.folder import group_channels, nnunet_channels
from .formats.dicom import is_dicom
from .formats.dicom_series import dicom_images
from .formats.ome_zarr import is_zarr
from .open_image import IMAGE_ENDINGS

__all__ = ["FolderSearch"]

_OF_ARCHIVERS = "__MACOSX"  # hidden files of archives that were made by macOS


class FolderSearch:
    """Finds images by their kind, and remembers what it leaves out.

    Hidden files are none, such as the ``._x.nii.gz`` that macOS leaves beside ``x.nii.gz``. A zarr store is one image,
    and so is a series of DICOM slices. Folders that are linked to are searched as well.

    Args:
        channels: how the names of an image's files end, where its channels lie in a file each; other files are left
            out then.
        output: folder of predictions, which are no images to predict.

    Attributes:
        left_out: files that are no images.
        hidden: number of hidden files and folders.
    """

    def __init__(self, channels: Sequence[str] = (), output: str | os.PathLike[str] | None = None) -> None:
        self.channels = tuple(channels)
        self.output = None if output is None else os.path.realpath(output)
        self.left_out: list[Path] = []
        self.hidden = 0

    def images(self, folder: Path) -> list[tuple[str, ...]]:
        """Search a folder.

        Returns:
            The files of each image: one, or one per channel; sorted by name, those of folders within last.

        Raises:
            ValueError: When predictions are to be saved in this folder, or its files are channels of images and it is
                not said so.
            FileNotFoundError: When an image lacks a channel.
        """
        if self.output == os.path.realpath(folder):
            raise ValueError(
                f"{folder} is the folder of the predictions as well, and would be searched for images with predictions "
                "among them: save predictions in another folder."
            )
        return self._search(folder, set())

    def among(self, paths: Iterable[Path]) -> list[tuple[str, ...]]:
        """Take the images among files, and search the folders; returns and raises as `images` does."""
        files: dict[Path, list[Path]] = {}
        images: list[tuple[str, ...]] = []
        for path in paths:
            if path.is_dir():
                images += self._search(path, set())
            elif not any(self.output == os.path.realpath(parent) for parent in path.parents):
                files.setdefault(path.parent, []).append(path)
        return [image for folder, some in files.items() for image in self._files(folder, some)] + images

    def _search(self, folder: Path, searched: set[str]) -> list[tuple[str, ...]]:
        place = os.path.realpath(folder)
        if place == self.output or place in searched:  # a link may lead to a folder that it lies in
            return []
        searched.add(place)
        try:
            if is_zarr(folder):
                return [(str(folder),)]
            entries = sorted(folder.iterdir())
        except OSError:  # no permission: opening it says so, and the others are predicted
            return [(str(folder),)]
        seen = [entry for entry in entries if not entry.name.startswith(".") and entry.name != _OF_ARCHIVERS]
        self.hidden += len(entries) - len(seen)
        folders = [entry for entry in seen if entry.is_dir()]
        images = self._files(folder, [entry for entry in seen if entry not in folders])
        return images + [image for inner in folders for image in self._search(inner, searched)]

    def _files(self, folder: Path, files: Sequence[Path]) -> list[tuple[str, ...]]:
        known = [file for file in files if file.name.lower().endswith(IMAGE_ENDINGS)]
        slices = [file for file in files if file.suffix.lower() == ".dcm" or (file not in known and _is_slice(file))]
        plain = [file for file in known if file not in slices]
        self.left_out += [file for file in files if file not in known and file not in slices]
        if self.channels:
            groups = group_channels(folder, plain, self.channels)
            together = {file for group in groups for file in group}
            self.left_out += [file for file in [*plain, *slices] if str(file) not in together]
            return [tuple(group) for group in groups]
        if numbers := nnunet_channels(folder, plain):
            options = " ".join(f"--channels {number}" for number in numbers)
            raise ValueError(
                f"{folder} is nnU-Net's and holds a file per channel, {', '.join(numbers)}. Say so, and those of a "
                f"case are taken together: {options}."
            )
        return [(str(image),) for image in sorted([*plain, *dicom_images(folder, slices)])]


def _is_slice(file: Path) -> bool:
    try:
        return is_dicom(file)
    except OSError:  # no permission, or a link that leads nowhere
        return False
