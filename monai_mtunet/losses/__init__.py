"""Losses: what MONAI lacks for missing targets, and their combination over tasks."""

from .masked_regression import MaskedRegressionLoss
from .multi_task_loss import MultiTaskLoss
from .segmentation import MaskedDiceCELoss
from .weighting import FixedWeighting

__all__ = ["FixedWeighting", "MaskedDiceCELoss", "MaskedRegressionLoss", "MultiTaskLoss"]
