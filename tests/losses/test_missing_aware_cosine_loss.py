import math

import pytest
import torch
import torch.nn.functional as F

from monai_mtunet.losses import MissingAwareCosineLoss

NAN = torch.nan
SHAPES = pytest.mark.parametrize("shape", [(2, 3, 6, 7), (2, 2, 6, 7), (2, 3, 4, 5, 6)])


def pair(shape):
    generator = torch.Generator().manual_seed(0)
    target = F.normalize(torch.randn(shape, generator=generator), dim=1)
    return torch.randn(shape, generator=generator), target


def test_golden_values():
    # Angles of 0, 60 and 180 degrees, then a missing voxel: 1 - (1 + 0.5 - 1) / 3.
    target = torch.tensor([[1.0, 1.0, 1.0, NAN], [0.0, 0.0, 0.0, 0.0]])[None]
    prediction = torch.tensor([[2.0, 1.0, -0.1, 5.0], [0.0, math.sqrt(3), 0.0, 5.0]])[None]
    assert MissingAwareCosineLoss()(prediction, target).item() == pytest.approx(5 / 6)


@SHAPES
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_is_one_minus_the_mean_cosine_of_what_is_valid(shape, share):
    prediction, target = pair(shape)
    missing = torch.rand(shape[0], *shape[2:], generator=torch.Generator().manual_seed(1)) < share
    cosine = (F.normalize(prediction, dim=1) * target).sum(dim=1)[~missing]
    target[:, 1].masked_fill_(missing, NAN)  # one component is enough
    torch.testing.assert_close(MissingAwareCosineLoss()(prediction, target), 1 - cosine.mean())
    assert MissingAwareCosineLoss().valid_count(target) == len(cosine)


@SHAPES
def test_the_length_of_the_prediction_does_not_matter(shape):
    prediction, target = pair(shape)
    torch.testing.assert_close(
        MissingAwareCosineLoss()(100 * prediction, target), MissingAwareCosineLoss()(prediction, target)
    )


@pytest.mark.parametrize("missing", [0, 1, 20, 42])
def test_gradients_are_finite_and_zero_where_nothing_is_known(missing):
    prediction, target = pair((1, 3, 6, 7))
    target.view(1, 3, -1)[..., :missing] = NAN
    prediction.requires_grad_()
    loss = MissingAwareCosineLoss()(prediction, target)
    loss.backward()
    gradient = prediction.grad.view(3, -1)
    assert gradient.isfinite().all()
    assert not gradient[:, :missing].any()
    assert gradient[:, missing:].abs().sum(dim=0).gt(0).all()
    assert missing < 42 or loss.item() == 0


def test_a_prediction_of_length_0_has_a_finite_gradient_towards_the_target():
    prediction = torch.zeros(1, 3, 1, requires_grad=True)
    loss = MissingAwareCosineLoss()(prediction, torch.tensor([0.0, 0.6, 0.8]).reshape(1, 3, 1))
    loss.backward()
    assert loss.item() == 1
    assert prediction.grad.isfinite().all()


def test_half_precision_predictions_are_compared_in_full_precision():
    prediction = torch.tensor([[[300.0], [400.0]]], dtype=torch.float16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert MissingAwareCosineLoss()(prediction, torch.tensor([[[0.6], [0.8]]])).item() == pytest.approx(0, abs=1e-6)


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 4\) but its target \(2, 1, 4, 4\)"):
        MissingAwareCosineLoss()(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize("eps", [0.0, -1.0])
def test_eps_must_be_positive(eps):
    with pytest.raises(ValueError, match=f"eps must be positive, got {eps}"):
        MissingAwareCosineLoss(eps)
