import re

import pytest
import torch
from monai.data import MetaTensor

from monai_mtunet.tasks import DepthTask, SegmentationTask, TaskList
from monai_mtunet.transforms import CheckSampled


def tensor(values, file):
    return MetaTensor(values, meta={"filename_or_obj": file})


@pytest.fixture
def sample():
    labels = torch.randint(0, 5, (1, 8, 6), dtype=torch.int16)
    labels[0, 0, 0] = 255
    return {
        "image": tensor(torch.rand(3, 8, 6), "a.jpg"),
        "segment": tensor(labels, "a.png"),
        "depth": tensor(torch.full((1, 8, 6), torch.nan), "a.npy"),
        "name": "anything else",
    }


SEGMENT = SegmentationTask("segment", list("abcde"))
TASKS = TaskList([SEGMENT, DepthTask("depth")])
CHECK = CheckSampled(2, 3, TASKS)


def test_a_good_sample_passes_unchanged(sample):
    checked = CHECK(sample)
    assert checked.keys() == sample.keys()
    assert all(checked[key] is sample[key] for key in sample)


@pytest.mark.parametrize("key", ["segment", "depth"])
def test_sizes_must_agree(sample, key):
    sample[key] = sample[key][:, :, :5]
    with pytest.raises(ValueError, match=rf"image \(a\.jpg, 8 x 6\) and {key} \(a\.\w+, 8 x 5\) differ in size"):
        CHECK(sample)


def test_a_transposed_target_is_noticed(sample):
    sample["segment"] = sample["segment"].transpose(1, 2)
    with pytest.raises(ValueError, match="differ in size"):
        CHECK(sample)


@pytest.mark.parametrize("size", [(3, 8, 6), (8, 6, 3)])
def test_channels_in_npy_are_no_volume_of_the_users(size):
    """What a user meant as (3, H, W) has no use for an overlay of volumes."""
    image = {"image": tensor(torch.rand(1, *size), "rgb.npy")}
    with pytest.raises(ValueError, match=r"is 2: three axes in a \.npy .*\. Save .* as a picture or TIFF, or"):
        CheckSampled(2)(image)
    with pytest.raises(ValueError, match=r"is 2: add the bundle's overlay"):
        CheckSampled(2)({"image": tensor(torch.rand(1, 8, 6, 7), "volume.npy")})


def test_volumes_in_a_2d_configuration_and_back(sample):
    volume = {"image": tensor(torch.rand(1, 8, 6, 4), "a.nii"), "segment": torch.zeros(1, 8, 6, 4)}
    message = "image (a.nii, 8 x 6 x 4) has 3 spatial dimensions, but spatial_dims is 2: add the bundle's overlay for"
    with pytest.raises(ValueError, match=re.escape(message)):
        CheckSampled(2)(volume)
    CheckSampled(3, tasks=TaskList([SEGMENT]))(volume)
    with pytest.raises(ValueError, match="has 2 spatial dimensions, but spatial_dims is 3: set spatial_dims to 2"):
        CheckSampled(3)(sample)


def test_channels(sample):
    sample["image"] = sample["image"][:1]
    CheckSampled(2)(sample)
    with pytest.raises(ValueError, match=r"image \(a\.jpg, 8 x 6\) has 1 channels, but in_channels is 3"):
        CHECK(sample)
    sample["image"] = torch.rand(3, 8, 6)
    sample["segment"] = sample["segment"].expand(3, 8, 6)
    with pytest.raises(ValueError, match=r"segment \(a\.png, 8 x 6\) has 3 channels, but a label map has one"):
        CHECK(sample)


@pytest.mark.parametrize("value", [5, 11, -1, 254])
def test_labels_must_be_classes(sample, value):
    sample["segment"][0, 1, 1] = value
    message = rf"segment \(a\.png, 8 x 6\) holds \[{value}\], but its 5 classes are 0\.\.4 and 255 is ignored: map"
    with pytest.raises(ValueError, match=message):
        CHECK(sample)


@pytest.mark.parametrize("value", [5, 11, 254])
def test_labels_may_be_what_is_missing_for_the_task(sample, value):
    sample["segment"][0, 1, 1] = value
    other = TaskList([SegmentationTask("segment", list("abcde"), ignore_index=value)])
    CheckSampled(2, tasks=other)({**sample, "segment": sample["segment"].clamp(max=value)})


def test_missing_keys(sample):
    del sample["segment"]
    with pytest.raises(KeyError, match="segment"):
        CHECK(sample)
    CheckSampled(2, tasks=TASKS, allow_missing_keys=True)(sample)
