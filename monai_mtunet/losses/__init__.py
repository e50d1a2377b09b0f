"""Losses: what MONAI lacks for missing targets, and their combination over tasks."""

from .balanced_edge import BalancedEdgeLoss
from .missing_aware_cosine import MissingAwareCosineLoss
from .missing_aware_regression import MissingAwareRegressionLoss
from .missing_aware_segmentation import MissingAwareSegmentationLoss
from .multi_task_loss import MultiTaskLoss
from .parameter_groups import parameter_groups
from .weighting.dynamic_weight_average import DynamicWeightAverage
from .weighting.fixed import FixedWeighting
from .weighting.geometric_mean import GeometricMeanWeighting
from .weighting.random_loss import RandomLossWeighting
from .weighting.soft_adapt import SoftAdapt
from .weighting.task_weighting import TaskWeighting
from .weighting.uncertainty import UncertaintyWeighting
from .weighting.uw_so import SoftOptimalUncertaintyWeighting
from .weighting.variance_ratio import VarianceRatioWeighting

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
