"""What a bundle's metadata say of its outputs, written from its tasks."""

import json

import pytest

from monai_mtunet.bundle.metadata import describe_outputs, read_tasks, write_outputs
from monai_mtunet.tasks import (
    BoundingBoxTask,
    ClassificationTask,
    DepthTask,
    InstanceTask,
    RestorationTask,
    SegmentationTask,
    TaskList,
)

DENSE = [RestorationTask("denoise", 1, data_range=(0, 255)), SegmentationTask("segment", ["background", "cell"])]


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_dense_heads_are_stacked_first_and_then_described_one_by_one(spatial_dims):
    tasks = TaskList([*DENSE, DepthTask("depth", scale=10)])
    outputs = describe_outputs(tasks, spatial_dims)
    assert list(outputs) == ["pred", "denoise", "segment", "depth"]
    assert outputs["pred"] == {
        "type": "image",
        "format": "all heads, stacked in the order of the tasks",
        "num_channels": 4,
        "spatial_shape": ["*"] * spatial_dims,
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {
            "0": "denoise: denoise_0",
            "1": "segment: background",
            "2": "segment: cell",
            "3": "depth: depth_0 [10 m]",
        },
    }
    for task in tasks:
        assert outputs[task.name] == task.metadata(spatial_dims)


def test_vectors_are_outputs_of_their_own():
    outputs = describe_outputs(TaskList([ClassificationTask("species", ["cat", "dog"]), *DENSE]), 2)
    assert outputs["pred"]["num_channels"] == 3
    assert outputs["pred"]["format"] == (
        "all dense heads, stacked in the order of the tasks; species are outputs of their own"
    )
    two = describe_outputs(TaskList([ClassificationTask("species", ["cat", "dog"]), *DENSE, BoundingBoxTask("box")]), 2)
    assert two["pred"]["format"].endswith("; species and box are outputs of their own")
    assert list(two) == ["pred", "species", "denoise", "segment", "box"]


def test_derived_tasks_have_no_head_but_are_described():
    outputs = describe_outputs(TaskList([*DENSE, InstanceTask("instances", "segment")]), 2)
    assert outputs["pred"]["num_channels"] == 3
    assert outputs["instances"]["channel_def"] == {"0": "ids, made from segment"}


@pytest.fixture
def bundle(tmp_path):
    inference = {
        "imports": ["$import monai_mtunet"],
        "spatial_dims": 3,
        "tasks": [
            {"_target_": "RestorationTask", "name": "denoise", "channels": 1},
            {"_target_": "ClassificationTask", "name": "kind", "classes": ["健常", "b"]},
        ],
        "active_tasks": {"_target_": "TaskList", "tasks": "@tasks"},
    }
    metadata = {
        "version": "0.1.0",
        "network_data_format": {"inputs": {"image": {"value_range": [0, 1]}}, "outputs": {"old": {}}},
        "copyright": "ours",
    }
    (tmp_path / "inference.json").write_text(json.dumps(inference), encoding="utf-8")
    (tmp_path / "metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    return tmp_path


def test_tasks_are_those_that_inference_declares(bundle):
    tasks, spatial_dims = read_tasks(bundle)
    assert (tasks.names, spatial_dims) == (("denoise", "kind"), 3)


def test_only_the_outputs_are_written_again(bundle):
    before = json.loads((bundle / "metadata.json").read_text(encoding="utf-8"))
    assert write_outputs(bundle) == bundle / "metadata.json"
    text = (bundle / "metadata.json").read_text(encoding="utf-8")
    after = json.loads(text)
    assert after["network_data_format"].pop("outputs") == describe_outputs(*read_tasks(bundle))
    del before["network_data_format"]["outputs"]
    assert after == before
    assert '"value_range": [0, 1]' in text, "short lists stay on one line"
    assert "健常" in text
    write_outputs(bundle)
    assert (bundle / "metadata.json").read_text(encoding="utf-8") == text
