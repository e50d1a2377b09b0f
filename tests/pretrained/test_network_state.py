import pytest
import torch
from torch import nn

from monai_mtunet.pretrained.network_state import own_names, unwrapped, without_prefixes

WANTED = {"encoder.weight": 1, "head.bias": 2}


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "network.", "model.", "module._orig_mod."])
def test_prefixes_of_wrappers_are_taken_off(prefix):
    assert without_prefixes({prefix + name: value for name, value in WANTED.items()}, WANTED) == WANTED


def test_a_prefix_that_is_the_networks_own_stays():
    state = {"network.0.weight": 1, "network.1.weight": 2}
    assert without_prefixes(state, state) == state


def test_what_not_all_names_have_stays():
    state = {"module.weight": 1, "bias": 2}
    assert without_prefixes(state, ["weight", "bias"]) == state


def test_wrappers_are_taken_off_a_network():
    network = nn.Linear(2, 2)
    assert unwrapped(torch.compile(nn.DataParallel(network))) is network
    assert unwrapped(network) is network
    assert unwrapped("no module") == "no module"


def test_names_that_are_the_networks_own_lose_a_prefix_that_not_all_have():
    state = {"model.encoder.weight": 1, "model.head.bias": 2, "criterion.weight": 3, "model.other": 4}
    assert own_names(state, WANTED) == {**WANTED, "criterion.weight": 3, "model.other": 4}
    both = {"encoder.weight": 1, "model.encoder.weight": 2}
    assert own_names(both, WANTED) == both
