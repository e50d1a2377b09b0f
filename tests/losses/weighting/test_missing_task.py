"""A task that has nothing to learn in a batch neither gives NaN nor moves what the method knows about it."""

import copy
import math

import pytest
import torch

from monai_mtunet.losses import MissingAwareRegressionLoss, MultiTaskLoss, UncertaintyWeighting

from .methods import METHODS, TASKS, Run, random_epochs


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


def without(values, task="depth"):
    return {name: value for name, value in values.items() if name != task}


@pytest.mark.parametrize("name", ["dwa", "soft_adapt", "soft_adapt_normalized"])
def test_batches_without_a_task_do_not_bias_its_statistics(name):
    """Ten more batches per epoch, which repeat the others' mean losses: the weights are the same as without them."""
    plain, mixed = Run(METHODS[name](TASKS)), Run(METHODS[name](TASKS))
    for epoch in random_epochs(4):
        means = {task: sum(values[task] for values in epoch) / len(epoch) for task in TASKS}
        assert mixed.epoch([without(means)] * 10 + epoch) == pytest.approx(plain.epoch(epoch), rel=1e-4)


def test_a_task_is_counted_where_it_is_present():
    run = Run(METHODS["variance_ratio"](TASKS))
    for values in ({"denoise": 1.0, "depth": 4.0}, {"denoise": 3.0}, {"denoise": 5.0, "depth": 8.0}):
        run.step(values)
    mean, variance, observed = run.weighting.window.close()
    assert mean.tolist() == [3, 0, 6]
    assert variance.tolist() == pytest.approx([8 / 3, 0, 4])
    assert observed.tolist() == [True, False, True]


def test_state_of_a_missing_task_stays_bit_for_bit(method):
    run = Run(method(TASKS))
    for epoch in random_epochs(3):
        run.epoch(epoch)
    before = copy.deepcopy(run.weighting.state_dict())
    for epoch in random_epochs(2, seed=1):
        for values in epoch:
            weights = run.step(without(values))
            assert set(weights) == {"denoise", "segment"}
            assert all(math.isfinite(weight) for weight in weights.values())
    after = run.weighting.state_dict()
    depth = TASKS.index("depth")
    for name, tensor in after.items():
        if "depth" in name:
            assert torch.equal(tensor, before[name]), name
        elif tensor.ndim and "current" not in name:  # shares of one whole move with the others
            assert torch.equal(tensor[..., depth], before[name][..., depth]), name


@pytest.mark.parametrize("name", ["dwa", "variance_ratio"])
def test_epochs_without_a_task_keep_what_is_known_about_it(name):
    run = Run(METHODS[name](TASKS))
    for epoch in random_epochs(3):
        run.epoch(epoch)
    depth = TASKS.index("depth")
    known = {key: tensor.clone() for key, tensor in run.weighting.state_dict().items()}
    for epoch in random_epochs(3, seed=1):
        run.epoch([without(values) for values in epoch])
    for key, tensor in run.weighting.state_dict().items():
        if key not in ("current", "window.mean"):
            assert torch.equal(tensor[..., depth], known[key][..., depth]), key


def test_uncertainty_of_a_missing_task_does_not_drift_with_momentum():
    run = Run(UncertaintyWeighting(TASKS), learning_rate=0.1)
    for _ in range(5):
        run.step(dict.fromkeys(TASKS, 3.0))
    before = run.weighting.log_variances["depth"].item()
    for _ in range(50):
        run.step({"denoise": 3.0, "segment": 3.0})
    assert run.weighting.log_variances["depth"].item() == before
    assert run.weighting.log_variances["denoise"].item() > before + 0.1


def test_the_geometric_mean_of_the_others_is_not_zero():
    total = METHODS["geometric_mean"](TASKS)({"denoise": torch.tensor(4.0), "segment": torch.tensor(9.0)})
    assert total.item() == pytest.approx(6.0)


def test_the_loss_hands_only_present_tasks_to_the_weighting(method):
    loss = MultiTaskLoss({name: MissingAwareRegressionLoss("l1") for name in TASKS}, method(TASKS))
    predictions = {name: torch.full((2, 1, 3), 2.0, requires_grad=True) for name in TASKS}
    targets = {name: torch.zeros(2, 1, 3) for name in TASKS} | {"depth": torch.full((2, 1, 3), torch.nan)}
    total = loss(predictions, targets)
    total.backward()
    assert torch.isfinite(total)
    assert set(loss.raw_losses) == set(loss.applied_weights) == {"denoise", "segment"}
    assert torch.equal(predictions["depth"].grad, torch.zeros(2, 1, 3))  # connected, for DistributedDataParallel
    assert predictions["denoise"].grad.abs().min() > 0


def test_a_batch_without_any_target_is_survived(method):
    loss = MultiTaskLoss({name: MissingAwareRegressionLoss() for name in TASKS}, method(TASKS))
    before = copy.deepcopy(loss.state_dict())
    predictions = {name: torch.ones(1, 1, 3, requires_grad=True) for name in TASKS}
    total = loss(predictions, {name: torch.full((1, 1, 3), torch.nan) for name in TASKS})
    total.backward()
    assert total.item() == 0
    assert loss.raw_losses == loss.applied_weights == {}
    assert all(torch.equal(tensor, before[name]) for name, tensor in loss.state_dict().items())
