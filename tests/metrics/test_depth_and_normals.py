import math

import numpy as np
import pytest
import torch

from monai_mtunet.metrics import (
    MissingAwareAngularErrorMetric,
    MissingAwareDeltaMetric,
    MissingAwareMAEMetric,
    MissingAwareRelativeErrorMetric,
    MissingAwareRMSEMetric,
)

NAN = torch.nan
SHAPES = pytest.mark.parametrize("shape", [(3, 1, 8, 9), (3, 1, 5, 6, 7)])
MISSING = pytest.mark.parametrize("missing", ["none", "one", "some", "image"])

SCALAR_METRICS = {
    "abs": (MissingAwareMAEMetric, lambda p, t: np.abs(p - t).mean()),
    "rmse": (MissingAwareRMSEMetric, lambda p, t: np.sqrt(((p - t) ** 2).mean())),
    "rel": (MissingAwareRelativeErrorMetric, lambda p, t: (np.abs(p - t) / t).mean()),
    "delta1": (lambda: MissingAwareDeltaMetric(1.25), lambda p, t: (np.maximum(p / t, t / p) < 1.25).mean()),
    "delta3": (lambda: MissingAwareDeltaMetric(1.25**3), lambda p, t: (np.maximum(p / t, t / p) < 1.25**3).mean()),
}
ANGLES = {
    "mean": np.mean,
    "median": np.median,
    11.25: lambda angles: (angles < 11.25).mean(),
    30.0: lambda angles: (angles < 30).mean(),
}


def aggregate(metric, prediction, target):
    metric(prediction, target)
    return metric.aggregate().item()


def depths(shape):
    generator = torch.Generator().manual_seed(0)
    target = 1 + 9 * torch.rand(shape, generator=generator)
    return target * torch.exp(0.4 * torch.randn(shape, generator=generator)), target


def directions(shape, components=3):
    generator = torch.Generator().manual_seed(0)
    shape = (shape[0], components, *shape[2:])
    target = torch.randn(shape, generator=generator)
    target /= target.norm(dim=1, keepdim=True)
    return 5 * (target + 0.3 * torch.randn(shape, generator=generator)), target


def missing_pixels(kind, shape):
    """Of every image none, one, some or (of the second) all."""
    missing = torch.zeros(shape[0], 1, *shape[2:], dtype=torch.bool)
    if kind == "one":
        missing.view(shape[0], -1)[:, 11] = True
    if kind == "some":
        missing = torch.rand(missing.shape, generator=torch.Generator().manual_seed(1)) < 0.4
    if kind == "image":
        missing[1] = True
    return missing


def numpy_images(prediction, target, missing):
    """What is valid of every image that has anything valid, (components, count)."""
    for p, t, m in zip(prediction.double(), target.double(), missing, strict=True):
        if not m.all():
            yield p[:, ~m[0]].numpy(), t[:, ~m[0]].numpy()


@SHAPES
@MISSING
@pytest.mark.parametrize("name", SCALAR_METRICS)
def test_depth_metrics_are_means_over_images_of_what_is_valid(shape, missing, name):
    metric, reference = SCALAR_METRICS[name]
    (prediction, target), missing = depths(shape), missing_pixels(missing, shape)
    expected = np.mean([reference(p, t) for p, t in numpy_images(prediction, target, missing)])
    prediction[missing], target[missing] = 1e6, NAN
    assert aggregate(metric(), prediction, target) == pytest.approx(expected, rel=1e-5)


@SHAPES
@MISSING
@pytest.mark.parametrize("statistic", ANGLES)
@pytest.mark.parametrize("components", [2, 3])
def test_angles_are_measured_over_what_is_valid(shape, missing, statistic, components):
    (prediction, target), missing = directions(shape, components), missing_pixels(missing, shape)
    expected = []
    for p, t in numpy_images(prediction, target, missing):
        cosine = (p * t).sum(axis=0) / np.linalg.norm(p, axis=0) / np.linalg.norm(t, axis=0)
        expected.append(ANGLES[statistic](np.degrees(np.arccos(cosine))))
    target[:, :1][missing] = NAN  # one component is enough
    metric = MissingAwareAngularErrorMetric(statistic)
    assert aggregate(metric, prediction, target) == pytest.approx(np.mean(expected), rel=1e-4)


METRICS = {name: metric for name, (metric, _) in SCALAR_METRICS.items()}
METRICS |= {name: (lambda name=name: MissingAwareAngularErrorMetric(name)) for name in ANGLES}


@pytest.mark.parametrize("name", METRICS)
def test_without_any_target_the_result_is_nan(name):
    values = torch.rand(2, 3, 4, 4) + 1
    assert math.isnan(aggregate(METRICS[name](), values, torch.full_like(values, NAN)))


@pytest.mark.parametrize(
    ("name", "worst"), [("abs", math.inf), ("rmse", math.inf), ("rel", math.inf), ("mean", math.inf)]
)
def test_a_diverged_network_does_not_pass_for_missing(name, worst):
    target = torch.ones(1, 3, 2, 2)
    prediction = target.clone()
    prediction[..., 0, 0] = NAN
    assert aggregate(METRICS[name](), prediction, target) == worst


@pytest.mark.parametrize("name", ["delta1", 30.0])
def test_a_diverged_pixel_is_within_no_threshold(name):
    target = torch.ones(1, 3, 2, 2)
    prediction = target.clone()
    prediction[..., 0, 0] = NAN
    assert aggregate(METRICS[name](), prediction, target) == 0.75


def test_delta_counts_ratios_below_the_threshold_both_ways():
    # Ratios 1.2, 1.25 (not below), 1.3, 1 / 1.2 and 1 / 1.3; then predictions that have no ratio.
    target = torch.tensor([[[1.0, 4.0, 1.0, 1.2, 1.3, 2.0, 2.0, 2.0]]])
    prediction = torch.tensor([[[1.2, 5.0, 1.3, 1.0, 1.0, 0.0, -2.0, torch.inf]]])
    assert aggregate(MissingAwareDeltaMetric(1.25), prediction, target) == 2 / 8


def test_small_and_large_angles_are_exact():
    # An arc cosine in single precision gives 0 for the first, and errs by 0.02 degrees about 180.
    for degrees in (0.001, 0.01, 45, 90, 179.99, 180):
        radians = math.radians(degrees)
        prediction = torch.tensor([[[math.cos(radians)], [math.sin(radians)], [0.0]]])
        target = torch.tensor([[[1.0], [0.0], [0.0]]])
        measured = aggregate(MissingAwareAngularErrorMetric(), 7 * prediction, target)
        assert measured == pytest.approx(degrees, rel=1e-4)


def test_a_prediction_without_direction_is_90_degrees_off():
    target = torch.tensor([[[0.6], [0.8]]])
    assert aggregate(MissingAwareAngularErrorMetric(), torch.zeros_like(target), target) == pytest.approx(90)


def test_the_median_of_an_even_number_is_between_the_middle_two():
    radians = torch.deg2rad(torch.tensor([10.0, 20.0, 40.0, 80.0]))
    prediction = torch.stack([radians.cos(), radians.sin()])[None]
    target = torch.tensor([1.0, 0.0]).reshape(1, 2, 1).expand(1, 2, 4)
    assert aggregate(MissingAwareAngularErrorMetric("median"), prediction, target) == pytest.approx(30)


@pytest.mark.parametrize("threshold", [1.0, 0.5, math.nan])
def test_thresholds_below_1_are_refused(threshold):
    with pytest.raises(ValueError, match=f"threshold must be above 1, got {threshold}"):
        MissingAwareDeltaMetric(threshold)


@pytest.mark.parametrize("statistic", ["mode", 0, -3, 181])
def test_unknown_statistics_are_refused(statistic):
    with pytest.raises(ValueError, match=f"within 0..180 degrees, got {statistic!r}"):
        MissingAwareAngularErrorMetric(statistic)
