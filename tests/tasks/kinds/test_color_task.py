import numpy as np
import pytest
import torch

from monai_mtunet.tasks import ColorTask, TaskList, draw_panel
from monai_mtunet.transforms import SplitColord

TASK = ColorTask("color")


def test_metrics_are_in_units_of_cielab(measure):
    target = torch.zeros(2, 2, 4, 4)
    target[0, :, 0] = torch.nan
    prediction = torch.zeros(2, 2, 4, 4)
    prediction[0, 0] = 10 / 128  # of a only
    metrics = measure(TASK, prediction, target)
    assert metrics == pytest.approx({"color_mae": (10 / 2) / 2, "color_rmse": (10 / 2**0.5) / 2})
    assert TaskList([TASK]).metric_cmp_fn("color_mae")(1, 2)


def test_learns_by_the_squared_error():
    assert TASK.loss()(torch.ones(1, 2, 4, 4), torch.zeros(1, 2, 4, 4)) == 1


def test_is_saved_in_units_of_cielab():
    assert TASK.postprocess(torch.tensor([0.5, -0.25]).view(2, 1, 1)).flatten().tolist() == [64, -32]
    assert TASK.metadata(2)["channel_def"] == {"0": "a [CIELAB]", "1": "b [CIELAB]"}


def test_panels_show_the_color_with_the_inputs_lightness():
    image = torch.randint(0, 256, (3, 8, 10), generator=torch.Generator().manual_seed(0))
    sample = SplitColord("image", "color")({"image": image.float()})
    lightness, color = sample["image"], sample["color"]
    figure = draw_panel([TASK], [lightness], [{"color": TASK.postprocess(color * 0)}], [{"color": color}])
    gray, original = (np.asarray(axis.images[0].get_array()).astype(int) for axis in figure.axes[1:3])
    assert np.abs(original - image.permute(1, 2, 0).numpy()).max() <= 1
    assert np.ptp(gray, axis=2).max() <= 1
    assert np.ptp(gray) > 100


def test_alone_it_has_one_lightness_and_missing_is_white():
    values = torch.tensor([[60.0, 0, torch.nan], [0.0, 0, 0]]).view(2, 1, 3)
    red, gray, missing = TASK.draw(values)[0].astype(int)
    assert red[0] > red[1] + 50
    assert np.ptp(gray) <= 1
    assert missing.tolist() == [255, 255, 255]


def test_other_inputs_than_lightness_are_refused():
    with pytest.raises(ValueError, match="'color': the network's input must be the lightness, one channel, got 3"):
        TASK.draw_with_input(torch.zeros(2, 4, 4), torch.zeros(3, 4, 4), np.zeros((4, 4, 3), np.uint8))


class TestOnlyImages:
    @pytest.mark.parametrize("what", [TASK.metrics, TASK.metadata])
    def test_networks_for_volumes_are_refused(self, what):
        with pytest.raises(ValueError, match=r"Task 'color': only images have .* \(spatial_dims = 3\)"):
            what(3)

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            (torch.zeros(1, 2, 4, 4, 4), "only images"),
            (torch.zeros(1, 3, 4, 4), r"2 channel\(s\), its target has shape \(1, 3, 4, 4\)"),
            (torch.full((1, 2, 4, 4), 60.0), "within -1..1, got 60; make them by SplitColord"),
        ],
    )
    def test_other_targets_are_refused(self, target, message):
        with pytest.raises(ValueError, match=f"Task 'color'.*{message}"):
            TASK.prepare_target(target)
