"""Every method against its paper's formula, worked by hand for three tasks."""

import math

import numpy as np
import pytest
import torch

from monai_mtunet.losses import (
    DynamicWeightAverage,
    FixedWeighting,
    GeometricMeanWeighting,
    RandomLossWeighting,
    SoftAdapt,
    SoftOptimalUncertaintyWeighting,
    UncertaintyWeighting,
    VarianceRatioWeighting,
)

from .methods import TASKS, Run, as_losses, weights_of

LOSSES = {"denoise": 1.0, "segment": 2.0, "depth": 4.0}


def named(*values):
    return pytest.approx(dict(zip(TASKS, values, strict=True)), rel=1e-5)


def softmax(*scores):
    total = sum(math.exp(score) for score in scores)
    return [math.exp(score) / total for score in scores]


def test_fixed():
    weighting = FixedWeighting(TASKS, {"segment": 0.5, "depth": 0.25})
    assert weighting(as_losses(LOSSES)).item() == 1 + 1 + 1
    assert weights_of(weighting) == named(1, 0.5, 0.25)


def test_fixed_normalized_by_the_initial_losses():
    weighting = FixedWeighting(TASKS, {"depth": 3.0}, normalize="initial")
    weighting(as_losses(LOSSES))
    total = weighting(as_losses({"denoise": 0.5, "segment": 0.5, "depth": 0.5}))
    assert weights_of(weighting) == named(1, 1 / 2, 3 / 4)
    assert total.item() == pytest.approx(0.5 + 0.25 + 0.375)


def test_fixed_normalized_by_the_running_losses():
    weighting = FixedWeighting(TASKS, normalize="running", momentum=0.75)
    weighting(as_losses(LOSSES))
    weighting(as_losses({"denoise": 5.0, "segment": 2.0, "depth": 0.0}))
    # 0.75 * 1 + 0.25 * 5 = 2; 2; 0.75 * 4 = 3.
    assert weights_of(weighting) == named(1 / 2, 1 / 2, 1 / 3)


def test_uncertainty():
    weighting = UncertaintyWeighting(TASKS)
    losses = as_losses(LOSSES)
    total = weighting(losses)
    total.backward()
    inverse = math.exp(0.5)  # 1 / exp(s) with s = -0.5
    assert total.item() == pytest.approx((1 + 2 + 4) * inverse / 2 - 3 * 0.25)
    for name, value in LOSSES.items():
        assert weighting.log_variances[name].grad.item() == pytest.approx(0.5 - value * inverse / 2)
        assert losses[name].grad.item() == pytest.approx(inverse / 2)


def test_uncertainty_settles_at_the_logarithm_of_the_loss():
    run = Run(UncertaintyWeighting(TASKS), learning_rate=0.05)
    for _ in range(500):
        weights = run.step(LOSSES)
    assert weights == pytest.approx({name: 1 / (2 * value) for name, value in LOSSES.items()}, rel=1e-3)


def test_uw_so():
    weighting = SoftOptimalUncertaintyWeighting(TASKS, temperature=0.5)
    losses = as_losses(LOSSES)
    weighting(losses).backward()
    expected = softmax(1 / 0.5, 0.5 / 0.5, 0.25 / 0.5)
    assert weights_of(weighting) == named(*expected)
    assert [loss.grad.item() for loss in losses.values()] == pytest.approx(expected)  # the weights are detached


def test_dynamic_weight_average():
    run = Run(DynamicWeightAverage(TASKS, temperature=2.0))
    first = [{"denoise": 1.5, "segment": 2, "depth": 4}, {"denoise": 2.5, "segment": 2, "depth": 4}]  # means 2, 2, 4
    assert run.epoch(first) == named(1, 1, 1)
    assert run.epoch([{"denoise": 1, "segment": 2, "depth": 6}]) == named(1, 1, 1)
    expected = [3 * weight for weight in softmax(0.5 / 2, 1 / 2, 1.5 / 2)]
    assert run.step(LOSSES) == named(*expected)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        # Means 2, 2, 4, then 1, 2, 6: rates -1, 0, 2, normalized by 3.
        ("plain", softmax(-0.5, 0, 1)),
        ("normalized", softmax(-0.5 / 3, 0, 1 / 3)),
        ("loss_weighted", softmax(-0.5 + math.log(1), math.log(2), 1 + math.log(6))),
    ],
)
@pytest.mark.parametrize("window", ["epoch", 2])
def test_soft_adapt(variant, expected, window):
    run = Run(SoftAdapt(TASKS, beta=0.5, variant=variant, window=window))
    first = [{"denoise": 1.5, "segment": 2, "depth": 4}, {"denoise": 2.5, "segment": 2, "depth": 4}]
    second = [{"denoise": 1, "segment": 1, "depth": 6}, {"denoise": 1, "segment": 3, "depth": 6}]
    assert run.epoch(first) == named(1 / 3, 1 / 3, 1 / 3)
    last = run.epoch(second)
    # A window of iterations closes within the iteration that fills it.
    assert last == (named(1 / 3, 1 / 3, 1 / 3) if window == "epoch" else named(*expected))
    assert run.step(LOSSES) == named(*expected)


def test_random_loss_weighting_is_a_softmax_of_normal_draws():
    run = Run(RandomLossWeighting(TASKS, seed=3))
    weights = np.array([list(run.step(LOSSES).values()) for _ in range(2000)])
    assert weights.sum(axis=1) == pytest.approx(1, rel=1e-5)
    logarithms = np.log(weights)
    draws = logarithms - logarithms.mean(axis=1, keepdims=True)  # what the softmax leaves of z: z - mean(z)
    assert draws.mean(axis=0) == pytest.approx(0, abs=0.07)
    assert draws.var(axis=0) == pytest.approx(1 - 1 / 3, abs=0.07)
    assert abs(np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]) < 0.07


def test_geometric_mean():
    weighting = GeometricMeanWeighting(TASKS)
    losses = as_losses(LOSSES)
    total = weighting(losses)
    total.backward()
    assert total.item() == pytest.approx(2)  # (1 * 2 * 4) ** (1 / 3)
    assert [loss.grad.item() for loss in losses.values()] == pytest.approx([2 / 3, 2 / 6, 2 / 12])


def test_geometric_mean_with_exponents():
    weighting = GeometricMeanWeighting(TASKS, {"denoise": 0.0, "segment": 3.0})
    values = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    weighting(dict(zip(TASKS, values.unbind(), strict=True))).backward()
    other = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    (other[1] ** 0.75 * other[2] ** 0.25).backward()
    torch.testing.assert_close(values.grad, other.grad)


# Batch losses of three epochs, and by hand the means and population variances.
EPOCHS = [
    {"denoise": [1.0, 3.0], "segment": [2.0, 2.2], "depth": [1.0, 1.0]},  # means 2, 2.1, 1; variances 1, 0.01, 0
    {"denoise": [1.0, 2.0], "segment": [1.0, 1.4], "depth": [1.0, 1.0]},  # means 1.5, 1.2, 1; variances 0.25, 0.04, 0
    {"denoise": [1.0, 1.2], "segment": [1.0, 1.2], "depth": [0.8, 1.0]},  # means 1.1, 1.1, 0.9; variances all 0.01
]


def equation_5(w, ratio):
    return np.array(w) * ratio / (np.array(w) * ratio).sum()


@pytest.mark.parametrize("parametrization", ["softplus", "exp"])
@pytest.mark.parametrize("floor", [0.0, 0.1])
def test_variance_ratio(parametrization, floor):
    learning_rate = 0.01
    run = Run(VarianceRatioWeighting(TASKS, None, learning_rate, 2, parametrization, floor, (0.1, 10)))
    # a = (sigma(t-1) + eps) / (sigma(t-2) + eps), sigma over two epochs; clipped to 10 where the variance was 0.
    ratios = [
        [1, 1, 1],  # no sigma yet
        [1, 1, 1],  # one
        [0.625 / 1, 0.025 / 0.01, 1],
        [0.13 / 0.625, 0.025 / 0.025, 10],
    ]
    means = [[2, 2.1, 1], [1.5, 1.2, 1], [1.1, 1.1, 0.9]]
    function = torch.nn.functional.softplus if parametrization == "softplus" else torch.exp
    rho = torch.full((3,), math.log(math.e - 1) if parametrization == "softplus" else 0.0, dtype=torch.float64)
    rho.requires_grad_()
    adam = torch.optim.Adam([rho], lr=learning_rate)
    for epoch, ratio, mean in zip([*EPOCHS, None], ratios, [*means, None], strict=True):
        w = function(rho)
        expected = floor + (1 - 3 * floor) * w * torch.tensor(ratio) / (w * torch.tensor(ratio)).sum()
        assert run.step(LOSSES) == named(*expected.tolist())
        run.weighting.window.close()  # the look at the weights does not count
        if epoch is None:
            break
        run.epoch([{name: epoch[name][i] for name in TASKS} for i in range(2)])
        adam.zero_grad()
        (expected * torch.tensor(mean)).sum().backward()
        adam.step()
        with torch.no_grad():  # W keeps the mean 1
            w = function(rho) / function(rho).mean()
            rho.copy_(w.expm1().log() if parametrization == "softplus" else w.log())


def test_variance_ratio_moves_weight_to_the_smaller_loss():
    run = Run(VarianceRatioWeighting(TASKS, learning_rate=0.05))
    for _ in range(50):
        weights = run.epoch([LOSSES])  # constant: no variance, a = 1
    assert weights["denoise"] > 0.5
    assert weights["denoise"] > weights["segment"] > weights["depth"] > 0
    assert run.weighting._positive().mean().item() == pytest.approx(1, rel=1e-5)


def test_variance_ratio_hardly_leaves_equal_weights_in_the_papers_200_epochs():
    weighting = VarianceRatioWeighting(["depth", "segment"])
    run = Run(weighting)
    for _ in range(200):
        weights = run.epoch([{"depth": 0.01, "segment": 0.5}])
    assert weights == pytest.approx({"depth": 0.57, "segment": 0.43}, abs=0.02)
