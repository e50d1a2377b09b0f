"""Data sets in their official layouts, small enough for a test."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from monai_mtunet.data import VOC, write_coco_voc_labels, write_sbd_annotations
from monai_mtunet.pictures import label_png


def _image(path: Path, size: tuple[int, int], seed: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)).save(path)


def save_voc(folder: Path) -> None:
    """PASCAL VOC 2012 of five images of different sizes, and SBD of two of them, written as "trainaug"."""
    import scipy.io

    voc, sbd = folder / "VOC2012", folder / "benchmark" / "dataset"
    sections = {"train": ["2007_000001", "2007_000002"], "val": ["2007_000003"], "test": ["2008_000004"]}
    sections["trainval"] = sections["train"] + sections["val"]
    for part in (voc / "SegmentationClass", voc / "ImageSets" / "Segmentation", sbd / "cls"):
        part.mkdir(parents=True)
    sizes = {"2007_000001": (30, 44), "2007_000002": (50, 36), "2007_000003": (38, 45), "2008_000004": (33, 41)}
    for image_id, size in (sizes | {"2008_000005": (40, 40)}).items():
        _image(voc / "JPEGImages" / f"{image_id}.jpg", size)
        labels = np.random.default_rng(1).choice([0, 1, 15, 20, 255], size).astype(np.uint8)
        if image_id.startswith("2007"):
            label_png(labels, dict(enumerate(VOC.palette))).save(voc / "SegmentationClass" / f"{image_id}.png")
        annotation = {"Segmentation": np.full(size, 7, dtype=np.uint8)}
        scipy.io.savemat(sbd / "cls" / f"{image_id}.mat", {"GTcls": annotation})
    for section, ids in sections.items():
        (voc / "ImageSets" / "Segmentation" / f"{section}.txt").write_text("\n".join(ids) + "\n")
    (sbd / "train.txt").write_text("2007_000001\n2008_000005\n")
    (sbd / "val.txt").write_text("2007_000003\n")
    write_sbd_annotations(sbd, voc)


def save_coco(folder: Path) -> None:
    """Two images of COCO in each of two sections, with a person of 1,200 pixels."""
    for section in ("train2017", "val2017"):
        names = [f"{section}_{number}.jpg" for number in range(2)]
        outline = [[2, 2, 42, 2, 42, 32, 2, 32]]
        content = {
            "images": [{"id": i, "file_name": name, "height": 40, "width": 50} for i, name in enumerate(names)],
            "annotations": [{"id": i, "image_id": i, "category_id": 1, "segmentation": outline} for i in range(2)],
            "categories": [{"id": 1, "name": "person"}],
        }
        for name in names:
            _image(folder / section / name, (40, 50))
        (folder / "annotations").mkdir(exist_ok=True)
        (folder / "annotations" / f"instances_{section}.json").write_text(json.dumps(content))
        write_coco_voc_labels(folder, section)


def save_cityscapes(folder: Path) -> None:
    """Two training frames of Cityscapes, one of validation, and one of the test section, without labels."""
    for section, count in (("train", 2), ("val", 1), ("test", 1)):
        for index in range(count):
            stem = f"bonn/bonn_{index:06d}_000019"
            _image(folder / f"leftImg8bit/{section}/{stem}_leftImg8bit.png", (40, 80))
            if section != "test":
                labels = np.random.default_rng(0).integers(0, 34, (40, 80), np.uint8)
                path = folder / f"gtFine/{section}/{stem}_gtFine_labelIds.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(labels).save(path)


def save_camvid(folder: Path) -> None:
    """Two training frames of CamVid and one of validation."""
    for section, count in (("train", 2), ("val", 1)):
        lines = []
        for index in range(count):
            name = f"0001TP_{index:06d}.png"
            _image(folder / section / name, (40, 56))
            labels = np.random.default_rng(0).integers(0, 12, (40, 56), np.uint8)
            (folder / f"{section}annot").mkdir(exist_ok=True)
            Image.fromarray(labels).save(folder / f"{section}annot" / name)
            lines.append(f"{section}/{name} {section}annot/{name}\n")
        (folder / f"{section}.txt").write_text("".join(lines))


def save_class_folders(folder: Path) -> None:
    """Three classes of two images, one of them gray, and one image of each for validation."""
    for section, count in (("train", 2), ("val", 1)):
        for number, name in enumerate(("n01", "n02", "n03")):
            for index in range(count):
                _image(folder / section / name / f"{name}_{index}.JPEG", (40 + 7 * number, 53), seed=number)
    path = folder / "train" / "n01" / "n01_0.JPEG"
    Image.open(path).convert("L").save(path)
