"""Cityscapes: urban street scenes with fine and coarse annotations, in 19 classes and 7 categories, and disparity.

Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016. Classes, categories and
colors are those of ``cityscapesscripts/helpers/labels.py``. Home: https://www.cityscapes-dataset.com
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path

from ..dataset_files import check_files, dataset_folder
from ..labels import LabelSet

__all__ = ["CITYSCAPES", "CITYSCAPES_CATEGORIES", "CITYSCAPES_CATEGORIES_WITH_VOID", "cityscapes_datalist"]

SOURCE = (
    "https://www.cityscapes-dataset.com (leftImg8bit_trainvaltest.zip, gtFine_trainvaltest.zip or gtCoarse.zip; for "
    "depth disparity_trainvaltest.zip and camera_trainvaltest.zip)"
)
FILES = {  # folder and end of the name
    "gtFine": ("gtFine", "_gtFine_labelIds.png"),
    "gtCoarse": ("gtCoarse", "_gtCoarse_labelIds.png"),
    "disparity": ("disparity", "_disparity.png"),
    "camera": ("camera", "_camera.json"),
    "gtFine_instanceIds": ("gtFine", "_gtFine_instanceIds.png"),
    "gtCoarse_instanceIds": ("gtCoarse", "_gtCoarse_instanceIds.png"),
}
OFFICIAL_COUNTS = {"train": 2975, "val": 500, "test": 1525, "train_extra": 19998}

# fmt: off
CITYSCAPES = LabelSet(
    classes=(
        "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation",
        "terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
    ),
    palette=(
        (128, 64, 128), (244, 35, 232), (70, 70, 70), (102, 102, 156), (190, 153, 153), (153, 153, 153),
        (250, 170, 30), (220, 220, 0), (107, 142, 35), (152, 251, 152), (70, 130, 180), (220, 20, 60), (255, 0, 0),
        (0, 0, 142), (0, 0, 70), (0, 60, 100), (0, 80, 100), (0, 0, 230), (119, 11, 32),
    ),
    labels=(*range(34), -1, 255),  # the license plate's id is -1, which as 8 bits is 255
    class_of_label=(  # in the official evaluation, "trainId"
        255, 255, 255, 255, 255, 255, 255,  # void: unlabeled, ego vehicle, borders, out of roi, static, dynamic, ground
        0, 1, 255, 255,                     # flat: road, sidewalk, parking, rail track
        2, 3, 4, 255, 255, 255,             # construction: building, wall, fence, guard rail, bridge, tunnel
        5, 255, 6, 7,                       # object: pole, polegroup, traffic light, traffic sign
        8, 9, 10,                           # nature: vegetation, terrain; sky
        11, 12,                             # human: person, rider
        13, 14, 15, 255, 255, 16, 17, 18,   # vehicle: car, truck, bus, caravan, trailer, train, motorcycle, bicycle
        255, 255,                           # license plate
    ),
    # Caravans and trailers are not evaluated; their objects are numbered nevertheless.
    thing_labels=(24, 25, 26, 27, 28, 31, 32, 33),
)
# The categories have no official colors: each takes that of its most frequent class. Void is ignored, as the official
# evaluation does. These are the 7 classes of MTAN.
CITYSCAPES_CATEGORIES = LabelSet(
    classes=("flat", "construction", "object", "nature", "sky", "human", "vehicle"),
    palette=(
        (128, 64, 128), (70, 70, 70), (153, 153, 153), (107, 142, 35), (70, 130, 180), (220, 20, 60), (0, 0, 142),
    ),
    labels=CITYSCAPES.labels,
    class_of_label=(
        *(255,) * 7, *(0,) * 4, *(1,) * 6, *(2,) * 4, *(3,) * 2, 4, *(5,) * 2, *(6,) * 8, 255, 255,
    ),
)
# fmt: on
# 8 categories, void among them, as "8 categories for 30 classes" in the UMC paper can be read.
CITYSCAPES_CATEGORIES_WITH_VOID = LabelSet(
    classes=(*CITYSCAPES_CATEGORIES.classes, "void"),
    palette=(*CITYSCAPES_CATEGORIES.palette, (0, 0, 0)),
    labels=CITYSCAPES.labels,
    class_of_label=tuple(7 if c == 255 else c for c in CITYSCAPES_CATEGORIES.class_of_label),
)


def cityscapes_datalist(
    dataset_dir: str | os.PathLike[str] | None, section: str = "train", targets: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """List the images of a section of Cityscapes, with the annotations that your tasks need.

    It reads the official layout, ``leftImg8bit/{section}/{city}/{frame}_leftImg8bit.png`` and
    ``{annotation}/{section}/{city}/{frame}_{annotation}_labelIds.png``, and for depth
    ``disparity/{section}/{city}/{frame}_disparity.png`` and ``camera/{section}/{city}/{frame}_camera.json``. A part of
    the data set is accepted with a warning; a frame that lacks one of its files is not.

    Disparity becomes depth by `LoadSampled` (which keeps the 16 bits of its files), `LoadCityscapesCamerad`,
    `DecodeDisparityd` and `DisparityToDepthd`, in this order. Do so before images are resized: a disparity in pixels
    and the focal length shrink with an image's width, at 1/8 of the size to 1/8 (and resizing does not scale values),
    while a depth in meters stays what it is. Resize depth by nearest neighbor, as labels, or it bleeds over edges.

    Args:
        dataset_dir: folder that holds ``leftImg8bit`` and the annotations.
        section: "train", "val", "test" (public annotations are empty: pass ``targets={}``), or "train_extra" (coarse
            annotations only).
        targets: for every key of a sample beside the image, what to take: "gtFine", "gtCoarse", "disparity", "camera",
            "gtFine_instanceIds" or "gtCoarse_instanceIds" (for `DecodeInstancesd`). Two keys may take the same, for
            classes and categories. Default: ``{"segment": "gtFine"}``.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, absolute paths. Label maps hold ``CITYSCAPES.labels``.

    Raises:
        FileNotFoundError: When files are missing.
        ValueError: When ``dataset_dir`` is not set, the section or an annotation is unknown, or there is no image.

    Example:
        >>> frames = cityscapes_datalist("cityscapes", "train", {"coarse": "gtCoarse", "segment": "gtFine"})
        >>> targets = {"segment": "gtFine", "depth": "disparity", "camera": "camera"}
        >>> frames = cityscapes_datalist("cityscapes", "train", targets)
    """
    targets = {"segment": "gtFine"} if targets is None else targets
    if section not in OFFICIAL_COUNTS or not set(targets.values()) <= set(FILES):
        raise ValueError(
            f"Cityscapes has the sections {', '.join(OFFICIAL_COUNTS)} and the targets {', '.join(FILES)}, "
            f"got section {section!r} and targets {dict(targets)}."
        )
    folder = dataset_folder(dataset_dir, "Cityscapes", SOURCE)
    suffixes = {"image": ("leftImg8bit", "_leftImg8bit.png")}
    suffixes |= {key: FILES[kind] for key, kind in targets.items()}
    check_files(
        [{key: str(folder / kind / section) for key, (kind, _) in suffixes.items()}], folder, "Cityscapes", SOURCE
    )

    # A frame counts if any of its files is there, so that half of a frame is noticed.
    frames: set[tuple[str, str]] = set()
    for kind, suffix in suffixes.values():
        found = Path(folder, kind, section).glob(f"*/*{suffix}")
        frames.update((file.parent.name, file.name.removesuffix(suffix)) for file in found)
    datalist = [
        {key: str(folder / kind / section / city / (frame + suffix)) for key, (kind, suffix) in suffixes.items()}
        for city, frame in sorted(frames)
    ]
    check_files(datalist, folder, "Cityscapes", SOURCE)
    if len(datalist) != OFFICIAL_COUNTS[section]:
        warnings.warn(
            f"{folder} holds {len(datalist)} of the {OFFICIAL_COUNTS[section]} frames of Cityscapes' section "
            f"{section!r}: results will not be comparable.",
            stacklevel=2,
        )
    return datalist
