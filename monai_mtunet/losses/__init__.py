"""Losses: what MONAI lacks for missing targets, and their combination over tasks."""

from .balanced_edge import BalancedEdgeLoss
from .missing_aware_cosine import MissingAwareCosineLoss
from .missing_aware_regression import MissingAwareRegressionLoss
from .missing_aware_segmentation import MissingAwareSegmentationLoss
from .multi_task_loss import MultiTaskLoss
from .parameter_groups import parameter_groups
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
    "MissingAwareCosineLoss",
    "MissingAwareRegressionLoss",
    "MissingAwareSegmentationLoss",
    "MultiTaskLoss",
    "RandomLossWeighting",
    "SoftAdapt",
    "SoftOptimalUncertaintyWeighting",
    "TaskWeighting",
    "UncertaintyWeighting",
    "VarianceRatioWeighting",
    "parameter_groups",
]
