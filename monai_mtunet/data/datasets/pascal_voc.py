"""PASCAL VOC 2012: photographs with 20 kinds of objects, and SBD's annotations of more of them.

Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective", IJCV 111 (2015); Hariharan et al.,
"Semantic Contours from Inverse Detectors", ICCV 2011. Home: http://host.robots.ox.ac.uk/pascal/VOC/voc2012/
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from ..dataset_files import check_files, dataset_folder
from ..labels import LabelSet

__all__ = ["VOC", "voc_datalist"]

SOURCE = "http://host.robots.ox.ac.uk/pascal/VOC/voc2012/ (VOCtrainval_11-May-2012.tar, test images on its server)"
SBD_SOURCE = (
    "http://home.bharathh.info/pubs/codes/SBD/download.html (benchmark.tgz), as PNGs of class numbers in "
    "SegmentationClassAug and their list ImageSets/Segmentation/trainaug.txt, which write_sbd_annotations makes of it"
)
OFFICIAL_COUNTS = {"train": 1464, "val": 1449, "trainval": 2913, "test": 1456, "trainaug": 10582}

# fmt: off
VOC = LabelSet(
    classes=(
        "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
        "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
    ),
    palette=(
        (0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128), (0, 128, 128), (128, 128, 128),
        (64, 0, 0), (192, 0, 0), (64, 128, 0), (192, 128, 0), (64, 0, 128), (192, 0, 128), (64, 128, 128),
        (192, 128, 128), (0, 64, 0), (128, 64, 0), (0, 192, 0), (128, 192, 0), (0, 64, 128),
    ),
    # Class numbers, and 255 along the outlines of objects, which is not evaluated. Nothing to map.
    labels=(*range(21), 255),
    class_of_label=(*range(21), 255),
)
# fmt: on


def voc_datalist(dataset_dir: str | os.PathLike[str] | None, section: str = "train") -> list[dict[str, str]]:
    """List the images of a section of PASCAL VOC 2012.

    It reads the official layout: ``ImageSets/Segmentation/{section}.txt`` with an image id per line,
    ``JPEGImages/{id}.jpg`` and ``SegmentationClass/{id}.png``. The section "trainaug", SBD's annotations of VOC's
    images but for those of "val", has its label maps in ``SegmentationClassAug``. Its published lists with a pair of
    paths per line are read as well. A part of the data set is accepted with a warning.

    Args:
        dataset_dir: the folder that holds these, or one of those around it, ``VOCdevkit/VOC2012``.
        section: "train", "val", "trainval", "trainaug", or "test", which has no label maps.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, absolute paths; of "test" images only. Label maps hold
        ``VOC.labels``.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When ``dataset_dir`` is not set, the section is unknown, or its list is empty.

    Example:
        >>> images = voc_datalist("VOCdevkit", "trainaug")
    """
    if section not in OFFICIAL_COUNTS:
        raise ValueError(f"PASCAL VOC has the sections {', '.join(OFFICIAL_COUNTS)}, got {section!r}.")
    source = f"{SOURCE}, and SBD from {SBD_SOURCE}" if section == "trainaug" else SOURCE
    folder = voc_folder(dataset_dir)
    list_file = folder / "ImageSets" / "Segmentation" / f"{section}.txt"
    check_files([{"list": str(list_file)}], folder, "PASCAL VOC 2012", source)
    labels = "SegmentationClassAug" if section == "trainaug" else "SegmentationClass"
    datalist = []
    for line in list_file.read_text().split("\n"):
        if not line.strip():
            continue
        image_id = Path(line.split()[0]).stem
        sample = {"image": str(folder / "JPEGImages" / f"{image_id}.jpg")}
        datalist.append(sample if section == "test" else sample | {"segment": str(folder / labels / f"{image_id}.png")})
    check_files(datalist, folder, "PASCAL VOC 2012", source)
    if len(datalist) != OFFICIAL_COUNTS[section]:
        warnings.warn(
            f"{list_file} holds {len(datalist)} of the {OFFICIAL_COUNTS[section]} images of PASCAL VOC's section "
            f"{section!r}: results will not be comparable.",
            stacklevel=2,
        )
    return datalist


def voc_folder(dataset_dir: str | os.PathLike[str] | None) -> Path:
    """The folder of VOC 2012 itself: the one given, or ``VOC2012`` or ``VOCdevkit/VOC2012`` in it."""
    folder = dataset_folder(dataset_dir, "PASCAL VOC 2012", SOURCE)
    inner = [folder / "VOC2012", folder / "VOCdevkit" / "VOC2012"]
    return next((candidate for candidate in inner if candidate.is_dir()), folder)
