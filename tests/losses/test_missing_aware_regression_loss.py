import pytest
import torch
import torch.nn.functional as F

from monai_mtunet.losses import MissingAwareRegressionLoss

NAN = torch.nan


@pytest.mark.parametrize(
    ("distance", "expected"), [("mse", (1 + 9 + 0.25) / 3), ("l1", 4.5 / 3), ("smooth_l1", 1.0417)]
)
def test_golden_values(distance, expected):
    # Errors 1, 3 and 0.5; smooth L1 of them: 0.5, 2.5 and 0.125.
    prediction = torch.tensor([[1.0, 3.0], [7.0, 0.5]])
    target = torch.tensor([[0.0, 0.0], [NAN, 0.0]])
    assert MissingAwareRegressionLoss(distance)(prediction, target).item() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("distance", "reference"), [("mse", F.mse_loss), ("l1", F.l1_loss), ("smooth_l1", F.smooth_l1_loss)]
)
def test_equals_torch_when_nothing_is_missing(distance, reference):
    prediction, target = torch.randn(2, 3, 4, 5, 6), torch.randn(2, 3, 4, 5, 6)
    torch.testing.assert_close(MissingAwareRegressionLoss(distance)(prediction, target), reference(prediction, target))


def test_is_the_mean_over_the_valid_elements_of_the_whole_batch():
    # One valid element of error 4, four of error 0: the mean of the images' means would be 2.
    prediction = torch.tensor([[4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    target = torch.tensor([[0.0, NAN, NAN, NAN], [0.0, 0.0, 0.0, 0.0]])
    assert MissingAwareRegressionLoss("l1")(prediction, target) == pytest.approx(4 / 5)


@pytest.mark.parametrize("distance", ["mse", "l1", "smooth_l1"])
def test_missing_elements_have_zero_gradient(distance):
    prediction = torch.tensor([[1.0, 3.0, -2.0]], requires_grad=True)
    MissingAwareRegressionLoss(distance)(prediction, torch.tensor([[0.0, NAN, NAN]])).backward()
    assert prediction.grad[0, 0] > 0
    assert prediction.grad[0, 1:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("distance", ["mse", "l1", "smooth_l1"])
def test_nothing_to_learn_gives_zero_connected_to_the_prediction(distance):
    prediction = torch.randn(2, 1, 4, 4, requires_grad=True)
    loss = MissingAwareRegressionLoss(distance)(prediction, torch.full((2, 1, 4, 4), NAN))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(prediction.grad, torch.zeros_like(prediction))


def test_half_precision_predictions_are_compared_in_full_precision():
    prediction = torch.tensor([[300.0]], dtype=torch.float16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert MissingAwareRegressionLoss()(prediction, torch.tensor([[0.0]])).item() == 90000.0


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 4\) but its target \(2, 1, 4, 4\)"):
        MissingAwareRegressionLoss()(torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4))


def test_unknown_distance_is_refused():
    with pytest.raises(ValueError, match=r"\['l1', 'mse', 'smooth_l1'\], got 'l2'"):
        MissingAwareRegressionLoss("l2")
