"""Images sorted into a folder per class, as ImageNet is: data sets for classification.

ImageNet (Russakovsky et al., IJCV 115, 2015) is available from https://www.image-net.org. Its validation images come in
one folder; sort them into folders of their classes as the training images are.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..dataset_files import dataset_folder
from ..folder import IMAGE_EXTENSIONS

__all__ = ["class_folder_datalist", "class_folder_names"]

LAYOUT = "images sorted into folders, {section}/{class}/{image}"
SOURCE = f"https://www.image-net.org (or take any {LAYOUT})"


def class_folder_names(dataset_dir: str | os.PathLike[str] | None, section: str = "train") -> list[str]:
    """The classes of a data set: names of the folders of its training section, sorted.

    Args:
        dataset_dir: folder that holds the sections.
        section: the section whose folders name the classes.

    Raises:
        FileNotFoundError: When there is no such folder.
        ValueError: When ``dataset_dir`` is not set, or the section has no folders.

    Example:
        >>> class_folder_names("imagenet")[:2]
        ['n01440764', 'n01443537']
    """
    folder = dataset_folder(dataset_dir, "ImageNet", SOURCE) / section
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder. Expected are {LAYOUT}, and their folder by --dataset_dir.")
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise ValueError(f"{folder} holds no folders, which would be the classes. Expected are {LAYOUT}.")
    return names


def class_folder_datalist(
    dataset_dir: str | os.PathLike[str] | None, section: str = "train", task: str = "classify"
) -> list[dict[str, Any]]:
    """List the images of a section, with the number of their class among `class_folder_names`.

    Args:
        dataset_dir: folder that holds "train" and other sections.
        section: the section to list. It need not have images of all classes of "train", which number them.
        task: key of the class number.

    Returns:
        ``[{"image": path, "classify": 0}, ...]``, absolute paths, class by class. Image files end as in
        `folder_datalist`; their case does not matter (ImageNet's end in ".JPEG").

    Raises:
        FileNotFoundError: When there is no such folder.
        ValueError: When ``dataset_dir`` is not set, a class has no images, or "train" does not have a class.

    Example:
        >>> images = class_folder_datalist("imagenet", "val")
    """
    number = {name: index for index, name in enumerate(class_folder_names(dataset_dir))}
    names = class_folder_names(dataset_dir, section)
    folder = dataset_folder(dataset_dir, "ImageNet", SOURCE)
    unknown = [name for name in names if name not in number]
    if unknown:
        raise ValueError(
            f"{folder / section} holds the classes {unknown[:3]}{'...' if len(unknown) > 3 else ''}, of which "
            f"{folder / 'train'} has no folders: classes are numbered as there."
        )
    datalist = []
    for name in names:
        images = _images(folder / section / name)
        if not images:
            raise ValueError(
                f"The class folder {folder / section / name} holds no image: none of its files ends in "
                f"{', '.join(IMAGE_EXTENSIONS)}. Fill it, or remove it from all sections."
            )
        datalist += [{"image": image, task: number[name]} for image in images]
    return datalist


def _images(folder: Path) -> list[str]:
    entries = (entry for entry in os.scandir(folder) if not entry.name.startswith("."))
    return sorted(entry.path for entry in entries if entry.name.lower().endswith(IMAGE_EXTENSIONS))
