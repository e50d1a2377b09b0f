"""SBD, the Semantic Boundaries Dataset: more images of PASCAL VOC with class annotations.

Hariharan et al., "Semantic Contours from Inverse Detectors", ICCV 2011. Home:
http://home.bharathh.info/pubs/codes/SBD/download.html
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
from numpy.typing import NDArray
from PIL import Image

from ..dataset_files import check_files, dataset_folder
from .pascal_voc import SOURCE as VOC_SOURCE
from .pascal_voc import voc_folder

__all__ = ["write_sbd_annotations"]

SOURCE = "http://home.bharathh.info/pubs/codes/SBD/download.html (benchmark.tgz)"


def write_sbd_annotations(sbd_dir: str | os.PathLike[str] | None, voc_dir: str | os.PathLike[str] | None) -> list[str]:
    """Make the section "trainaug" of PASCAL VOC: the images of SBD and of VOC's "train", without those of VOC's "val".

    It writes ``SegmentationClassAug/{id}.png`` of class numbers, and at last ``ImageSets/Segmentation/trainaug.txt``
    into the folder of VOC 2012, for `voc_datalist`. Where VOC itself has an annotation of an image, that is taken.

    Args:
        sbd_dir: folder of SBD as downloaded, with ``train.txt``, ``val.txt`` and ``cls/{id}.mat``, or one of those
            around it, ``benchmark_RELEASE/dataset``.
        voc_dir: as for `voc_datalist`.

    Returns:
        The image ids, sorted: 10,582 of the complete data sets.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When a folder is not given.

    Example:
        >>> ids = write_sbd_annotations("benchmark_RELEASE", "VOCdevkit/VOC2012")
    """
    folder = dataset_folder(sbd_dir, "SBD", SOURCE)
    inner = [folder / "dataset", folder / "benchmark_RELEASE" / "dataset"]
    sbd = next((candidate for candidate in inner if candidate.is_dir()), folder)
    voc = voc_folder(voc_dir)
    lists = voc / "ImageSets" / "Segmentation"
    of_voc = {
        section: _ids(lists / f"{section}.txt", voc, "PASCAL VOC 2012", VOC_SOURCE) for section in ("train", "val")
    }
    of_sbd = _ids(sbd / "train.txt", sbd, "SBD", SOURCE) | _ids(sbd / "val.txt", sbd, "SBD", SOURCE)
    ids = sorted((of_sbd | of_voc["train"]) - of_voc["val"])
    sources = {
        image_id: voc / "SegmentationClass" / f"{image_id}.png"
        if image_id in of_voc["train"]
        else sbd / "cls" / f"{image_id}.mat"
        for image_id in ids
    }
    check_files([{image_id: str(file) for image_id, file in sources.items()}], sbd, "SBD", SOURCE)
    target = voc / "SegmentationClassAug"
    target.mkdir(exist_ok=True)
    for image_id, file in sources.items():
        path = target / f"{image_id}.png"
        if file.suffix == ".png":
            path.write_bytes(file.read_bytes())
        else:
            Image.fromarray(_class_numbers(file)).save(path)
    (lists / "trainaug.txt").write_text("\n".join(ids) + "\n")
    return ids


def _ids(file: Path, folder: Path, dataset: str, source: str) -> set[str]:
    check_files([{"list": str(file)}], folder, dataset, source)
    return set(file.read_text().split())


def _class_numbers(file: Path) -> NDArray[Any]:
    annotation: NDArray[Any] = scipy.io.loadmat(file)["GTcls"]["Segmentation"][0, 0]
    return annotation.astype(np.uint8)
