import math

import numpy as np
import pytest
import torch

from monai_mtunet.losses import MissingAwareCosineLoss
from monai_mtunet.tasks import NormalsTask

NAN = torch.nan


@pytest.fixture
def task():
    return NormalsTask("normals")


def turned(degrees, *spatial):
    """Vectors (3, *spatial) of length 5, so many degrees from the first axis."""
    radians = math.radians(degrees)
    vector = 5 * torch.tensor([math.cos(radians), 0.0, math.sin(radians)])
    return vector.reshape(3, *(1 for _ in spatial)).expand(3, *spatial)


@pytest.mark.parametrize("spatial", [(4, 6), (4, 3, 2)])
def test_metrics_by_name(task, spatial, measure):
    # 10 degrees on three quarters of the first image, 40 on the rest; nothing of the second; 25 on the third.
    prediction = torch.stack([turned(10, *spatial), turned(90, *spatial), turned(25, *spatial)])
    prediction[0, :, 0] = turned(40, *spatial)[:, 0]
    target = torch.stack([turned(0, *spatial) / 5] * 3)
    target[1] = NAN
    expected = {"mean_angle": (17.5 + 25) / 2, "median_angle": (10 + 25) / 2}
    expected |= {"within_11_25": (0.75 + 0) / 2, "within_22_5": (0.75 + 0) / 2, "within_30": (0.75 + 1) / 2}
    metrics = measure(task, prediction, target)
    assert metrics == pytest.approx({f"normals_{name}": value for name, value in expected.items()}, rel=1e-4)


def test_the_loss_is_that_of_directions(task):
    assert isinstance(task.loss(), MissingAwareCosineLoss)
    assert task.loss()(turned(60, 2, 2)[None], turned(0, 2, 2)[None]).item() == pytest.approx(0.5)


def test_targets_become_unit_vectors_missing_as_a_whole(task):
    target = torch.tensor([[3.0, NAN], [0.0, 1.0], [4.0, 0.0]], dtype=torch.float64).reshape(1, 3, 1, 2)
    prepared = task.prepare_target(target)
    assert prepared.dtype == torch.float32
    torch.testing.assert_close(prepared[0, :, 0, 0], torch.tensor([0.6, 0.0, 0.8]))
    assert prepared[0, :, 0, 1].isnan().all()


def test_targets_without_a_direction_are_refused(task):
    target = torch.ones(1, 3, 2, 2)
    target[..., 0] = 0
    with pytest.raises(
        ValueError, match=r"Task 'normals': 2 vector\(s\) of the target have length 0; mark .* with NaN"
    ):
        task.prepare_target(target)


def test_unit_vectors_are_saved(task):
    saved = task.postprocess(turned(30, 2, 2).to(torch.bfloat16))
    assert saved.dtype == torch.float32
    torch.testing.assert_close(saved, turned(30, 2, 2) / 5, rtol=0, atol=1e-2)
    torch.testing.assert_close(saved.norm(dim=0), torch.ones(2, 2))


def test_draw_gives_the_legends_colors_and_white_for_missing(task):
    values = torch.cat([torch.eye(3), -torch.eye(3), torch.full((3, 1), NAN)], dim=1)[:, None]
    picture = task.draw(values)
    assert picture.dtype == np.uint8
    assert picture.shape == (1, 7, 3)
    assert [tuple(color) for color in picture[0, :3].tolist()] == list(task.legend().values())
    assert picture[0, 3].tolist() == [0, 128, 128]
    assert picture[0, 6].tolist() == [255, 255, 255]
    assert task.color_bar() is None


def test_directions_within_an_image_have_two_components():
    task = NormalsTask("flow", channels=2)
    assert task.prepare_target(torch.ones(1, 2, 3, 3)).norm(dim=1).allclose(torch.ones(1, 3, 3))
    assert task.draw(torch.tensor([[[1.0]], [[0.0]]])).tolist() == [[[255, 128, 128]]]
    assert list(task.legend()) == ["x", "y"]
    for channels in (1, 4):
        with pytest.raises(ValueError, match=f"Task 'flow': a direction has 2 or 3 components, got {channels}"):
            NormalsTask("flow", channels=channels)
