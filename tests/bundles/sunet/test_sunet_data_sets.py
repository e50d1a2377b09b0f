"""The overlays of the SUNet bundle for data sets, on a few images in their official layouts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.data import CITYSCAPES

from ..bundle_under_test import BundleUnderTest
from ..left_by_a_run import checkpoint, measured, network
from .official_layouts import save_camvid, save_cityscapes, save_class_folders, save_coco, save_voc
from .sunet_bundle import NETWORK, SUNET

pytestmark = pytest.mark.filterwarnings("ignore:.*images of PASCAL VOC", "ignore:.*frames of Cityscapes")

# No batch of a single crop, whose deepest features are one voxel: batch normalization would have nothing to average.
TRAINING: dict[str, Any] = NETWORK | {"batch_size": 3, "num_workers": 0, "max_epochs": 1, "val_interval": 1}
CROPS: dict[str, Any] = {"crop_size": [32, 32]}
WINDOWS: dict[str, Any] = {"roi_size": [32, 32], "shorter_side": 32, "scales": [0.5, 1.25]}


@pytest.fixture(scope="module")
def voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("VOCdevkit")
    save_voc(folder)
    return folder


@pytest.fixture(scope="module")
def pretrained_on_coco(voc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    coco, folder = tmp_path_factory.mktemp("coco"), tmp_path_factory.mktemp("pretrained")
    save_coco(coco)
    SUNET.run(
        folder, "train", "pascal_voc", "coco", **TRAINING | CROPS | {"batch_size": 4},
        dataset_dir=str(voc), coco_dir=str(coco),
    )  # fmt: skip
    return folder


def test_pascal_voc_to_the_files_for_its_server(voc: Path, tmp_path: Path) -> None:
    data = {"dataset_dir": str(voc)}
    SUNET.run(tmp_path, "train", "pascal_voc", **TRAINING | CROPS | data)
    trunk, heads = checkpoint(tmp_path)["optimizer"]["param_groups"]
    assert (trunk["initial_lr"], trunk["momentum"], trunk["weight_decay"]) == (0.0002, 0.95, 0.0001)
    assert heads["initial_lr"] == pytest.approx(10 * trunk["initial_lr"])
    SUNET.run(tmp_path, "train", "pascal_voc", "evaluate", **TRAINING | CROPS | WINDOWS | data)
    assert len([name for name in measured(tmp_path) if name.startswith("segment_iou_")]) == 21
    SUNET.run(tmp_path, "inference", "pascal_voc", "voc_server", **NETWORK | WINDOWS | {"crop_size": [32, 32]} | data)
    (file,) = (tmp_path / "results" / "VOC2012" / "Segmentation" / "comp6_test_cls").iterdir()
    assert file.name == "2008_000004.png"
    picture = Image.open(file)
    assert picture.size == (41, 33)
    assert np.asarray(picture).max() < 21


def test_voc_is_augmented_as_in_the_paper(voc: Path) -> None:
    config = SUNET.parsed("train", "pascal_voc", **TRAINING | CROPS, dataset_dir=str(voc))
    dataset = config.get_parsed_content("train#dataset")
    assert len(dataset) == 3  # trainaug: VOC's two and SBD's, without those of "val"
    labels = set()
    for _ in range(12):
        for sample in dataset:
            assert sample["image"].shape == (3, 32, 32)
            assert sample["segment"].shape == (1, 32, 32)
            assert sample["segment"].dtype == torch.int16
            assert sample["image"].isfinite().all()
            labels |= set(sample["segment"].unique().tolist())
    assert labels == {0, 1, 7, 15, 20, 255}  # none that an interpolation makes
    steps = config.get_parsed_content("augment")
    zoom, rotate = steps[0].rand_zoom, steps[2].rand_rotate
    assert (zoom.min_zoom, zoom.max_zoom) == ((0.5,), (2.0,))
    assert np.degrees(rotate.range_x) == pytest.approx((-10, 10))


def test_coco_then_voc_then_trainval(voc: Path, pretrained_on_coco: Path, tmp_path: Path) -> None:
    """Section 7.3 and 7.4: the whole network goes on, at a tenth of the rate; at last with frozen normalization."""
    config = SUNET.parsed("train", "pascal_voc", "voc_finetune")
    assert config["learning_rate"] == pytest.approx(SUNET.parsed("train", "pascal_voc")["learning_rate"] / 10)
    data = TRAINING | CROPS | {"dataset_dir": str(voc)}
    overlays = ["train", "pascal_voc", "voc_finetune"]
    on_coco = {"pretrained": str(pretrained_on_coco / "checkpoints" / "best.pt")}
    SUNET.run(tmp_path / "still", *overlays, **data, **on_coco, learning_rate=0.0, freeze_norm=True)
    before, after = network(pretrained_on_coco, "best"), network(tmp_path / "still", "best")
    assert all(torch.equal(before[name], after[name]) for name in before)  # heads included
    SUNET.run(tmp_path / "finetune", *overlays, **data, **on_coco)
    finetuned = tmp_path / "finetune" / "checkpoints" / "best.pt"
    SUNET.run(tmp_path / "trainval", *overlays, "voc_trainval", **data, pretrained=str(finetuned))
    before, after = network(tmp_path / "finetune", "best"), network(tmp_path / "trainval", "best")
    assert not torch.equal(before["trunk.stem.weight"], after["trunk.stem.weight"])
    frozen = [name for name in before if name.endswith("running_mean")]
    assert frozen
    assert all(torch.equal(before[name], after[name]) for name in frozen)


def test_cityscapes_to_the_files_for_its_server(tmp_path: Path) -> None:
    data = {"dataset_dir": str(tmp_path / "data")}
    save_cityscapes(tmp_path / "data")
    SUNET.run(tmp_path, "train", "cityscapes", **TRAINING | CROPS | data)
    SUNET.run(tmp_path, "train", "cityscapes", "evaluate", **TRAINING | CROPS | WINDOWS | data)
    assert len([name for name in measured(tmp_path) if name.startswith("segment_iou_")]) == 19
    SUNET.run(tmp_path, "inference", "cityscapes", "cityscapes_server", **NETWORK | WINDOWS | CROPS | data)
    (file,) = (tmp_path / "server").iterdir()
    assert file.name == "bonn_000000_000019.png"
    assert set(np.unique(np.asarray(Image.open(file)))) <= set(CITYSCAPES.label_of_class)


def test_camvid(tmp_path: Path) -> None:
    data = {"dataset_dir": str(tmp_path / "data")}
    save_camvid(tmp_path / "data")
    SUNET.run(tmp_path, "train", "camvid", **TRAINING | CROPS | data)
    SUNET.run(tmp_path, "train", "camvid", "evaluate", **TRAINING | CROPS | data)
    assert len([name for name in measured(tmp_path) if name.startswith("segment_iou_")]) == 11
    SUNET.run(tmp_path, "inference", "camvid", **NETWORK | data)
    assert len(list((tmp_path / "predictions").glob("*_segment.png"))) == 1


@pytest.mark.parametrize("bundle", ["hourglass", "sunet", "umc"])
def test_of_camvid_a_sequence_can_be_held_out(tmp_path: Path, bundle: str) -> None:
    save_camvid(tmp_path)
    for held_out, expected in ((None, (2, 1)), ("0001TP_000001", (1, 1))):
        config = BundleUnderTest(bundle).parsed("train", "camvid", dataset_dir=str(tmp_path), held_out=held_out)
        sections = [config.get_parsed_content(section) for section in ("train_data", "val_data")]
        assert tuple(map(len, sections)) == expected
    assert Path(sections[1][0]["image"]) == tmp_path / "train" / "0001TP_000001.png"


def test_class_folders_in_the_imagenet_protocol(tmp_path: Path) -> None:
    data = {"dataset_dir": str(tmp_path / "data")}
    save_class_folders(tmp_path / "data")
    small = {"val_size": 36, "crop_size": [32, 32]}
    SUNET.run(tmp_path, "train", "class_folders", **TRAINING | small | data)
    state = checkpoint(tmp_path)
    assert state["network"]["heads.vectors.classify.linear.weight"].shape[0] == 3
    assert state["lr_scheduler"]["step_size"] == 30
    assert state["lr_scheduler"]["last_epoch"] == 1  # steps by epoch, not by iteration
    trunk, heads = state["optimizer"]["param_groups"]
    assert trunk["lr"] == heads["lr"] == 0.01
    assert trunk["nesterov"]
    SUNET.run(tmp_path, "train", "class_folders", "evaluate", **TRAINING | small | data)
    assert 0 <= measured(tmp_path)["classify_top1_error"] <= 1
    SUNET.run(tmp_path, "inference", "class_folders", **NETWORK | small | data)
    assert len(list((tmp_path / "predictions").rglob("*_classify.json"))) == 3
