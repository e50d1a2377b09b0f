import pytest
import torch
from torch import nn

from monai_mtunet.losses import (
    FixedWeighting,
    MissingAwareRegressionLoss,
    MultiTaskLoss,
    UncertaintyWeighting,
    VarianceRatioWeighting,
    parameter_groups,
)

TASKS = ["denoise", "depth"]
NETWORK = nn.Linear(2, 2)


def groups_of(weighting, **settings):
    loss = MultiTaskLoss({name: MissingAwareRegressionLoss() for name in TASKS}, weighting(TASKS))
    return torch.optim.AdamW(parameter_groups(NETWORK, loss, 0.5), lr=0.1, **settings).param_groups


def test_learnable_weights_have_their_own_learning_rate_and_no_decay():
    network, weights = groups_of(UncertaintyWeighting, weight_decay=0.01)
    assert (network["lr"], network["weight_decay"], len(network["params"])) == (0.1, 0.01, 2)
    assert (weights["lr"], weights["weight_decay"], len(weights["params"])) == (0.5, 0.0, 2)


def test_without_learnable_weights_there_is_one_group():
    for weighting in (FixedWeighting, VarianceRatioWeighting):  # the latter steps by itself
        (group,) = groups_of(weighting)
        assert group["lr"] == 0.1


class Parts(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.heads = nn.Linear(2, 3), nn.ModuleDict({"a": nn.Linear(3, 1), "b": nn.Linear(3, 2)})


def groups_of_parts(learning_rates):
    loss = MultiTaskLoss({name: MissingAwareRegressionLoss() for name in TASKS}, FixedWeighting(TASKS))
    return torch.optim.SGD(parameter_groups(Parts(), loss, 0.5, learning_rates), lr=0.1).param_groups


def test_parts_of_the_network_have_learning_rates_of_their_own():
    trunk, heads = groups_of_parts({"heads": 1.0})
    assert (trunk["lr"], [tuple(p.shape) for p in trunk["params"]]) == (0.1, [(3, 2), (3,)])
    assert (heads["lr"], [tuple(p.shape) for p in heads["params"]]) == (1.0, [(1, 3), (1,), (2, 3), (2,)])
    assert [(g["lr"], len(g["params"])) for g in groups_of_parts({"trunk": 0.2, "heads.b": 0.3, "heads": 0.4})] == [
        (0.2, 2),
        (0.3, 2),
        (0.4, 2),
    ]


def test_a_schedule_keeps_the_ratio_of_the_rates():
    loss = MultiTaskLoss({name: MissingAwareRegressionLoss() for name in TASKS}, FixedWeighting(TASKS))
    optimizer = torch.optim.SGD(parameter_groups(Parts(), loss, 0.5, {"heads": 1.0}), lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    rates = []
    for _ in range(4):
        rates.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    # 0.5 (1 + cos(pi it / total)), the paper's Section 7.2
    assert rates == [pytest.approx([0.1 * f, f]) for f in (1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5)]


@pytest.mark.parametrize("rates", [{"head": 1.0}, {"heads": 1.0, "heads.a": 2.0}])
def test_a_part_without_parameters_of_its_own_is_refused(rates):
    with pytest.raises(ValueError, match=r"learning_rates names 'head(s\.a)?', .*its modules are \['trunk', 'heads'\]"):
        groups_of_parts(rates)
