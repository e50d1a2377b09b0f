"""What every method, or every method that claims it, must hold."""

import copy
import itertools
import math
import random

import pytest
import torch

from monai_mtunet.losses import RandomLossWeighting, SoftAdapt, UncertaintyWeighting, VarianceRatioWeighting

from .methods import METHODS, TASKS, Run, as_losses, random_epochs, weights_of


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


def trained(weighting, epochs=4, seed=0):
    run = Run(weighting)
    for epoch in random_epochs(epochs, seed=seed):
        run.epoch(epoch)
    return run


def test_the_order_of_the_tasks_does_not_matter(method):
    for order in itertools.permutations(TASKS):
        first, second = trained(method(TASKS)), trained(method(order))
        values = random_epochs(1, seed=1)[0][0]
        assert first.step(values) == pytest.approx(second.step(values), rel=1e-4)


@pytest.mark.parametrize("name", ["initial", "running", "dwa", "geometric_mean"])
def test_a_losss_scale_does_not_matter(name):
    """Weight times loss, relative to the other tasks', is the same in millimeters and meters."""
    scales = {"denoise": 1.0, "segment": 1e3, "depth": 1e-3}
    plain, scaled = Run(METHODS[name](TASKS)), Run(METHODS[name](TASKS))
    for epoch in random_epochs(4):
        for values in epoch:
            first = plain.step(values)
            second = scaled.step({task: values[task] * scales[task] for task in TASKS})
            if name != "dwa":  # whose weights themselves do not change
                second = {task: weight * scales[task] for task, weight in second.items()}
            norm = sum(second.values()) / sum(first.values())
            assert {task: weight / norm for task, weight in second.items()} == pytest.approx(first, rel=1e-4)
        plain.weighting.epoch_completed()
        scaled.weighting.epoch_completed()


def test_normalized_soft_adapt_does_not_see_a_common_scale():
    first, second = Run(SoftAdapt(TASKS, variant="normalized")), Run(SoftAdapt(TASKS, variant="normalized"))
    for epoch in random_epochs(4):
        weights = first.epoch(epoch)
        scaled = second.epoch([{task: 1e4 * value for task, value in values.items()} for values in epoch])
        assert scaled == pytest.approx(weights, rel=1e-4)


def test_importance_multiplies(method):
    values = random_epochs(1, seed=1)[0][0]
    plain, important = trained(method(TASKS)), trained(method(TASKS, weights={"segment": 0.0, "depth": 2.0}))
    first, second = plain.step(values), important.step(values)
    assert second["segment"] == 0
    if method is not METHODS["geometric_mean"]:  # there it is an exponent
        assert second["depth"] == pytest.approx(2 * first["depth"], rel=1e-4)


def adversarial(steps=3_000, seed=0):
    """Losses from 1e-12 to 1e12: constant, random, exactly zero, jumping; tasks come and go."""
    source = random.Random(seed)
    level = dict.fromkeys(TASKS, 1.0)
    for step in range(steps):
        if step % 100 == 0:
            level = {task: 10 ** source.uniform(-12, 12) for task in TASKS}
        jump = source.random() < 0.05
        values = {
            task: source.choice([0.0, 1e-12, 1e12]) if jump else level[task] * source.uniform(0.5, 2) for task in TASKS
        }
        if source.random() < 0.1:
            del values[source.choice(TASKS)]
        yield values


@pytest.mark.parametrize("name", METHODS)
def test_weights_stay_finite_and_positive_over_adversarial_steps(name):
    run = Run(METHODS[name](TASKS))
    # A softmax of unbounded scores gives an exact 0 where a loss is 1e24 times another.
    strictly = not name.startswith(("uw_so", "dwa", "soft_adapt"))
    for step, values in enumerate(adversarial()):
        weights = run.step(values)
        assert all(math.isfinite(w) and (w > 0 or (w == 0 and not strictly)) for w in weights.values()), (step, weights)
        if step % 10 == 9:
            run.weighting.epoch_completed()
    assert all(torch.isfinite(tensor).all() for tensor in run.weighting.state_dict().values())


@pytest.mark.parametrize("parametrization", ["softplus", "exp"])
def test_variance_ratio_keeps_its_promises(parametrization):
    run = Run(VarianceRatioWeighting(TASKS, learning_rate=1.0, parametrization=parametrization, floor=0.02))
    for values in adversarial(500):
        run.epoch([values])
        weights = run.weighting.current
        assert weights.sum().item() == pytest.approx(1, rel=1e-4)
        assert weights.min() >= 0.02 - 1e-6
        assert run.weighting._positive().mean().item() == pytest.approx(1, rel=1e-3)


def test_non_finite_losses_leave_no_trace_in_the_statistics(method):
    run = trained(method(TASKS))
    before = copy.deepcopy(run.weighting)
    for value in (math.nan, math.inf):
        run.weighting(as_losses({"denoise": value, "segment": 1.0, "depth": 2.0}))
        before(as_losses({"segment": 1.0, "depth": 2.0}))
    for name, tensor in run.weighting.state_dict().items():
        torch.testing.assert_close(tensor, before.state_dict()[name], rtol=0, atol=0, msg=name)


@pytest.mark.parametrize("stop", [1, 2, 3])
@pytest.mark.parametrize("middle", [False, True])
def test_resuming_equals_going_on(method, stop, middle):
    epochs = random_epochs(5)
    uninterrupted = Run(method(TASKS))
    resumed = None
    for number, epoch in enumerate(epochs):
        for iteration, values in enumerate(epoch):
            if number == stop and iteration == (2 if middle else 0):
                resumed = Run(method(TASKS))
                resumed.weighting.load_state_dict(copy.deepcopy(uninterrupted.weighting.state_dict()))
                if resumed.optimizer is not None:
                    resumed.optimizer.load_state_dict(copy.deepcopy(uninterrupted.optimizer.state_dict()))
                torch.manual_seed(number)  # global random states must not matter
            weights = uninterrupted.step(values)
            if resumed is not None:
                assert resumed.step(values) == weights
        uninterrupted.weighting.epoch_completed()
        if resumed is not None:
            resumed.weighting.epoch_completed()
    for name, tensor in uninterrupted.weighting.state_dict().items():
        assert torch.equal(resumed.weighting.state_dict()[name], tensor), name


def test_statistics_wait_for_training(method):
    run = trained(method(TASKS))
    before = copy.deepcopy(run.weighting.state_dict())
    run.weighting.eval()
    run.weighting(as_losses(dict.fromkeys(TASKS, 5.0)))
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.weighting.state_dict().items())


def test_random_weights_depend_on_seed_and_iteration_alone():
    first, second, other = (Run(RandomLossWeighting(TASKS, seed=seed)) for seed in (0, 0, 1))
    torch.manual_seed(5)
    values = dict.fromkeys(TASKS, 1.0)
    draws = [first.step(values) for _ in range(3)]
    torch.manual_seed(6)
    assert draws == [second.step(values) for _ in range(3)]
    assert draws[0] != draws[1]
    assert draws[0] != other.step(values)


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("fixed", {"normalize": "first"}, "None, 'initial' or 'running', got 'first'"),
        ("fixed", {"momentum": 1.0}, r"momentum must be in \[0, 1\), got 1.0"),
        ("uw_so", {"temperature": 0}, "temperature must be positive, got 0"),
        ("dwa", {"temperature": -1}, "temperature must be positive, got -1"),
        ("soft_adapt", {"variant": "fast"}, "'plain', 'normalized' or 'loss_weighted', got 'fast'"),
        ("soft_adapt", {"window": 0}, "'epoch' or a positive number of iterations, got 0"),
        ("geometric_mean", {"smallest": 0}, "smallest must be positive, got 0"),
        ("variance_ratio", {"parametrization": "relu"}, "'softplus' or 'exp', got 'relu'"),
        ("variance_ratio", {"floor": 0.4}, r"floor must be in \[0, 1 / 3\) for 3 tasks, got 0.4"),
        ("variance_ratio", {"history": 0}, "must be positive, got 0"),
        ("variance_ratio", {"ratio_bounds": (2, 3)}, r"with 1 between them, got \(2, 3\)"),
        ("uncertainty", {"weights": {"dpeth": 1}}, r"unknown task\(s\) \['dpeth'\]"),
        ("dwa", {"weights": {"depth": -1}}, r"must not be negative, got \{'depth': -1\}"),
    ],
)
def test_bad_arguments_are_named(name, argument, message):
    with pytest.raises(ValueError, match=message):
        METHODS[name](TASKS, **argument)


def test_losses_of_other_tasks_are_named(method):
    with pytest.raises(ValueError, match=r"task\(s\) \['edges'\]; the tasks are \['denoise', 'segment', 'depth'\]"):
        method(TASKS)({"edges": torch.tensor(1.0)})
    with pytest.raises(ValueError, match=r"task\(s\) \[\]"):
        method(TASKS)({})


def test_only_uncertainty_has_parameters(method):
    weighting = method(TASKS)
    assert bool(list(weighting.parameters())) == isinstance(weighting, UncertaintyWeighting)
    assert weights_of(weighting) == {}
