"""KITTI's semantic and instance segmentation benchmark: 200 street scenes, with the label ids of Cityscapes.

Abu Alhaija et al., "Augmented reality meets computer vision", IJCV 126, 2018. Home:
https://www.cvlibs.net/datasets/kitti/eval_instance_seg.php?benchmark=instanceSeg2015
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path

from ..dataset_files import check_files, dataset_folder

__all__ = ["kitti_datalist"]

SOURCE = "https://www.cvlibs.net/datasets/kitti/eval_semseg.php?benchmark=semantics2015 (data_semantics.zip)"
ANNOTATIONS = ("semantic", "instance")
SECTIONS = ("train", "val", "all", "test")
OFFICIAL_COUNT = 200
FIRST_OF_VALIDATION = "000160"


def kitti_datalist(
    dataset_dir: str | os.PathLike[str] | None, section: str = "train", targets: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """List the images of a section of KITTI's segmentation benchmark, with the annotations that your tasks need.

    It reads the official layout, ``training/image_2/000000_10.png`` and the same names in ``training/semantic`` and
    ``training/instance``. There is no official validation set: here it is the last 40 of the 200 frames, from 000160
    on. They are not chosen at random since neighboring numbers can be of one drive.

    Both kinds of annotation have the label ids of Cityscapes, ``CITYSCAPES.labels``. `DecodeInstancesd` gets instances
    and labels from the files of "instance" (label * 256 + number), so that these alone do for both.

    Args:
        dataset_dir: folder that holds ``training`` and ``testing``.
        section: "train", "val", "all" (both) or "test" (without annotations: pass ``targets={}``).
        targets: for every key of a sample beside the image, what to take: "semantic" or "instance". Default:
            ``{"segment": "semantic", "instances": "instance"}``.

    Returns:
        ``[{"image": ..., "segment": ..., "instances": ...}, ...]``, absolute paths.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When ``dataset_dir`` is not set, the section or an annotation is unknown, or there is no image.

    Example:
        >>> frames = kitti_datalist("kitti_semantics", "train", {"instances": "instance"})
    """
    targets = dict(zip(("segment", "instances"), ANNOTATIONS, strict=True)) if targets is None else targets
    if section not in SECTIONS or not set(targets.values()) <= set(ANNOTATIONS):
        raise ValueError(
            f"KITTI has the sections {', '.join(SECTIONS)} and the targets {', '.join(ANNOTATIONS)}, got section "
            f"{section!r} and targets {dict(targets)}."
        )
    if section == "test" and targets:
        raise ValueError("KITTI keeps the labels of its section 'test': pass targets={}.")
    folder = dataset_folder(dataset_dir, "KITTI's segmentation benchmark", SOURCE)
    part = folder / ("testing" if section == "test" else "training")
    kinds = {"image": "image_2", **targets}
    check_files([{key: str(part / kind) for key, kind in kinds.items()}], folder, "KITTI", SOURCE)

    # A frame counts if any of its files is there, so that half of a frame is noticed.
    frames = sorted({file.name for kind in kinds.values() for file in Path(part, kind).glob("*_10.png")})
    datalist = [{key: str(part / kind / frame) for key, kind in kinds.items()} for frame in frames]
    check_files(datalist, folder, "KITTI", SOURCE)
    if len(frames) != OFFICIAL_COUNT:
        warnings.warn(
            f"{part} holds {len(frames)} of the {OFFICIAL_COUNT} frames of KITTI: results will not be comparable.",
            stacklevel=2,
        )
    if section in ("train", "val"):
        validation = [frame >= FIRST_OF_VALIDATION for frame in frames]
        datalist = [sample for sample, last in zip(datalist, validation, strict=True) if last == (section == "val")]
        if not datalist:
            raise ValueError(f"KITTI: none of the {len(frames)} frames in {part} belongs to the section {section!r}.")
    return datalist
