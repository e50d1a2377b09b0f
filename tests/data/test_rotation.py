"""The rotation that docs/data.md gives: labels nearest, and missing where it looks beyond the image."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, RandRotated

from monai_mtunet.tasks import DepthTask, SegmentationTask, TaskList

SIZE = (48, 64)
TASKS = TaskList([SegmentationTask("segment", [f"class {i}" for i in range(10)]), DepthTask("depth")])


@pytest.fixture
def rotate():
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    block = next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "RandRotated" in block)
    config = {
        "imports": ["$import torch"],
        **json.loads(f"{{{block}}}"),
        "crop_size": list(SIZE),
        "active_tasks": TASKS,
    }
    return Compose(ConfigParser(config).get_parsed_content("rotate"))


def sample():
    """Classes 3 and 9 in halves; the depth tells the class, and the image the row."""
    labels = torch.full((1, *SIZE), 3, dtype=torch.int16)
    labels[..., SIZE[1] // 2 :] = 9
    depth = labels.float() * 10
    depth[0, 20:24, 20:24] = torch.nan
    image = torch.arange(1.0, SIZE[0] + 1)[None, :, None].expand(3, *SIZE)
    return {"image": MetaTensor(image), "segment": MetaTensor(labels), "depth": MetaTensor(depth)}


def step_of(rotate):
    return next(step for step in rotate.transforms if isinstance(step, RandRotated))


@pytest.mark.parametrize("seed", range(3))
def test_labels_stay_labels_and_corners_are_missing(rotate, seed):
    rotate.set_random_state(seed)
    rotated = rotate(sample())
    assert {key: (tuple(values.shape), values.dtype) for key, values in rotated.items()} == {
        "image": ((3, *SIZE), torch.float32),
        "segment": ((1, *SIZE), torch.int16),
        "depth": ((1, *SIZE), torch.float32),
    }
    assert rotated["segment"].unique().tolist() == [3, 9, 255]
    valid = rotated["segment"] != 255
    known = valid & ~rotated["depth"].isnan()
    assert torch.equal(rotated["depth"][known], 10 * rotated["segment"][known].float())
    assert rotated["depth"][~valid].isnan().all()  # both are missing beyond the image
    assert 0 < (valid & ~known).sum() < 40  # the hole of 16 pixels turned with the image
    assert rotated["image"].min() > 0.999  # the image goes on by its edge
    # What is missing is what a rotation by this angle takes from beyond the image.
    angle = step_of(rotate).rand_rotate.x
    rows, columns = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in SIZE), indexing="ij")
    turned = np.stack([np.cos(angle) * rows - np.sin(angle) * columns, np.sin(angle) * rows + np.cos(angle) * columns])
    beyond = (np.abs(turned) > np.array(SIZE).reshape(2, 1, 1) / 2).any(axis=0)
    assert (beyond != ~valid[0].numpy()).sum() <= 4  # voxels right on the border


def test_angles_are_up_to_ten_degrees_both_ways(rotate):
    rotate.set_random_state(0)
    angles = []
    for _ in range(40):
        rotate({key: values[:, :8, :8] for key, values in sample().items()})
        angles.append(np.degrees(step_of(rotate).rand_rotate.x))
    assert -10 <= min(angles) < -7
    assert 7 < max(angles) <= 10
