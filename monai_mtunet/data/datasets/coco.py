"""COCO as further training data for PASCAL VOC: photographs with instances of 80 kinds, VOC's 20 among them.

Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014. Home: https://cocodataset.org
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..dataset_files import check_files, dataset_folder
from .coco_segmentation import coco_mask
from .pascal_voc import VOC

__all__ = ["coco_voc_datalist", "write_coco_voc_labels"]

SOURCE = "https://cocodataset.org (for 2017 train2017.zip, val2017.zip and annotations_trainval2017.zip)"
FOLDER = "voc_labels"
# COCO's names of VOC's classes, where they differ.
COCO_NAMES = {
    "aeroplane": "airplane",
    "diningtable": "dining table",
    "motorbike": "motorcycle",
    "pottedplant": "potted plant",
    "sofa": "couch",
    "tvmonitor": "tv",
}


def write_coco_voc_labels(
    dataset_dir: str | os.PathLike[str] | None, section: str = "train2017", least_pixels: int = 1000
) -> list[str]:
    """Paint COCO's instances of VOC's classes as label maps, once, for `coco_voc_datalist`.

    It reads the official layout, ``annotations/instances_{section}.json``, and writes
    ``voc_labels/{section}/{name}.png`` (class numbers of ``VOC.classes``) and at last their list
    ``voc_labels/{section}.txt``. COCO's other classes are background, and images with fewer labeled pixels are left
    out, as the SUNet paper does (section 7.3). Where instances overlap the smaller one is in front, and any is in front
    of crowds: a choice that the paper leaves open.

    Args:
        dataset_dir: folder that holds ``annotations``.
        section: "train2017", "val2017", "train2014" or "val2014".
        least_pixels: how many pixels of VOC's objects an image must have.

    Returns:
        The file names of the images that have a label map.

    Raises:
        FileNotFoundError: When the annotations are missing.
        ValueError: When ``dataset_dir`` is not set, or the file holds no instances.

    Example:
        >>> names = write_coco_voc_labels("coco", "train2017")
    """
    folder = dataset_folder(dataset_dir, "COCO", SOURCE)
    file = folder / "annotations" / f"instances_{section}.json"
    check_files([{"annotations": str(file)}], folder, "COCO", SOURCE)
    images, instances = _instances(file)
    (folder / FOLDER / section).mkdir(parents=True, exist_ok=True)
    names = []
    for image in sorted(images, key=lambda image: str(image["file_name"])):
        labels = _label_map(instances[image["id"]], image["height"], image["width"], file)
        if np.count_nonzero(labels) >= least_pixels:
            path = folder / FOLDER / section / Path(image["file_name"]).with_suffix(".png")
            Image.fromarray(labels.astype(np.uint8)).save(path)
            names.append(str(image["file_name"]))
    (folder / FOLDER / f"{section}.txt").write_text("".join(f"{name}\n" for name in names))
    return names


def coco_voc_datalist(dataset_dir: str | os.PathLike[str] | None, section: str = "train2017") -> list[dict[str, str]]:
    """List the images of a section of COCO for which `write_coco_voc_labels` wrote label maps.

    Args:
        dataset_dir: folder that holds the images, ``{section}/``, and ``voc_labels``.
        section: "train2017", "val2017", "train2014" or "val2014". The lists of sections may be added.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, absolute paths. Label maps hold numbers of ``VOC.classes``.

    Raises:
        FileNotFoundError: When files are missing, or the label maps have not been written.
        ValueError: When ``dataset_dir`` is not set, or there is no image.

    Example:
        >>> trainval = coco_voc_datalist("coco", "train2017") + coco_voc_datalist("coco", "val2017")
    """
    folder = dataset_folder(dataset_dir, "COCO", SOURCE)
    file = folder / FOLDER / f"{section}.txt"
    if not file.exists():
        raise FileNotFoundError(
            f"{file} does not exist: COCO's label maps in VOC's classes are written, once, by "
            f"monai_mtunet.data.write_coco_voc_labels({str(folder)!r}, {section!r})."
        )
    datalist = [
        {
            "image": str(folder / section / name),
            "segment": str(folder / FOLDER / section / Path(name).with_suffix(".png")),
        }
        for name in file.read_text().splitlines()
    ]
    check_files(datalist, folder, "COCO", SOURCE)
    return datalist


def _instances(file: Path) -> tuple[list[dict[str, Any]], dict[int, list[dict[str, Any]]]]:
    """All images, and by image the instances of VOC's classes, with the class number under "label"."""
    content = json.loads(file.read_text())
    lacking = [key for key in ("images", "annotations", "categories") if key not in content]
    if lacking:
        raise ValueError(
            f"{file} has no {', '.join(lacking)}: it does not hold COCO's instances. Get it from {SOURCE}."
        )
    number = {COCO_NAMES.get(name, name): index for index, name in enumerate(VOC.classes) if index}
    label_of = {kind["id"]: number[kind["name"]] for kind in content["categories"] if kind["name"] in number}
    instances = defaultdict(list)
    for instance in content["annotations"]:
        if instance["category_id"] in label_of:
            instances[instance["image_id"]].append(instance | {"label": label_of[instance["category_id"]]})
    return content["images"], instances


def _label_map(instances: list[dict[str, Any]], height: int, width: int, file: Path) -> NDArray[np.uint8]:
    masks = []
    for instance in instances:
        try:
            mask = coco_mask(instance["segmentation"], height, width)
        except ValueError as error:
            raise ValueError(f"{file}, instance {instance.get('id')}: {error}") from error
        masks.append((not instance.get("iscrowd", 0), -int(mask.sum()), instance["label"], mask))
    labels = np.zeros((height, width), dtype=np.uint8)
    for *_, label, mask in sorted(masks, key=lambda entry: entry[:2]):
        labels[mask] = label
    return labels
