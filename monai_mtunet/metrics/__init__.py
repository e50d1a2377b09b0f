"""Metrics that ignite and MONAI lack."""

from .missing_aware import MissingAwarePSNRMetric, MissingAwareSSIMMetric

__all__ = ["MissingAwarePSNRMetric", "MissingAwareSSIMMetric"]
