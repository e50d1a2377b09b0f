"""Several networks' predictions become one, as each task says."""

import copy

import pytest
import torch
from all_tasks import SEGMENT, TASKS, AllTasks
from torch import nn
from torch.nn.functional import normalize

from monai_mtunet.inferers import (
    FlippedWindows,
    MultiScaleFlipInferer,
    MultiTaskSlidingWindowInferer,
    NetworkEnsemble,
)
from monai_mtunet.networks import UMC


@pytest.fixture(autouse=True)
def no_grad():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def folds(count, dims=2):
    return [AllTasks(dims) for _ in range(count)]


@pytest.mark.parametrize("size", [(9, 14), (5, 7, 6)])
def test_one_network_is_itself(size):
    (network,) = networks = folds(1, len(size))
    windows = torch.randn(2, 1, *size)
    result, expected = NetworkEnsemble(networks, TASKS)(windows), network(windows)
    assert list(result) == list(expected)
    assert all(torch.equal(result[name], expected[name]) for name in expected)


@pytest.mark.parametrize("size", [(9, 14), (5, 7, 6)])
@pytest.mark.parametrize("count", [2, 5])
def test_each_task_is_averaged_in_its_way(size, count):
    networks, windows = folds(count, len(size)), torch.randn(2, 1, *size)
    result = NetworkEnsemble(networks, TASKS)(windows)
    of_each = [network(windows) for network in networks]
    assert list(result) == list(of_each[0])
    for name in ("depth", "denoise"):
        torch.testing.assert_close(result[name], sum(one[name] for one in of_each) / count)
    for name in ("segment", "classify"):
        torch.testing.assert_close(result[name].softmax(1), sum(one[name].softmax(1) for one in of_each) / count)
        torch.testing.assert_close(result[name].exp().sum(1), torch.ones_like(result[name][:, 0]))
    mean = sum(normalize(one["normals"], dim=1) for one in of_each) / count
    torch.testing.assert_close(result["normals"], mean)


def test_a_network_that_is_surer_has_no_more_than_its_vote():
    """Five networks say the second class at 69 %, one the first: the mean of their logits would follow it."""

    class Says(nn.Module):
        def __init__(self, logit):
            super().__init__()
            self.logit = logit

        def forward(self, windows):
            zero = torch.zeros_like(windows)
            return {"segment": torch.cat([zero, zero + self.logit, zero - 100], dim=1)}

    sure, unsure = Says(-100.0), Says(0.8)
    result = NetworkEnsemble([unsure, sure, unsure, unsure, unsure, unsure], TASKS)(torch.zeros(1, 1, 1, 1))["segment"]
    assert result.argmax(1).item() == 1
    assert (5 * 0.8 - 100) / 6 < 0


def test_copies_change_nothing():
    (network,) = folds(1)
    windows = torch.randn(2, 1, 6, 7)
    result = NetworkEnsemble([network, copy.deepcopy(network)], TASKS)(windows)
    for name, values in network(windows).items():
        task = next(task for task in TASKS if task.name == name)
        torch.testing.assert_close(task.postprocess(result[name][0]), task.postprocess(values[0]))


@pytest.mark.parametrize("dims", [2, 3])
def test_a_windows_bits_depend_neither_on_the_others_nor_on_the_run(dims):
    networks = [UMC(dims, 1, {"denoise": 1, "segment": 3}, features=(4, 6)).eval() for _ in range(3)]
    ensemble, windows = NetworkEnsemble(networks, TASKS), torch.randn(4, 1, *[12] * dims)
    first = ensemble(windows)
    other = windows.clone()
    other[1:] = torch.randn(3, 1, *[12] * dims)
    for name, values in first.items():
        assert torch.equal(ensemble(windows)[name], values)
        assert torch.equal(ensemble(other)[name][0], values[0])


def test_flips_are_merged_network_by_network():
    networks, windows = folds(3), torch.randn(2, 1, 6, 7)
    flipped = [FlippedWindows(network, TASKS, [1]) for network in networks]
    result = NetworkEnsemble(flipped, TASKS)(windows)
    merged = [network.merged(windows) for network in flipped]
    torch.testing.assert_close(result["segment"].exp(), sum(one["segment"] for one in merged) / 3)
    torch.testing.assert_close(result["normals"], sum(one["normals"] for one in merged) / 3)


@pytest.mark.parametrize("around", [True, False])
def test_in_windows_scales_and_flips(around):
    networks, image = folds(2), torch.randn(1, 1, 12, 16)
    windows = MultiTaskSlidingWindowInferer(roi_size=(8, 8), overlap=0.5, tasks=TASKS)
    axes = (0, 1) if around else ()
    members = networks if around else [FlippedWindows(network, TASKS, (0, 1)) for network in networks]
    inferer = MultiScaleFlipInferer(TASKS, scales=[1, 1.5], flip_axes=axes, inferer=windows)
    result = inferer(image, NetworkEnsemble(members, TASKS))
    assert {name: tuple(values.shape) for name, values in result.items()} == {
        "segment": (1, 3, 12, 16),
        "normals": (1, 3, 12, 16),
        "depth": (1, 1, 12, 16),
        "denoise": (1, 1, 12, 16),
        "classify": (1, 2),
    }
    torch.testing.assert_close(result["segment"].exp().sum(1), torch.ones(1, 12, 16))


def test_it_holds_all_weights():
    networks = folds(2)
    ensemble = NetworkEnsemble(networks, TASKS)
    assert len(ensemble.state_dict()) == 2 * len(networks[0].state_dict())
    assert not any(network.training for network in ensemble.eval().networks)
    assert ensemble.double().networks[1].classify.weight.dtype == torch.float64


def test_what_does_not_fit_is_named():
    windows = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="at least one network"):
        NetworkEnsemble([], TASKS)
    with pytest.raises(ValueError, match=r"predicts \['normals', 'depth', 'denoise', 'classify'\].*\['segment'\]"):
        NetworkEnsemble(folds(2), [SEGMENT])(windows)
    other = UMC(2, 1, {"segment": 3}, features=(4, 6))
    with pytest.raises(
        ValueError, match=r"Network 1 of the ensemble predicts \['segment'\], those before it \['segment"
    ):
        NetworkEnsemble([AllTasks(), other], TASKS)(windows)
