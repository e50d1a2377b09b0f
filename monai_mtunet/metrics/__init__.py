"""Metrics that ignite and MONAI lack."""

from .angular_error import MissingAwareAngularErrorMetric
from .box_iou import MissingAwareBoxIoUMetric
from .depth import MissingAwareDeltaMetric, MissingAwareRelativeErrorMetric
from .edge_f_measure import EdgeFMeasure
from .instance_average_precision import InstanceAveragePrecision
from .instance_panoptic_quality import InstancePanopticQuality
from .missing_aware import (
    MissingAwareDiceMetric,
    MissingAwareMAEMetric,
    MissingAwareMSEMetric,
    MissingAwarePSNRMetric,
    MissingAwareRMSEMetric,
    MissingAwareSSIMMetric,
)
from .split_merge import SplitMerge
from .top_k_accuracy import MissingAwareTopKAccuracy

__all__ = [
    "EdgeFMeasure",
    "InstanceAveragePrecision",
    "InstancePanopticQuality",
    "MissingAwareAngularErrorMetric",
    "MissingAwareBoxIoUMetric",
    "MissingAwareDeltaMetric",
    "MissingAwareDiceMetric",
    "MissingAwareMAEMetric",
    "MissingAwareMSEMetric",
    "MissingAwarePSNRMetric",
    "MissingAwareRMSEMetric",
    "MissingAwareRelativeErrorMetric",
    "MissingAwareSSIMMetric",
    "MissingAwareTopKAccuracy",
    "SplitMerge",
]
