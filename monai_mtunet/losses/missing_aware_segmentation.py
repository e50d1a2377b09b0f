"""The loss of classes over the voxels that have a label."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from monai.losses import DiceLoss
from torch import Tensor, nn

from .over_ranks import mean_over_valid


class MissingAwareSegmentationLoss(nn.Module):
    """Softmax cross-entropy, and on demand soft Dice, over the voxels whose label is not ``ignore_index``.

    MONAI's ``DiceCELoss`` has no ``ignore_index``, and torch's cross-entropy is NaN when every voxel is ignored;
    here a batch without labels gives 0, still connected to the prediction.

    Args:
        ignore_index: the label that marks voxels without a target.
        lambda_ce: weight of the cross-entropy, averaged over the valid voxels of all ranks' batches.
        lambda_dice: weight of the Dice loss of the foreground classes (1 - Dice, averaged over classes and over the
            images that have labels). 0, the default, is the UMC paper's plain cross-entropy.
        class_weights: one weight per class for the cross-entropy, as in ``torch.nn.CrossEntropyLoss``.

    Raises:
        ValueError: When both weights are 0 or one is negative.

    Example:
        >>> loss = MissingAwareSegmentationLoss(ignore_index=255, lambda_dice=1.0)
        >>> loss(torch.zeros(1, 2, 4, 4), torch.full((1, 1, 4, 4), 255))
        tensor(0.)
    """

    class_weights: Tensor | None

    def __init__(
        self,
        ignore_index: int = 255,
        lambda_ce: float = 1.0,
        lambda_dice: float = 0.0,
        class_weights: list[float] | None = None,
    ) -> None:
        super().__init__()
        if min(lambda_ce, lambda_dice) < 0 or lambda_ce + lambda_dice == 0:
            raise ValueError(f"lambda_ce and lambda_dice must be >= 0 and not both 0, got {lambda_ce}, {lambda_dice}.")
        self.ignore_index = ignore_index
        self.lambda_ce = lambda_ce
        self.lambda_dice = lambda_dice
        self.register_buffer("class_weights", None if class_weights is None else torch.tensor(class_weights).float())
        self.dice = DiceLoss(
            include_background=False, to_onehot_y=True, softmax=True, reduction="none", ignore_index=ignore_index
        )

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Compare.

        Args:
            prediction: logits (B, C, *spatial).
            target: labels (B, 1, *spatial), integers in 0..C-1 or ``ignore_index``.

        Returns:
            0-d tensor.

        Raises:
            ValueError: When the target is not (B, 1, *spatial) of the prediction's size.
        """
        if target.shape != (prediction.shape[0], 1, *prediction.shape[2:]):
            raise ValueError(
                f"prediction has shape {tuple(prediction.shape)} but its target {tuple(target.shape)}: "
                "labels need one channel (B, 1, *spatial) and the prediction's spatial size."
            )
        target = target.long()  # as `LoadSampled` gives them, labels are int16
        labels = target.squeeze(1)
        loss = prediction.new_zeros(())
        if self.lambda_ce:
            loss = loss + self.lambda_ce * self._cross_entropy(prediction, labels)
        if self.lambda_dice:
            loss = loss + self.lambda_dice * self._dice(prediction, target)
        return loss

    def _cross_entropy(self, prediction: Tensor, labels: Tensor) -> Tensor:
        total = F.cross_entropy(
            prediction, labels, weight=self.class_weights, ignore_index=self.ignore_index, reduction="sum"
        )
        valid = labels != self.ignore_index
        if self.class_weights is None:
            return mean_over_valid(total, valid.sum())
        # torch's convention: a weighted mean, so that the weights' scale cancels.
        return mean_over_valid(total, self.class_weights[labels.masked_fill(~valid, 0)].mul(valid).sum())

    def _dice(self, prediction: Tensor, target: Tensor) -> Tensor:
        # An image without labels has a Dice loss of 0, which must not dilute the others' mean.
        per_image = self.dice(prediction, target).flatten(start_dim=1).mean(dim=1)
        labeled = (target != self.ignore_index).flatten(start_dim=1).any(dim=1)
        return mean_over_valid((per_image * labeled).sum(), labeled.sum())

    def valid_count(self, target: Tensor) -> Tensor:
        """Number of voxels that have a label, 0-d."""
        return (target != self.ignore_index).sum()
