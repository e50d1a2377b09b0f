"""Loss weighting: one method per file, each a module ``{task: loss} -> 0-d tensor``."""

from .dynamic_weight_average import DynamicWeightAverage
from .fixed import FixedWeighting
from .geometric_mean import GeometricMeanWeighting
from .random_loss import RandomLossWeighting
from .soft_adapt import SoftAdapt
from .task_weighting import TaskWeighting
from .uncertainty import UncertaintyWeighting
from .uw_so import SoftOptimalUncertaintyWeighting
from .variance_ratio import VarianceRatioWeighting

__all__ = [
    "DynamicWeightAverage",
    "FixedWeighting",
    "GeometricMeanWeighting",
    "RandomLossWeighting",
    "SoftAdapt",
    "SoftOptimalUncertaintyWeighting",
    "TaskWeighting",
    "UncertaintyWeighting",
    "VarianceRatioWeighting",
]
