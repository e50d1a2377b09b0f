import pytest
import torch
from torch.optim import lr_scheduler

from monai_mtunet.engines.schedule_end import keeping_ends


def made(kind, groups=2, **arguments):
    parameters = [{"params": [torch.zeros(1, requires_grad=True)], "lr": 0.1 * 2**group} for group in range(groups)]
    optimizer = torch.optim.SGD(parameters)
    return optimizer, getattr(lr_scheduler, kind)(optimizer, **arguments)


def rates(optimizer, schedule, steps):
    found = []
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        found.append([group["lr"] for group in optimizer.param_groups])
    return found


KINDS = [("CosineAnnealingLR", "T_max"), ("PolynomialLR", "total_iters"), ("LinearLR", "total_iters")]


@pytest.mark.parametrize(("kind", "name"), KINDS)
@pytest.mark.parametrize(("planned", "end"), [(4, 6), (6, 4), (4, 4)], ids=["longer", "shorter", "as planned"])
def test_the_rate_goes_on_as_if_planned_so(kind, name, planned, end):
    expected = rates(*made(kind, **{name: end}), end)
    before = made(kind, **{name: planned})
    rates(*before, 3)
    after = made(kind, **{name: end})
    with keeping_ends(after):
        for thing, state in zip(after, before, strict=True):
            thing.load_state_dict(state.state_dict())
    assert getattr(after[1], name) == end
    assert [group["lr"] for group in after[0].param_groups] == pytest.approx(expected[2])
    assert after[1].get_last_lr() == pytest.approx(expected[2])
    for rate, should in zip(rates(*after, end - 3), expected[3:], strict=True):
        assert rate == pytest.approx(should, abs=1e-9)


def test_schedules_without_an_end_and_all_else_stay():
    optimizer, schedule = made("StepLR", step_size=1, gamma=0.5)
    rates(optimizer, schedule, 2)
    after = made("StepLR", step_size=1, gamma=0.5)
    with keeping_ends([*after, torch.nn.Identity(), "trainer"]):
        after[0].load_state_dict(optimizer.state_dict())
        after[1].load_state_dict(schedule.state_dict())
    assert rates(*after, 1) == rates(optimizer, schedule, 1)
