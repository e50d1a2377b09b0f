"""Volumes to one spacing, and predictions back onto the files' grid."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_mtunet.tasks import QuantityTask, SegmentationTask, TaskList
from monai_mtunet.transforms import SpaceSampled

TASKS = TaskList(
    [SegmentationTask("segment", ["background", "organ"]), QuantityTask("height", "m", draw_range=(0, 10))]
)


def volume(values, *spacing):
    return MetaTensor(values, affine=torch.diag(torch.tensor([*spacing, 1.0], dtype=torch.float64)))


def sample():
    image = torch.arange(6.0).reshape(1, 6, 1, 1).expand(1, 6, 4, 4).clone()
    height = image.clone()
    height[0, 2] = torch.nan
    labels = (image > 2).to(torch.int16)
    labels[0, 0] = 255
    spacing = (2.0, 1.0, 1.0)
    return {"image": volume(image, *spacing), "segment": volume(labels, *spacing), "height": volume(height, *spacing)}


def test_all_get_the_spacing_and_labels_stay_whole_and_missing():
    spaced = SpaceSampled(TASKS, [1, 1, 1])(sample())
    assert {tuple(values.shape) for values in spaced.values()} == {(1, 11, 4, 4)}
    assert spaced["image"][0, :, 0, 0].tolist() == pytest.approx(np.arange(0, 5.5, 0.5))
    assert spaced["segment"].dtype == torch.int16
    assert set(spaced["segment"].unique().tolist()) == {0, 1, 255}
    assert spaced["height"].isnan().any()
    assert spaced["image"].pixdim.tolist() == [1, 1, 1]


def test_what_has_the_spacing_stays_as_it_is():
    before = sample()
    after = SpaceSampled(TASKS, [2, 1, 1])(before)
    assert all(torch.equal(after[key].nan_to_num(), before[key].nan_to_num()) for key in before)


def test_the_inverse_leads_back_to_the_files_grid():
    space = SpaceSampled(TASKS, [1, 1, 1])
    back = space.inverse({"image": space(sample())["image"]})["image"]
    assert back.shape == (1, 6, 4, 4)
    assert torch.allclose(back.as_tensor(), sample()["image"].as_tensor(), atol=1e-5)
    assert back.pixdim.tolist() == [2, 1, 1]


def test_another_size_than_the_image_is_refused():
    wrong = {**sample(), "segment": volume(torch.zeros(1, 5, 4, 4), 2.0, 1.0, 1.0)}
    with pytest.raises(ValueError, match="segment"):
        SpaceSampled(TASKS, [1, 1, 1])(wrong)
