import math

import pytest
import torch
import torch.nn.functional as F
from monai.losses import DiceLoss

from monai_mtunet.losses import MissingAwareSegmentationLoss

IGNORE = 255


@pytest.fixture
def logits():
    return torch.randn(2, 3, 6, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.fixture
def labels():
    return torch.randint(3, (2, 1, 6, 5), generator=torch.Generator().manual_seed(1))


def monai_dice(logits, labels):
    return DiceLoss(include_background=False, to_onehot_y=True, softmax=True)(logits, labels)


def test_golden_cross_entropy():
    # Probabilities of the true class 3/4 and 1/2; the third voxel has no label.
    logits = torch.tensor([[[0.0, 0.0, 9.0]], [[math.log(3), 0.0, 0.0]]])[None]
    labels = torch.tensor([[[[1, 0, IGNORE]]]])
    assert MissingAwareSegmentationLoss()(logits, labels).item() == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)


def test_golden_dice():
    # Foreground probabilities 3/4 (foreground) and 1/2 (background): Dice = 2 * 0.75 / (0.75 + 0.5 + 1) = 2/3.
    logits = torch.tensor([[[0.0, 0.0, 9.0]], [[math.log(3), 0.0, 0.0]]])[None]
    labels = torch.tensor([[[[1, 0, IGNORE]]]])
    loss = MissingAwareSegmentationLoss(lambda_ce=0, lambda_dice=1)(logits, labels)
    assert loss.item() == pytest.approx(1 / 3, abs=1e-4)


def test_equals_torch_and_monai_when_nothing_is_missing(logits, labels):
    loss = MissingAwareSegmentationLoss(lambda_ce=0.7, lambda_dice=0.4)(logits, labels)
    expected = 0.7 * F.cross_entropy(logits, labels[:, 0]) + 0.4 * monai_dice(logits, labels)
    torch.testing.assert_close(loss, expected)


def test_cross_entropy_is_the_mean_over_the_valid_voxels_of_the_whole_batch(logits, labels):
    labels[0, :, 1:] = IGNORE
    expected = F.cross_entropy(logits, labels[:, 0], ignore_index=IGNORE)
    torch.testing.assert_close(MissingAwareSegmentationLoss()(logits, labels), expected)


@pytest.mark.parametrize("weights", [[0.2, 1.0, 3.0], [1, 2, 3]])
def test_class_weights_follow_torch(logits, labels, weights):
    labels[:, :, 0] = IGNORE
    loss = MissingAwareSegmentationLoss(class_weights=weights)(logits, labels)
    expected = F.cross_entropy(logits, labels[:, 0], weight=torch.tensor(weights).float(), ignore_index=IGNORE)
    torch.testing.assert_close(loss, expected)


def test_dice_is_that_of_the_valid_part(logits, labels):
    cropped = monai_dice(logits[:, :, 2:], labels[:, :, 2:])
    labels[:, :, :2] = IGNORE
    torch.testing.assert_close(MissingAwareSegmentationLoss(lambda_ce=0, lambda_dice=1)(logits, labels), cropped)


def test_images_without_labels_do_not_dilute_the_dice(logits, labels):
    labels[1] = IGNORE
    loss = MissingAwareSegmentationLoss(lambda_ce=0, lambda_dice=1)(logits, labels)
    torch.testing.assert_close(loss, monai_dice(logits[:1], labels[:1]))


@pytest.mark.parametrize("class_weights", [None, [0.2, 1.0, 3.0]])
def test_ignored_voxels_have_zero_gradient(logits, labels, class_weights):
    labels[:, :, :2] = IGNORE
    MissingAwareSegmentationLoss(lambda_dice=1, class_weights=class_weights)(logits, labels).backward()
    assert torch.equal(logits.grad[:, :, :2], torch.zeros(2, 3, 2, 5))
    assert logits.grad[:, :, 2:].abs().min() > 0


@pytest.mark.parametrize("class_weights", [None, [0.2, 1.0, 3.0]])
def test_nothing_to_learn_gives_zero_connected_to_the_prediction(logits, class_weights):
    loss = MissingAwareSegmentationLoss(lambda_dice=1, class_weights=class_weights)(
        logits, torch.full((2, 1, 6, 5), IGNORE)
    )
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_ignore_index_may_be_the_number_of_classes(logits, labels):
    # CamVid's "void" is class 11 of 11.
    other = labels.clone()
    labels[:, :, :2], other[:, :, :2] = IGNORE, 3
    expected = MissingAwareSegmentationLoss(lambda_dice=1)(logits, labels)
    torch.testing.assert_close(MissingAwareSegmentationLoss(ignore_index=3, lambda_dice=1)(logits, other), expected)


@pytest.mark.parametrize("shape", [(2, 6, 5), (2, 3, 6, 5), (2, 1, 6, 4), (1, 1, 6, 5)])
def test_other_shapes_are_refused(logits, shape):
    with pytest.raises(ValueError, match=r"prediction has shape \(2, 3, 6, 5\) but its target \("):
        MissingAwareSegmentationLoss()(logits, torch.zeros(shape, dtype=torch.long))


@pytest.mark.parametrize("weights", [(0, 0), (-1, 2)])
def test_weights_that_make_no_loss_are_refused(weights):
    with pytest.raises(ValueError, match="must be >= 0 and not both 0"):
        MissingAwareSegmentationLoss(lambda_ce=weights[0], lambda_dice=weights[1])


def test_class_weights_are_part_of_the_state():
    assert MissingAwareSegmentationLoss(class_weights=[1.0, 2.0]).state_dict()["class_weights"].tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [torch.int16, torch.uint8, torch.int32])
@pytest.mark.parametrize("lambda_dice", [0.0, 1.0])
def test_labels_of_any_integer_type(dtype, lambda_dice):
    loss = MissingAwareSegmentationLoss(lambda_dice=lambda_dice)
    prediction = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    target = torch.arange(32).remainder(3).view(2, 1, 4, 4)
    assert torch.equal(loss(prediction, target.to(dtype)), loss(prediction, target))
