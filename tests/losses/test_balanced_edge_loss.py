import math

import pytest
import torch
import torch.nn.functional as F

from monai_mtunet.losses import BalancedEdgeLoss


@pytest.mark.parametrize("shape", [(2, 1, 6, 5), (2, 1, 4, 3, 5)])
def test_is_equation_2_over_the_number_of_valid_voxels(shape):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator)
    target = (torch.rand(shape, generator=generator) < 0.2).long()
    target[:, :, :2] = 255
    edges, others = target == 1, target == 0
    beta = others.sum() / (edges.sum() + others.sum())
    expected = -beta * F.logsigmoid(logits[edges]).sum() - (1 - beta) * F.logsigmoid(-logits[others]).sum()
    torch.testing.assert_close(BalancedEdgeLoss()(logits, target), expected / (edges | others).sum())


def test_golden():
    # Two thirds of the valid voxels are no edges: (2/3 + 1/3 + 1/3) log 2 / 3.
    loss = BalancedEdgeLoss()(torch.zeros(1, 1, 1, 4), torch.tensor([[[[1, 0, 0, 255]]]]))
    assert loss.item() == pytest.approx(4 / 9 * math.log(2))


def test_edges_and_others_pull_equally():
    logits = torch.zeros(1, 1, 10, 10, requires_grad=True)
    target = torch.zeros(1, 1, 10, 10, dtype=torch.long)
    target[..., 0, :3] = 1
    BalancedEdgeLoss()(logits, target).backward()
    assert logits.grad[target == 1].sum().item() == pytest.approx(-logits.grad[target == 0].sum().item())


@pytest.mark.parametrize("label", [255, 0, 1])
def test_nothing_to_balance_gives_zero_with_finite_gradients(label):
    logits = torch.randn(1, 1, 4, 4, requires_grad=True)
    target = torch.full((1, 1, 4, 4), label)
    loss = BalancedEdgeLoss()
    value = loss(logits, target)
    value.backward()
    assert value == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))
    assert loss.valid_count(target) == (0 if label == 255 else 16)


def test_missing_voxels_have_no_gradient():
    logits = torch.randn(1, 1, 1, 3, requires_grad=True)
    BalancedEdgeLoss()(logits, torch.tensor([[[[1, 0, 255]]]])).backward()
    assert (logits.grad[..., :2] != 0).all()
    assert logits.grad[..., 2] == 0


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 1, 4, 4\) but its target \(1, 4, 4\): edges need one channel"):
        BalancedEdgeLoss()(torch.zeros(1, 1, 4, 4), torch.zeros(1, 4, 4))
