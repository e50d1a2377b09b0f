import torch
from torch import nn

from monai_mtunet.losses import (
    FixedWeighting,
    MaskedRegressionLoss,
    MultiTaskLoss,
    UncertaintyWeighting,
    VarianceRatioWeighting,
    parameter_groups,
)

TASKS = ["denoise", "depth"]
NETWORK = nn.Linear(2, 2)


def groups_of(weighting, **settings):
    loss = MultiTaskLoss({name: MaskedRegressionLoss() for name in TASKS}, weighting(TASKS))
    return torch.optim.AdamW(parameter_groups(NETWORK, loss, 0.5), lr=0.1, **settings).param_groups


def test_learnable_weights_have_their_own_learning_rate_and_no_decay():
    network, weights = groups_of(UncertaintyWeighting, weight_decay=0.01)
    assert (network["lr"], network["weight_decay"], len(network["params"])) == (0.1, 0.01, 2)
    assert (weights["lr"], weights["weight_decay"], len(weights["params"])) == (0.5, 0.0, 2)


def test_without_learnable_weights_there_is_one_group():
    for weighting in (FixedWeighting, VarianceRatioWeighting):  # the latter steps by itself
        (group,) = groups_of(weighting)
        assert group["lr"] == 0.1
