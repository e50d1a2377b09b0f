import numpy as np
import pytest
import torch

from monai_mtunet.tasks import DistanceTask

NAN = torch.nan


@pytest.mark.parametrize("spatial", [(4, 4), (4, 4, 2)])
def test_metrics_are_in_the_unit_and_of_truncated_predictions(spatial, measure):
    task = DistanceTask("distance", unit="mm", truncate=5)
    target = torch.stack([torch.full((1, *spatial), 5.0), torch.full((1, *spatial), -2.0)])
    target[0, :, 0] = NAN
    prediction = torch.stack([torch.full((1, *spatial), 9.0), torch.full((1, *spatial), 1.0)])
    prediction[0, :, 1] = 2.0  # of the three valid rows, errors 3, 0 and 0
    metrics = measure(task, prediction, target)
    assert metrics == pytest.approx({"distance_mae": (1 + 3) / 2, "distance_rmse": (3**0.5 + 3) / 2})


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [-9.0, -2.0, 0.0, 9.0]),
        ({"truncate": 4}, [-4.0, -2.0, 0.0, 4.0]),
        ({"signed": False}, [0.0, 0.0, 0.0, 9.0]),
        ({"signed": False, "truncate": 4}, [0.0, 0.0, 0.0, 4.0]),
    ],
)
def test_what_is_saved_is_within_the_limits(arguments, expected):
    saved = DistanceTask("distance", **arguments).postprocess(torch.tensor([[[-9.0, -2.0, 0.0, 9.0]]]))
    assert saved.flatten().tolist() == expected


def test_limits_are_in_the_unit_whatever_the_scale():
    task = DistanceTask("distance", truncate=4, scale=2)
    assert task.prepare_target(torch.tensor([[[-9.0, 1.0, 9.0]]])).flatten().tolist() == [-2.0, 0.5, 2.0]
    assert task.postprocess(torch.tensor([[-9.0, 0.5, 9.0]])).flatten().tolist() == [-4.0, 1.0, 4.0]


@pytest.mark.parametrize(("unit", "expected"), [("voxel", 2.0), ("mm", 2.0), ("normalized", 4.0)])
def test_an_enlarged_image_has_longer_distances_but_no_greater_parts(unit, expected):
    assert DistanceTask("distance", unit=unit).undo_scale(torch.tensor([[[4.0]]]), 2.0).item() == expected


def test_targets_are_truncated_and_keep_missing():
    prepared = DistanceTask("distance", truncate=4, channels=2).prepare_target(
        torch.tensor([-9.0, NAN, 3.0, 9.0]).reshape(1, 2, 1, 2)
    )
    torch.testing.assert_close(prepared.flatten(), torch.tensor([-4.0, NAN, 3.0, 4.0]), equal_nan=True)


@pytest.mark.parametrize(
    ("arguments", "target", "message"),
    [
        ({"signed": False}, torch.tensor([[[[1.0, NAN, -3.0]]]]), "negative distances, down to -3; .* signed=True"),
        ({}, torch.tensor([[[[-torch.inf]]]]), "infinite values"),
        ({"channels": 3}, torch.ones(1, 1, 2, 2), r"3 channel\(s\), its target has shape \(1, 1, 2, 2\)"),
    ],
)
def test_wrong_targets_are_refused(arguments, target, message):
    with pytest.raises(ValueError, match=f"Task 'distance'.*{message}"):
        DistanceTask("distance", **arguments).prepare_target(target)


def test_the_scale_is_centered_on_the_boundary():
    for arguments, farthest in (({}, 20), ({"truncate": 8}, 8), ({"truncate": 8, "draw_distance": 5}, 5)):
        signed = DistanceTask("distance", **arguments).color_bar()
        unsigned = DistanceTask("distance", signed=False, **arguments).color_bar()
        assert (signed.low, signed.high) == (-farthest, farthest)
        assert (unsigned.low, unsigned.high) == (0, farthest)
    assert DistanceTask("distance", unit="mm").color_bar().label == "distance [mm]"
    assert DistanceTask("distance", unit="normalized", signed=False).color_bar().high == 1


def test_draw_tells_inside_boundary_outside_and_missing_apart():
    picture = DistanceTask("distance", truncate=10).draw(torch.tensor([[[-10.0, 0.0, 10.0, NAN]]]))[0].astype(int)
    outside, boundary, inside, missing = picture
    assert outside[2] > outside[0]  # blue
    assert inside[0] > inside[2]  # red
    assert missing.tolist() == [255, 255, 255]
    assert abs(boundary - missing).sum() > 50


def test_of_several_distances_the_most_inside_is_drawn():
    task = DistanceTask("distance", truncate=10, channels=2)
    one = DistanceTask("distance", truncate=10)
    values = torch.tensor([[[-10.0, 5.0, NAN, NAN]], [[2.0, -3.0, 4.0, NAN]]])
    np.testing.assert_array_equal(task.draw(values), one.draw(torch.tensor([[[2.0, 5.0, 4.0, NAN]]])))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unit": "cm"}, 'unit must be "voxel", "mm", "um" or "normalized", got \'cm\''),
        ({"truncate": 0}, "truncate must be positive, got 0"),
        ({"draw_distance": -1}, "draw_distance must be positive, got -1"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"Task 'distance': {message}"):
        DistanceTask("distance", **arguments)
