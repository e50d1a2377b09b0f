"""The overlays of the hourglass bundle for data sets: street scenes in their official layouts, and real data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ..bundle_under_test import needs_data
from ..left_by_a_run import network
from .hourglass_bundle import HOURGLASS, NETWORK

FIVE_LEVELS = {"features": [4, 4, 4, 4, 4]}


def save_street_scenes(folder: Path, encoding: str) -> None:
    """Frames in Cityscapes' or KITTI's layout: two cars that touch, a group of cars, road, and unlabeled pixels."""
    factor = {"cityscapes": 1000, "kitti": 256}[encoding]
    codes = np.full((40, 60), 7 if encoding == "cityscapes" else 7 * factor, dtype=np.uint16)
    codes[5:25, 5:20], codes[5:25, 20:40] = 26 * factor + 1, 26 * factor + 2
    codes[30:38, 40:55] = 26 if encoding == "cityscapes" else 26 * factor
    codes[:3] = 0
    rng = np.random.default_rng(0)
    if encoding == "cityscapes":
        frames = {
            f"leftImg8bit/{section}/bonn/bonn_{index:06d}_000019_leftImg8bit.png": (
                f"gtFine/{section}/bonn/bonn_{index:06d}_000019_gtFine_instanceIds.png"
            )
            for section, count in (("train", 2), ("val", 1))
            for index in range(count)
        }
    else:
        names = ("000000_10.png", "000001_10.png", "000160_10.png")
        frames = {f"training/image_2/{name}": f"training/instance/{name}" for name in names}
    for image, instances in frames.items():
        for name, values in ((image, rng.integers(0, 256, (40, 60, 3), np.uint8)), (instances, codes)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(folder / name)


@pytest.mark.filterwarnings("ignore:.*frames of (Cityscapes|KITTI)")
@pytest.mark.parametrize("name", ["cityscapes", "kitti"])
def test_street_scenes_train_evaluate_and_predict(tmp_path: Path, name: str) -> None:
    save_street_scenes(tmp_path / "data", name)
    small: dict[str, Any] = {**FIVE_LEVELS, "dataset_dir": str(tmp_path / "data"), "roi_size": [24, 32]}
    if name == "cityscapes":
        small["load#3#spatial_size"] = [32, 48]
    crops = {"batch_size": 2, "augment#0#roi_size": [24, 32]}
    HOURGLASS.run(tmp_path, "train", name, **small, **crops, num_workers=0, max_epochs=1)
    assert len(network(tmp_path)["pathways.segment.head.bias"]) == 19
    HOURGLASS.run(tmp_path, "inference", name, **small)
    (file,) = (tmp_path / "predictions").glob("*_instances.png")
    assert np.asarray(Image.open(file)).shape == (40, 60)  # as the original image, which Cityscapes' overlay resizes


@pytest.mark.filterwarnings("ignore:.*frames of (Cityscapes|KITTI)")
@pytest.mark.parametrize("name", ["cityscapes", "kitti"])
def test_street_scenes_without_instances_only_teach_the_other_tasks(tmp_path: Path, name: str) -> None:
    save_street_scenes(tmp_path, name)
    classes = tmp_path / "classes.png"
    Image.fromarray(np.full((40, 60), 26, np.uint8)).save(classes)
    data = {"dataset_dir": str(tmp_path), "num_workers": 0, "augment": [], "shuffle": False}
    whole = HOURGLASS.parsed("train", name, **data).get_parsed_content("train_data")[0]
    unlabeled = {**whole, "instances": None}
    frames = [whole, unlabeled, {**unlabeled, "segment": str(classes)}]
    loader = HOURGLASS.parsed("train", name, **data, train_data=frames).get_parsed_content("train#dataloader")
    (batch,) = loader
    assert set(batch["instances"][0].unique().tolist()) == {-1, 0, 1, 2}
    assert (batch["instances"][1:] == -1).all()
    assert batch["distance"][1:].isnan().all()
    assert set(batch["segment"][0].unique().tolist()) == {0, 13, 255}
    assert (batch["segment"][1] == 255).all()
    assert (batch["segment"][2] == 13).all()  # cars, from the file of labels


@needs_data("camvid", "val.txt")
def test_camvid_trains_without_instances(tmp_path: Path) -> None:
    small = {
        **FIVE_LEVELS,
        "augment#0#roi_size": [64, 64],
        "max_epochs": 1,
        "batch_size": 2,
        "train_data": "$monai_mtunet.data.camvid_datalist(@dataset_dir, 'train')[:2]",
        "val_data": "$monai_mtunet.data.camvid_datalist(@dataset_dir, 'val')[:1]",
    }
    HOURGLASS.run(tmp_path, "train", "camvid", **small)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()


@needs_data("sstem_vnc")
def test_sections_of_cells_train(tmp_path: Path) -> None:
    crop = {"_target_": "CenterSpatialCropd", "keys": ["image", "segment"], "roi_size": [48, 48, 6]}
    small = {
        **NETWORK,
        "patch_size": [32, 32, 4],
        "roi_size": [48, 48, 6],
        "max_epochs": 1,
        "crops_per_epoch": 2,
        "batch_size": 2,
        "load": [*HOURGLASS.parsed("train", "sstem")["load"], crop],
    }
    HOURGLASS.run(tmp_path, "train", "sstem", **small)
    assert (tmp_path / "checkpoints" / "best.pt").is_file()
