import pytest
import torch

from monai_mtunet.losses import FixedWeighting, MissingAwareRegressionLoss, MissingAwareSegmentationLoss, MultiTaskLoss

TASKS = ["denoise", "depth"]
PREDICTIONS = {"denoise": torch.tensor([[2.0]]), "depth": torch.tensor([[3.0]])}
TARGETS = {"denoise": torch.tensor([[0.0]]), "depth": torch.tensor([[0.0]])}


@pytest.fixture
def losses():
    return {"denoise": MissingAwareRegressionLoss("mse"), "depth": MissingAwareRegressionLoss("l1")}


def test_fixed_weighting_is_a_weighted_sum():
    weighting = FixedWeighting(TASKS, {"denoise": 0.5})
    assert weighting({"denoise": torch.tensor(2.0), "depth": torch.tensor(3.0)}).item() == 4.0


def test_fixed_weighting_names_unknown_tasks():
    with pytest.raises(ValueError, match=r"unknown task\(s\) \['dpeth'\]; the tasks are \['denoise', 'depth'\]"):
        FixedWeighting(TASKS, {"dpeth": 1.0})


def test_fixed_weighting_refuses_negative_weights():
    with pytest.raises(ValueError, match=r"\{'depth': -1\.0\}"):
        FixedWeighting(TASKS, {"depth": -1.0})


def test_the_default_weighting_is_the_sum(losses):
    total = MultiTaskLoss(losses)(PREDICTIONS, TARGETS)
    assert total.shape == ()
    assert total.item() == 4.0 + 3.0


def test_every_loss_is_weighted_and_learned_from(losses):
    predictions = {name: tensor.clone().requires_grad_() for name, tensor in PREDICTIONS.items()}
    MultiTaskLoss(losses, FixedWeighting(TASKS, {"denoise": 0.25, "depth": 2.0}))(predictions, TARGETS).backward()
    assert predictions["denoise"].grad.item() == 0.25 * 4.0
    assert predictions["depth"].grad.item() == 2.0


def test_raw_losses_are_unweighted_and_detached(losses):
    predictions = {name: tensor.clone().requires_grad_() for name, tensor in PREDICTIONS.items()}
    loss = MultiTaskLoss(losses, FixedWeighting(TASKS, {"denoise": 0.5}))
    loss(predictions, TARGETS)
    assert {name: value.item() for name, value in loss.raw_losses.items()} == {"denoise": 4.0, "depth": 3.0}
    assert not any(value.requires_grad for value in loss.raw_losses.values())


def test_a_task_without_targets_leaves_the_others_finite(losses):
    predictions = {name: tensor.clone().requires_grad_() for name, tensor in PREDICTIONS.items()}
    MultiTaskLoss(losses)(predictions, TARGETS | {"depth": torch.tensor([[torch.nan]])}).backward()
    assert predictions["denoise"].grad.item() == 4.0
    assert predictions["depth"].grad.item() == 0.0


@pytest.mark.parametrize("kind", ["prediction", "target"])
def test_what_is_absent_is_named(losses, kind):
    arguments = {"predictions": PREDICTIONS, "targets": TARGETS, f"{kind}s": {"denoise": torch.zeros(1, 1)}}
    with pytest.raises(ValueError, match=rf"No {kind} for task\(s\) \['depth'\]: the {kind}s are \['denoise'\]"):
        MultiTaskLoss(losses)(**arguments)


def test_no_loss_is_refused():
    with pytest.raises(ValueError, match="at least one task"):
        MultiTaskLoss({})


def test_state_is_that_of_the_losses_and_the_weighting():
    loss = MultiTaskLoss({"segment": MissingAwareSegmentationLoss(class_weights=[1.0, 2.0])})
    other = MultiTaskLoss({"segment": MissingAwareSegmentationLoss(class_weights=[0.0, 0.0])})
    other.load_state_dict(loss.state_dict())
    assert other.state_dict()["losses.segment.class_weights"].tolist() == [1, 2]


class Product(torch.nn.Module):
    """Another library's weighting: it keeps no weights and knows no epochs."""

    def forward(self, losses):
        return torch.stack(list(losses.values())).prod()


def test_any_module_can_weigh(losses):
    loss = MultiTaskLoss(losses, Product())
    assert loss(PREDICTIONS, TARGETS).item() == 4.0 * 3.0
    assert loss.applied_weights == {}
    loss.epoch_completed()


def test_a_loss_that_does_not_count_is_always_present():
    loss = MultiTaskLoss({"denoise": torch.nn.MSELoss(), "depth": MissingAwareRegressionLoss()})
    loss(PREDICTIONS, TARGETS | {"depth": torch.tensor([[torch.nan]])})
    assert list(loss.raw_losses) == list(loss.applied_weights) == ["denoise"]
