import math

import pytest
import torch
from monai.metrics import DiceMetric, PSNRMetric, SSIMMetric

from monai_mtunet.metrics import (
    MissingAwareDiceMetric,
    MissingAwareMSEMetric,
    MissingAwarePSNRMetric,
    MissingAwareSSIMMetric,
)

NAN = torch.nan


def noisy_pair(shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    clean = torch.rand(shape, generator=generator) * 255
    return clean + 20 * torch.randn(shape, generator=generator), clean


def aggregate(metric, *batches):
    for prediction, target in batches:
        metric(prediction, target)
    return metric.aggregate().item()


class TestPSNR:
    def test_golden_per_image_then_averaged(self):
        # MSE 100 and 400, with a range of 255; averaging the MSE first would give 24.15 dB.
        target = torch.zeros(2, 1, 4, 4)
        prediction = torch.stack([torch.full((1, 4, 4), 10.0), torch.full((1, 4, 4), -20.0)])
        expected = (10 * math.log10(255**2 / 100) + 10 * math.log10(255**2 / 400)) / 2
        assert aggregate(MissingAwarePSNRMetric(255), (prediction, target)) == pytest.approx(expected)

    def test_the_mean_is_over_images_not_batches(self):
        batches = [(torch.full((n, 1, 2, 2), error), torch.zeros(n, 1, 2, 2)) for n, error in ((3, 10.0), (1, 20.0))]
        expected = 10 * (3 * math.log10(255**2 / 100) + math.log10(255**2 / 400)) / 4
        assert aggregate(MissingAwarePSNRMetric(255), *batches) == pytest.approx(expected)

    def test_equals_monai_when_nothing_is_missing(self):
        pair = noisy_pair((2, 3, 8, 9))
        assert aggregate(MissingAwarePSNRMetric(255), pair) == pytest.approx(aggregate(PSNRMetric(255), pair))

    def test_missing_voxels_are_left_out_exactly(self):
        prediction, target = noisy_pair((1, 1, 8, 8))
        cropped = aggregate(MissingAwarePSNRMetric(255), (prediction[..., 2:], target[..., 2:]))
        target[..., :2] = NAN
        prediction[..., :2] = 1e6
        assert aggregate(MissingAwarePSNRMetric(255), (prediction, target)) == pytest.approx(cropped)

    def test_an_image_without_target_is_left_out(self):
        prediction, target = noisy_pair((2, 1, 8, 8))
        alone = aggregate(MissingAwarePSNRMetric(255), (prediction[:1], target[:1]))
        target[1] = NAN
        assert aggregate(MissingAwarePSNRMetric(255), (prediction, target)) == pytest.approx(alone)

    def test_nothing_is_clipped(self):
        prediction, target = torch.full((1, 1, 2, 2), 455.0), torch.full((1, 1, 2, 2), 255.0)
        assert aggregate(MissingAwarePSNRMetric(255), (prediction, target)) == pytest.approx(20 * math.log10(255 / 200))

    def test_a_diverged_network_does_not_pass_for_missing(self):
        prediction, target = noisy_pair((1, 1, 8, 8))
        prediction[0, 0, 0, 0] = NAN
        assert aggregate(MissingAwarePSNRMetric(255), (prediction, target)) == -math.inf


class TestSSIM:
    @pytest.mark.parametrize("shape", [(2, 3, 16, 20), (2, 1, 12, 13, 14)])
    def test_equals_monai_when_nothing_is_missing(self, shape):
        pair, dims = noisy_pair(shape), len(shape) - 2
        expected = aggregate(SSIMMetric(dims, data_range=255), pair)
        assert aggregate(MissingAwareSSIMMetric(dims, data_range=255), pair) == pytest.approx(expected, abs=1e-6)

    @pytest.mark.parametrize("shape", [(2, 3, 16, 24), (2, 1, 12, 13, 16)])
    def test_a_missing_region_leaves_the_windows_of_the_rest(self, shape):
        (prediction, target), dims = noisy_pair(shape), len(shape) - 2
        rest = aggregate(SSIMMetric(dims, data_range=255), (prediction[..., 4:], target[..., 4:]))
        target[..., :4] = NAN
        missing = aggregate(MissingAwareSSIMMetric(dims, data_range=255), (prediction, target))
        assert missing == pytest.approx(rest, abs=1e-6)

    @pytest.mark.parametrize(
        ("shape", "window"),
        [((1, 1, 16, 6), (11, 5)), ((1, 1, 12, 12, 3), (11, 11, 3)), ((1, 1, 12, 7, 1), (11, 7, 1))],
    )
    def test_the_window_shrinks_to_thin_axes(self, shape, window):
        pair, dims = noisy_pair(shape), len(shape) - 2
        expected = aggregate(SSIMMetric(dims, data_range=255, win_size=window), pair)
        assert aggregate(MissingAwareSSIMMetric(dims, data_range=255), pair) == pytest.approx(expected, abs=1e-6)

    def test_an_image_without_a_whole_window_is_left_out(self):
        prediction, target = noisy_pair((2, 1, 12, 12))
        alone = aggregate(MissingAwareSSIMMetric(2, data_range=255), (prediction[:1], target[:1]))
        target[1, 0, 6, 6] = NAN
        assert aggregate(MissingAwareSSIMMetric(2, data_range=255), (prediction, target)) == pytest.approx(alone)

    def test_a_diverged_network_does_not_pass_for_missing(self):
        _, target = noisy_pair((1, 1, 12, 12))
        assert aggregate(MissingAwareSSIMMetric(2, data_range=255), (target.clone(), target)) == pytest.approx(1)
        prediction = target.clone()
        prediction[..., -1] = NAN  # in two of the four 11 x 11 windows
        assert aggregate(MissingAwareSSIMMetric(2, data_range=255), (prediction, target)) == pytest.approx(0.5)


class TestMSE:
    def test_golden_over_what_has_a_target(self):
        target = torch.tensor([[[[0.0, NAN]]], [[[NAN, NAN]]], [[[1.0, 2.0]]]])
        prediction = torch.tensor([[[[3.0, 7.0]]], [[[1.0, 1.0]]], [[[1.0, 4.0]]]])
        assert aggregate(MissingAwareMSEMetric(), (prediction, target)) == pytest.approx((9 + 2) / 2)

    def test_a_diverged_network_does_not_pass_for_missing(self):
        assert aggregate(MissingAwareMSEMetric(), (torch.full((1, 1, 2), NAN), torch.zeros(1, 1, 2))) == math.inf


@pytest.mark.parametrize(
    "metric", [MissingAwareMSEMetric(), MissingAwarePSNRMetric(255), MissingAwareSSIMMetric(2, data_range=255)]
)
def test_without_any_target_the_result_is_nan(metric):
    prediction, target = noisy_pair((2, 1, 12, 12))
    metric.reset()
    assert math.isnan(aggregate(metric, (prediction, torch.full_like(target, NAN))))
    metric.reset()
    assert not math.isnan(aggregate(metric, (prediction, torch.full_like(target, NAN)), (prediction, target)))


def test_dice_equals_monai_but_is_nan_where_no_image_has_a_class():
    generator = torch.Generator().manual_seed(0)
    pair = torch.randint(0, 3, (2, 2, 1, 8, 8), generator=generator)
    arguments = {"include_background": False, "num_classes": 3}
    assert aggregate(MissingAwareDiceMetric(**arguments), pair) == aggregate(DiceMetric(**arguments), pair)
    empty = torch.zeros(2, 1, 8, 8, dtype=torch.int64)
    assert math.isnan(aggregate(MissingAwareDiceMetric(**arguments), (empty, empty)))
