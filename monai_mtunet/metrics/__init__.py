"""Metrics that ignite and MONAI lack."""

from .missing_aware import (
    MissingAwareDiceMetric,
    MissingAwareMSEMetric,
    MissingAwarePSNRMetric,
    MissingAwareSSIMMetric,
)

__all__ = ["MissingAwareDiceMetric", "MissingAwareMSEMetric", "MissingAwarePSNRMetric", "MissingAwareSSIMMetric"]
