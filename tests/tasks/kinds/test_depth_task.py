import numpy as np
import pytest
import torch

from monai_mtunet.losses import MissingAwareRegressionLoss
from monai_mtunet.tasks import DepthTask, QuantityTask, SavedAs

NAN = torch.nan


@pytest.fixture
def task():
    return DepthTask("depth", draw_range=(0, 20))


@pytest.mark.parametrize("spatial", [(4, 5), (3, 4, 5)])
def test_metrics_by_name(task, spatial, measure):
    # Ratios 1.2, 1.5, 1.9 and 4 of the first image; nothing of the second; the third is perfect.
    target = torch.full((3, 1, *spatial), NAN)
    target.view(3, -1)[0, :4] = 2.0
    target.view(3, -1)[2, :] = 5.0
    prediction = torch.full((3, 1, *spatial), 1e6)
    prediction.view(3, -1)[0, :4] = torch.tensor([2.4, 3.0, 3.8, 0.5])
    prediction[2] = 5.0
    expected = {
        "abs": 4.7 / 4,
        "rel": 4.7 / 8,
        "rmse": (6.65 / 4) ** 0.5,
        "delta1": 0.25,
        "delta2": 0.5,
        "delta3": 0.75,
    }
    perfect = {"abs": 0, "rel": 0, "rmse": 0, "delta1": 1, "delta2": 1, "delta3": 1}
    metrics = measure(task, prediction, target)
    assert metrics == pytest.approx({f"depth_{name}": (expected[name] + perfect[name]) / 2 for name in expected})


def test_the_loss_is_the_mean_absolute_error_of_what_is_valid(task):
    prediction, target = torch.tensor([[[1.0, 5.0, 9.0]]]), torch.tensor([[[3.0, 4.0, NAN]]])
    assert task.loss()(prediction, target).item() == 1.5
    loss = MissingAwareRegressionLoss("smooth_l1")
    assert DepthTask("depth", loss=loss).loss() is loss


def test_the_network_predicts_in_units_of_the_scale_and_all_else_is_in_the_unit(measure):
    task = DepthTask("depth", scale=10)
    target = torch.tensor([[[[4.0, 20.0, NAN]]]])
    prepared = task.prepare_target(target)
    assert prepared.flatten()[:2].tolist() == pytest.approx([0.4, 2.0])
    prediction = torch.tensor([[[[0.5, 1.8, 7.0]]]])
    assert task.loss()(prediction, prepared).item() == pytest.approx(0.15)
    assert task.postprocess(prediction[0]).flatten().tolist() == pytest.approx([5, 18, 70])
    assert task.values_of_target(prepared[0]).flatten()[:2].tolist() == pytest.approx([4, 20])
    metrics = measure(task, prediction, target)
    assert metrics["depth_abs"] == pytest.approx(1.5)
    assert metrics["depth_rel"] == pytest.approx((0.25 + 0.1) / 2)


def test_quantities_have_their_units_and_ranges():
    depth, disparity = DepthTask("depth"), DepthTask("disparity", quantity="disparity")
    assert (depth.unit, depth.low, depth.high) == ("m", 0, 10)
    assert (disparity.unit, disparity.low, disparity.high) == ("px", 0, 128)
    assert DepthTask("disparity", unit="width", draw_range=(0, 0.5), quantity="disparity").unit == "width"
    assert depth.color_bar().label == "depth [m]"
    assert disparity.metadata(2)["channel_def"] == {"0": "disparity_0 [px]"}


def test_prepare_target_keeps_missing(task):
    prepared = task.prepare_target(torch.tensor([[[[1.0, NAN]]]], dtype=torch.float64))
    assert prepared.dtype == torch.float32
    assert prepared.isnan().tolist() == [[[[False, True]]]]


def test_a_disparity_of_0_is_missing_and_a_negative_one_refused():
    task = DepthTask("disparity", quantity="disparity")
    assert task.prepare_target(torch.tensor([[[[0.0, 2.0, NAN]]]])).isnan().tolist() == [[[[True, False, True]]]]
    with pytest.raises(ValueError, match=r"'disparity': 1 value\(s\) of the target are not positive, such as -2"):
        task.prepare_target(torch.tensor([[[[0.0, -2.0]]]]))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (torch.tensor([[[[1.0, 0.0, -2.0]]]]), r"2 value\(s\) of the target are not positive, such as 0; mark .* NaN"),
        (torch.tensor([[[[torch.inf]]]]), "holds infinite values"),
        (torch.ones(1, 3, 2, 2), r"has 1 channel\(s\), its target has shape \(1, 3, 2, 2\)"),
    ],
)
def test_wrong_targets_are_refused(task, target, message):
    with pytest.raises(ValueError, match=f"Task 'depth'.*{message}"):
        task.prepare_target(target)


def test_predictions_are_saved_in_the_unit_and_not_clipped(task):
    prediction = torch.tensor([[[-1.0, 0.5, 1e4]]], dtype=torch.bfloat16)
    saved = task.postprocess(prediction)
    assert saved.dtype == torch.float32
    torch.testing.assert_close(saved, prediction.float())
    assert task.saved_as is SavedAs.VALUES


def test_draw_goes_through_the_color_map_and_shows_missing_white(task):
    picture = task.draw(torch.tensor([[[-5.0, 0.0, 10.0, 20.0, 99.0, NAN]]]))
    assert picture.dtype == np.uint8
    assert picture.shape == (1, 6, 3)
    below, low, middle, high, above, missing = picture[0].tolist()
    assert below == low == [48, 18, 59]  # turbo's first color
    assert above == high == [122, 4, 2]  # and its last
    assert missing == [255, 255, 255]
    assert len({tuple(low), tuple(middle), tuple(high), tuple(missing)}) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"quantity": "height"}, r"quantity must be one of \['depth', 'disparity'\], got 'height'"),
        ({"draw_range": (5, 5)}, r"draw_range must be \(lowest, highest\), got \(5, 5\)"),
        ({"scale": 0}, "scale must be positive, got 0"),
        ({"colormap": "rainbows"}, "matplotlib has no color map 'rainbows'"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=f"Task 'depth': {message}"):
        DepthTask("depth", **arguments)


class TestQuantity:
    def test_metrics_are_in_the_unit(self, measure):
        task = QuantityTask("t1", unit="ms", draw_range=(0, 2000), channels=2)
        target = torch.zeros(2, 2, 4, 4)
        target[:, :, 0] = NAN
        prediction = torch.stack([torch.full((2, 4, 4), 3.0), torch.full((2, 4, 4), -5.0)])
        prediction[0, 0] = 4.0
        metrics = measure(task, prediction, target)
        assert metrics == pytest.approx({"t1_mae": (3.5 + 5) / 2, "t1_rmse": (12.5**0.5 + 5) / 2})

    def test_values_may_be_negative_and_the_first_channel_is_drawn(self):
        task = QuantityTask("shift", unit="ppm", draw_range=(-1, 1), channels=2)
        values = torch.tensor([[[-1.0, 1.0]], [[1.0, -1.0]]])
        assert torch.equal(task.prepare_target(values[None])[0], values)
        assert task.draw(values)[0].sum(axis=-1).argmax() == 1  # magma's last color is its brightest
        assert task.metadata(3)["channel_def"] == {"0": "shift_0 [ppm]", "1": "shift_1 [ppm]"}
