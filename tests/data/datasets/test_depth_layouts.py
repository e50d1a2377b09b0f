"""One frame written in both layouts, read by the configurations that docs/data.md gives."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose
from PIL import Image

from monai_mtunet.data import CITYSCAPES, CITYSCAPES_CATEGORIES
from monai_mtunet.tasks import DepthTask, SegmentationTask, TaskList

pytestmark = pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")

SIZE = (256, 512)  # twice that of the documentation's resizing
FRAME = "aachen/aachen_000000_000019"
FOCAL_LENGTH, BASELINE = 2262.52, 0.209313
RNG = np.random.RandomState(0)
IMAGE = RNG.randint(0, 256, (*SIZE, 3), dtype=np.uint8)
LABEL_IDS = RNG.randint(0, 34, SIZE).astype(np.uint8)
DEPTH = RNG.uniform(5, 60, SIZE)
DEPTH[RNG.uniform(size=SIZE) < 0.2] = 0
TASKS = TaskList([SegmentationTask("segment", CITYSCAPES.classes), DepthTask("depth")])
TABLES = {"label_7": CITYSCAPES_CATEGORIES.class_of_label, "label_19": CITYSCAPES.class_of_label}


def documented(loader):
    """The configuration of docs/data.md that uses a loader."""
    text = (Path(__file__).parents[3] / "docs" / "data.md").read_text()
    block = next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if loader in block)
    return {"imports": ["$import monai_mtunet"], **json.loads(f"{{{block}}}")}


def load(config, folder, target_files):
    parser = ConfigParser({**config, "dataset_dir": str(folder), "target_files": target_files, "active_tasks": TASKS})
    transform = Compose(parser.get_parsed_content("load"))
    return transform(parser.get_parsed_content("train_data")[0])


def write_official(folder, disparity=None):
    if disparity is None:
        with np.errstate(divide="ignore"):
            pixels = FOCAL_LENGTH * BASELINE / DEPTH
        disparity = np.where(DEPTH > 0, np.round(1 + 256 * np.where(DEPTH > 0, pixels, 0)), 0).astype(np.uint16)
    for kind, suffix, values in (
        ("leftImg8bit", "leftImg8bit", IMAGE),
        ("gtFine", "gtFine_labelIds", LABEL_IDS),
        ("disparity", "disparity", disparity),
    ):
        path = folder / kind / "train" / f"{FRAME}_{suffix}.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(values).save(path)
    path = folder / "camera" / "train" / f"{FRAME}_camera.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"extrinsic": {"baseline": BASELINE}, "intrinsic": {"fx": FOCAL_LENGTH}}))


def write_arrays(folder):
    arrays = {"image": IMAGE / 255, "depth": DEPTH[..., None]}
    for kind, table in TABLES.items():
        classes = np.array(table)[LABEL_IDS]
        arrays[kind] = np.where(classes == 255, -1, classes)
    for kind, values in arrays.items():
        (folder / "train" / kind).mkdir(parents=True)
        np.save(folder / "train" / kind / "0.npy", values)


@pytest.fixture
def official(tmp_path):
    write_official(tmp_path)
    return documented("DisparityToDepthd"), tmp_path


OFFICIAL_TARGETS = {"segment": "gtFine", "depth": "disparity", "camera": "camera"}


@pytest.mark.parametrize("labels", TABLES)
def test_both_layouts_give_the_same_sample(official, tmp_path, labels):
    config, folder = official
    write_arrays(tmp_path / "arrays")
    next(step for step in config["load"] if "target_labels" in step)["target_labels"] = TABLES[labels]
    from_files = load(config, folder, OFFICIAL_TARGETS)
    array_config = documented("LoadMTANArraysd")
    array_config["load"].append(config["load"][-1])  # the same resizing
    from_arrays = load(array_config, tmp_path / "arrays", {"segment": labels, "depth": "depth"})

    assert set(from_arrays) == {"image", "segment", "depth"} == set(from_files) - {"focal_length", "baseline"}
    assert from_files["image"].shape == (3, 128, 256)
    assert torch.allclose(from_files["image"], from_arrays["image"], atol=1e-3)
    assert torch.equal(from_files["segment"], from_arrays["segment"])
    valid = ~from_arrays["depth"].isnan()
    assert 0.7 < valid.float().mean() < 0.9
    assert torch.equal(valid, ~from_files["depth"].isnan())
    depth = from_arrays["depth"][valid].double()
    # Disparity is rounded to 1/256: an error of 1/512 pixel is one of depth^2 / (f * B) / 512 meters.
    assert (
        (from_files["depth"][valid] - depth).abs() <= 1.01 * depth**2 / (FOCAL_LENGTH * BASELINE) / 512 + 1e-5
    ).all()


def test_resizing_keeps_targets_on_the_image():
    """A ramp of column numbers tells where a pixel comes from: at most the half pixel that no pixel is in between."""
    resize = ConfigParser(
        {"resize": documented("DisparityToDepthd")["load"][-1], "active_tasks": TASKS}
    ).get_parsed_content("resize")
    ramp = torch.arange(2048.0).expand(1, 128, -1)
    resized = resize({"image": ramp, "segment": ramp.to(torch.int16), "depth": ramp})
    columns = torch.arange(256.0).expand(1, 128, -1) * 8
    assert torch.equal(resized["image"].as_tensor(), columns + 3.5)
    for key in ("segment", "depth"):
        assert torch.equal(resized[key].as_tensor().float(), columns + 4)


def test_what_is_too_far_is_missing(tmp_path):
    """Cityscapes' smallest disparities are kilometers; a wall at 20 pixels stays."""
    values = np.full(SIZE, 1 + 256 * 20, np.uint16)
    values[0, :3] = 2, 27, 129
    write_official(tmp_path, values)
    config = documented("DisparityToDepthd")
    del config["load"][-1]  # no resizing
    depth = load(config, tmp_path, OFFICIAL_TARGETS)["depth"]
    assert depth.isnan().sum() == 3
    assert depth[0, 0, :3].isnan().all()


def test_sixteen_bits_are_kept(tmp_path):
    """Two depths whose disparities share their upper 8 bits."""
    values = np.full(SIZE, 1 + 256 * 20, np.uint16)
    values[0, 0] += 1
    write_official(tmp_path, values)
    config = documented("DisparityToDepthd")
    del config["load"][-1]  # no resizing
    depth = load(config, tmp_path, OFFICIAL_TARGETS)["depth"]
    assert float(depth[0, 0, 1]) == pytest.approx(FOCAL_LENGTH * BASELINE / 20, rel=1e-6)
    assert float(depth[0, 0, 0]) == pytest.approx(FOCAL_LENGTH * BASELINE / (20 + 1 / 256), rel=1e-6)


def test_disparity_of_another_size_is_named(tmp_path):
    write_official(tmp_path, np.full((SIZE[0] // 2, SIZE[1] // 2), 5000, np.uint16))
    with pytest.raises(RuntimeError) as error:
        load(documented("DisparityToDepthd"), tmp_path, OFFICIAL_TARGETS)
    assert re.search(
        r"image \(.*256 x 512\) and depth \(.*_disparity\.png, 128 x 256\) differ in size", str(error.value.__cause__)
    )


def test_disparity_of_8_bits_is_named(tmp_path):
    write_official(tmp_path, np.full(SIZE, 200, np.uint8))
    with pytest.raises(RuntimeError) as error:
        load(documented("DisparityToDepthd"), tmp_path, OFFICIAL_TARGETS)
    assert re.search(
        r"depth \(.*_disparity\.png\) is stored as uint8, but disparity is coded in 16 bits", str(error.value.__cause__)
    )
