import numpy as np
import pytest
import torch
from monai.transforms import Compose, MapLabelValued
from PIL import Image

from monai_mtunet.data import CITYSCAPES, kitti_datalist
from monai_mtunet.transforms import DecodeInstancesd, LoadSampled

pytestmark = pytest.mark.filterwarnings("ignore:.*frames of KITTI")
FRAMES = ("000000_10.png", "000159_10.png", "000160_10.png", "000199_10.png")


@pytest.fixture
def kitti(tmp_path):
    """Four frames of 3 x 4 pixels: two cars on a road, and a pixel without a label."""
    codes = np.full((3, 4), 7 * 256, np.uint16)
    codes[1, :2], codes[1, 2:], codes[0, 0] = 26 * 256 + 1, 26 * 256 + 2, 0
    for frame in FRAMES:
        for kind, values in (
            ("image_2", np.zeros((3, 4, 3), np.uint8)),
            ("semantic", (codes // 256).astype(np.uint8)),
            ("semantic_rgb", np.zeros((3, 4, 3), np.uint8)),
            ("instance", codes),
        ):
            path = tmp_path / "training" / kind / frame
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(path)
    path = tmp_path / "testing" / "image_2" / FRAMES[0]
    path.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(path)
    return tmp_path


def test_official_layout_and_our_sections(kitti):
    assert kitti_datalist(kitti)[1] == {
        "image": str(kitti / "training/image_2/000159_10.png"),
        "segment": str(kitti / "training/semantic/000159_10.png"),
        "instances": str(kitti / "training/instance/000159_10.png"),
    }

    def names(section, **labels):
        return tuple(sample["image"][-13:] for sample in kitti_datalist(kitti, section, **labels))

    assert names("train") == FRAMES[:2]
    assert names("val") == FRAMES[2:]
    assert names("all") == FRAMES
    assert kitti_datalist(kitti, "test", {}) == [{"image": str(kitti / "testing/image_2/000000_10.png")}]


def test_instance_files_do_for_classes_as_well(kitti):
    load = Compose(
        [
            LoadSampled(["image", "instances", "segment"], label_keys="segment"),
            DecodeInstancesd(
                "instances", "kitti", CITYSCAPES.thing_labels, CITYSCAPES.ignored_labels, label_keys="of_instances"
            ),
            MapLabelValued(
                ["segment", "of_instances"], CITYSCAPES.labels, CITYSCAPES.class_of_label, dtype=torch.int16
            ),
        ]
    )
    sample = load(kitti_datalist(kitti)[0])
    assert sample["instances"][0].tolist() == [[-1, 0, 0, 0], [1, 1, 2, 2], [0, 0, 0, 0]]
    assert sample["segment"][0].tolist() == [[255, 0, 0, 0], [13, 13, 13, 13], [0, 0, 0, 0]]
    assert torch.equal(sample["segment"].as_tensor(), sample["of_instances"].as_tensor())


def test_a_part_is_taken_with_a_warning(kitti):
    with pytest.warns(UserWarning, match="holds 4 of the 200 frames of KITTI"):
        kitti_datalist(kitti)


@pytest.mark.parametrize("kind", ["image_2", "semantic", "instance"])
def test_a_frame_without_one_of_its_files_is_an_error(kitti, kind):
    (kitti / "training" / kind / FRAMES[0]).unlink()
    with pytest.raises(
        FileNotFoundError, match=rf"11 of 12 files .*{kind}/000000_10.*data_semantics\.zip.*--dataset_dir"
    ):
        kitti_datalist(kitti)


def test_what_is_missing_is_named(kitti, tmp_path):
    with pytest.raises(ValueError, match="No folder was given for KITTI"):
        kitti_datalist("")
    with pytest.raises(FileNotFoundError, match="training/image_2"):
        kitti_datalist(kitti / "training")
    with pytest.raises(ValueError, match="train, val, all, test"):
        kitti_datalist(kitti, "training")
    with pytest.raises(ValueError, match="semantic, instance"):
        kitti_datalist(kitti, targets={"segment": "semantics"})
    with pytest.raises(ValueError, match=r"pass targets=\{\}"):
        kitti_datalist(kitti, "test")
    for frame in FRAMES[2:]:
        for kind in ("image_2", "semantic", "instance"):
            (kitti / "training" / kind / frame).unlink()
    with pytest.raises(ValueError, match=r"none of the 2 frames .* section 'val'"):
        kitti_datalist(kitti, "val")
