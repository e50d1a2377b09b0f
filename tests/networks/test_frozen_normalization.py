import copy

import pytest
import torch
from torch import nn

from monai_mtunet.networks import UMC, SUNet, freeze_normalization


def network(use_checkpoint=False):
    torch.manual_seed(0)
    tiny = {"features": (8, 12, 16, 20), "modules": (1, 1, 1, 1), "module_features": 4, "stem_features": (4, 6)}
    built = SUNet(2, 3, {"segment": 2}, **tiny, use_checkpoint=use_checkpoint)
    built.train()(torch.rand(4, 3, 64, 64))  # running statistics of their own
    return built


def step(network):
    """One step as MONAI's trainer takes it."""
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    network.train()
    network(torch.rand(2, 3, 64, 64))["segment"].square().mean().backward()
    optimizer.step()


def normalizations(network):
    return {name: copy.deepcopy(m.state_dict()) for name, m in network.named_modules() if isinstance(m, nn.BatchNorm2d)}


@pytest.mark.parametrize("use_checkpoint", [False, True])
def test_training_changes_all_but_the_normalizations(use_checkpoint):
    frozen = freeze_normalization(network(use_checkpoint))
    before, weight = normalizations(frozen), frozen.trunk.stem.weight.clone()
    step(frozen)
    after = normalizations(frozen)
    assert all(torch.equal(after[name][tensor], before[name][tensor]) for name in before for tensor in before[name])
    assert not torch.equal(frozen.trunk.stem.weight, weight)
    assert frozen.training


def test_weights_and_biases_may_learn():
    frozen = freeze_normalization(network(), affine=False)
    before = normalizations(frozen)["trunk.activation.norm"]
    step(frozen)
    after = normalizations(frozen)["trunk.activation.norm"]
    changed = {tensor for tensor in before if not torch.equal(before[tensor], after[tensor])}
    assert changed == {"weight", "bias"}


def test_predicts_in_training_as_in_evaluation():
    plain, frozen, x = network().eval(), freeze_normalization(network()), torch.rand(2, 3, 40, 50)
    assert torch.equal(frozen.train()(x)["segment"], plain(x)["segment"])
    assert list(frozen.state_dict()) == list(plain.state_dict())


def test_a_network_without_batch_normalization_is_refused():
    with pytest.raises(ValueError, match="UMC has no batch normalization to freeze"):
        freeze_normalization(UMC(2, 3, {"segment": 2}, features=(4, 6), norm="instance"))
