"""The Oxford-IIIT Pet data set: cats and dogs of 37 breeds, with outlines and boxes of heads.

Parkhi, Vedaldi, Zisserman and Jawahar, "Cats and dogs", CVPR 2012. Home: https://www.robots.ox.ac.uk/~vgg/data/pets/
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..dataset_files import check_files, dataset_folder
from ..labels import LabelSet

__all__ = [
    "OXFORD_PETS",
    "OXFORD_PETS_BORDER_AS_BACKGROUND",
    "OXFORD_PETS_SPECIES",
    "cats_and_dogs_datalist",
    "oxford_pets_breeds",
    "oxford_pets_datalist",
]

DATASET = "Oxford-IIIT Pet"
SOURCE = "https://www.robots.ox.ac.uk/~vgg/data/pets/ (images.tar.gz and annotations.tar.gz, unpacked into one folder)"

OXFORD_PETS = LabelSet(
    classes=("background", "pet"),
    palette=((0, 0, 0), (230, 159, 0)),
    # Pet, background, and the border between them, which is some voxels wide and not classified.
    labels=(1, 2, 3),
    class_of_label=(1, 0, 255),
)
OXFORD_PETS_BORDER_AS_BACKGROUND = replace(OXFORD_PETS, class_of_label=(1, 0, 0))
OXFORD_PETS_SPECIES = ("cat", "dog")

_TARGETS = {"segment": "trimap", "classify": "species", "box": "head_box"}
_KINDS = ("trimap", "species", "breed", "head_box")
_Pets = dict[str, tuple[int, int]]  # name -> class id (a breed's) and species, both as in the files


def oxford_pets_datalist(
    dataset_dir: str | os.PathLike[str] | None, section: str = "trainval", targets: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """List the images of an official section.

    It reads the official layout: ``images/{name}.jpg``, ``annotations/list.txt``, ``annotations/{section}.txt``,
    ``annotations/trimaps/{name}.png`` and ``annotations/xmls/{name}.xml``. There are boxes of heads for the trainval
    section only. Some of the files named .jpg are GIF or PNG images, with a palette or transparency: load images (not
    trimaps) by a reader that converts them, ``PictureReader("RGB")``, or ``CheckSampled(in_channels=3)`` reports them.

    Args:
        dataset_dir: folder that holds ``images`` and ``annotations``.
        section: "trainval" or "test".
        targets: for every key of a sample beside the image, what to take: "trimap", "species" (0 cat, 1 dog), "breed"
            or "head_box". Default: ``{"segment": "trimap", "classify": "species", "box": "head_box"}``.

    Returns:
        ``[{"image": ..., "segment": ..., "classify": 0, "box": [top, left, bottom, right]}, ...]`` in the section's
        order. Paths are absolute; trimaps hold ``OXFORD_PETS.labels``; boxes are in pixels from the top left corner,
        the last row and column included (`PaintBoxd` takes them), or None; breeds are numbers in `oxford_pets_breeds`.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When ``dataset_dir`` is not set, the section or a target is unknown, or a file cannot be understood.

    Example:
        >>> pets = oxford_pets_datalist("pets", "test", {"segment": "trimap", "classify": "breed"})
    """
    if section not in ("trainval", "test"):
        raise ValueError(f"{DATASET} has the sections 'trainval' and 'test', got {section!r}.")
    folder, pets = _annotated(dataset_dir, f"{section}.txt")
    names = list(_read_list(folder / "annotations" / f"{section}.txt"))
    unknown = [name for name in names if name not in pets]
    if unknown:
        raise ValueError(f"{folder / 'annotations' / 'list.txt'} lacks {unknown[:3]}, which {section}.txt names.")
    return _samples(folder, names, pets, targets)


def cats_and_dogs_datalist(
    dataset_dir: str | os.PathLike[str] | None,
    section: str = "train",
    targets: Mapping[str, str] | None = None,
    held_out: float = 0.3,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """List the images of a section of the auxiliary-task study: cats and dogs to train on, only dogs to measure by.

    The study says no more than that validation and test sets hold only dogs. Here all images with the box of a head are
    taken (the three tasks need it, and the official test section has none), and of the dogs among them a random
    ``held_out`` part is the validation section and as many others the test section. With 0.3, that is about 60, 20 and
    20 % of the images of the whole data set. The accuracy of classification is then the share of dogs that are found,
    and says nothing about cats.

    Args:
        dataset_dir: see `oxford_pets_datalist`.
        section: "train", "val" or "test".
        targets: see `oxford_pets_datalist`.
        held_out: the share of the dogs that each of "val" and "test" has.
        seed: of the choice of dogs.

    Returns:
        As `oxford_pets_datalist`, in the order of names.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: As `oxford_pets_datalist`, or when the part is not within 0..0.5, or too small to hold a dog.

    Example:
        >>> dogs = cats_and_dogs_datalist("pets", "val")
    """
    if section not in ("train", "val", "test"):
        raise ValueError(f"The cats-and-dogs setting has the sections 'train', 'val' and 'test', got {section!r}.")
    if not 0 < held_out < 0.5:
        raise ValueError(f"held_out must be within 0..0.5, so that dogs are left to train on, got {held_out}.")
    folder, pets = _annotated(dataset_dir)
    with_box = sorted(pets.keys() & _with_head_box(folder))
    dogs = [name for name in with_box if pets[name][1] == 2]
    count = round(held_out * len(dogs))
    if not count:
        raise ValueError(f"{held_out} of the {len(dogs)} dogs with a head box in {folder} is none: raise held_out.")
    shuffled = [dogs[i] for i in np.random.RandomState(seed).permutation(len(dogs))]
    parts = {"val": shuffled[:count], "test": shuffled[count : 2 * count]}
    held = {*parts["val"], *parts["test"]}
    parts["train"] = [name for name in with_box if name not in held]
    return _samples(folder, sorted(parts[section]), pets, targets)


def oxford_pets_breeds(dataset_dir: str | os.PathLike[str] | None) -> tuple[str, ...]:
    """Names of the breeds in ``annotations/list.txt``, in the order of their official ids: the classes of "breed".

    The ids are 1 to 37; a part of the data set may lack some, and its classes are then fewer, without gaps.

    Args:
        dataset_dir: see `oxford_pets_datalist`.

    Example:
        >>> ClassificationTask("breed", classes=oxford_pets_breeds("pets"))
    """
    _, pets = _annotated(dataset_dir)
    name_of_id = {class_id: name.rpartition("_")[0].replace("_", " ") for name, (class_id, _) in pets.items()}
    return tuple(name_of_id[class_id] for class_id in sorted(name_of_id))


def _annotated(dataset_dir: str | os.PathLike[str] | None, *lists: str) -> tuple[Path, _Pets]:
    """The folder, and all pets in its ``list.txt``."""
    folder = dataset_folder(dataset_dir, DATASET, SOURCE)
    needed = [{name: str(folder / "annotations" / name)} for name in ("list.txt", *lists)]
    check_files(needed, folder, DATASET, SOURCE)
    return folder, _read_list(folder / "annotations" / "list.txt")


def _read_list(path: Path) -> _Pets:
    """Lines of name, class id, species (1 cat, 2 dog) and breed id (among its species); # begins a comment."""
    pets: _Pets = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, *ids = line.split()
        if len(ids) != 3 or not all(text.isdigit() for text in ids) or ids[1] not in ("1", "2"):
            raise ValueError(f"{path}, line {number}: expected name, class id, species (1, 2) and breed, got {line!r}.")
        pets[name] = (int(ids[0]), int(ids[1]))
    return pets


def _with_head_box(folder: Path) -> set[str]:
    return {file.stem for file in (folder / "annotations" / "xmls").glob("*.xml")}


def _samples(
    folder: Path, names: Sequence[str], pets: _Pets, targets: Mapping[str, str] | None
) -> list[dict[str, Any]]:
    targets = _TARGETS if targets is None else targets
    if not set(targets.values()) <= set(_KINDS):
        raise ValueError(f"{DATASET} has the targets {', '.join(_KINDS)}, got {dict(targets)}.")
    number_of_id = {class_id: number for number, class_id in enumerate(sorted({ids[0] for ids in pets.values()}))}
    with_box = _with_head_box(folder) if "head_box" in targets.values() else set()
    samples, files = [], []
    for name in names:
        class_id, species = pets[name]
        values: dict[str, Any] = {
            "trimap": str(folder / "annotations" / "trimaps" / f"{name}.png"),
            "species": species - 1,
            "breed": number_of_id[class_id],
            "head_box": _head_box(folder / "annotations" / "xmls" / f"{name}.xml") if name in with_box else None,
        }
        image = str(folder / "images" / f"{name}.jpg")
        samples.append({"image": image, **{key: values[kind] for key, kind in targets.items()}})
        files.append({"image": image} | ({"trimap": values["trimap"]} if "trimap" in targets.values() else {}))
    check_files(files, folder, DATASET, SOURCE)
    return samples


def _head_box(path: Path) -> list[float]:
    """[top, left, bottom, right] of the first head; the files count pixels from 1 and include the last."""
    try:
        corners = ElementTree.parse(path).getroot().find("object/bndbox")
        if corners is None:
            raise ValueError("it has no object/bndbox")
        left, top, right, bottom = (float(corners.findtext(key, "")) for key in ("xmin", "ymin", "xmax", "ymax"))
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"{path} is no annotation in PASCAL VOC's form: {error}. Replace the file.") from error
    return [top - 1, left - 1, bottom, right]
