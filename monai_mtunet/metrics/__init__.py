"""Metrics that ignite and MONAI lack."""

from .missing_aware import (
    MissingAwareDiceMetric,
    MissingAwareMSEMetric,
    MissingAwarePSNRMetric,
    MissingAwareSSIMMetric,
)
from .top_k_accuracy import MissingAwareTopKAccuracy

__all__ = [
    "MissingAwareDiceMetric",
    "MissingAwareMSEMetric",
    "MissingAwarePSNRMetric",
    "MissingAwareSSIMMetric",
    "MissingAwareTopKAccuracy",
]
