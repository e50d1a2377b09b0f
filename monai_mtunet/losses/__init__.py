"""Losses: what MONAI lacks for missing targets, and their combination over tasks."""

from .balanced_edge import BalancedEdgeLoss
from .masked_cosine import MaskedCosineLoss
from .masked_regression import MaskedRegressionLoss
from .multi_task_loss import MultiTaskLoss
from .parameter_groups import parameter_groups
from .segmentation import MaskedDiceCELoss
from .weighting import (
    DynamicWeightAverage,
    FixedWeighting,
    GeometricMeanWeighting,
    RandomLossWeighting,
    SoftAdapt,
    SoftOptimalUncertaintyWeighting,
    TaskWeighting,
    UncertaintyWeighting,
    VarianceRatioWeighting,
)

__all__ = [
    "BalancedEdgeLoss",
    "DynamicWeightAverage",
    "FixedWeighting",
    "GeometricMeanWeighting",
    "MaskedCosineLoss",
    "MaskedDiceCELoss",
    "MaskedRegressionLoss",
    "MultiTaskLoss",
    "RandomLossWeighting",
    "SoftAdapt",
    "SoftOptimalUncertaintyWeighting",
    "TaskWeighting",
    "UncertaintyWeighting",
    "VarianceRatioWeighting",
    "parameter_groups",
]
