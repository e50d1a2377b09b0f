"""What MONAI lacks: noise that repeats in validation, scaling that can be undone, loading and checks with clear errors.

MONAI does the rest; two of its transforms need an argument that is easily forgotten. Each wants one entry per value:

- Samples smaller than the crop: ``SpatialPadd(keys="image", spatial_size=..., mode="edge")``, and for targets *missing*
  instead of class 0 or depth 0: ``SpatialPadd(keys="segment", spatial_size=..., mode="constant", value=255)``,
  ``SpatialPadd(keys="depth", spatial_size=..., mode="constant", value="$float('nan')")``.
- Labels to classes: ``MapLabelValued(keys="segment", orig_labels=..., target_labels=..., dtype="int16")``.
  Without ``dtype`` labels become float32. Labels that are not listed stay as they are, so list all.
"""

from .blind_spots import MaskBlindSpots, MaskBlindSpotsd
from .box_mask import BoxOfMask, BoxOfMaskd, PaintBoxd
from .canny_edges import CannyEdges, CannyEdgesd
from .check_sample import CheckSampled
from .decode_instances import DecodeInstances, DecodeInstancesd
from .disparity import DecodeDisparityd, DisparityToDepthd
from .distance_map import DistanceMap, DistanceMapd
from .dominant_class import DominantClass, DominantClassd
from .fill_missing_targets import FillMissingTargetsd
from .gaussian_noise import AddGaussianNoise, AddGaussianNoised
from .label_boundary import LabelBoundary, LabelBoundaryd
from .label_components import LabelComponents, LabelComponentsd
from .load_sample import LoadSampled
from .noise import AddNoise, AddNoised
from .poisson_noise import AddPoissonNoise, AddPoissonNoised
from .rand_flip_geometry import RandFlipGeometryd
from .rand_swap_noisy_pair import RandSwapNoisyPaird
from .rand_zoom_geometry import RandZoomGeometryd
from .repeatable import Repeatable
from .rician_noise import AddRicianNoise, AddRicianNoised
from .scale_volume_range import ScaleVolumeRange, ScaleVolumeRanged
from .signed_distance_map import SignedDistanceMap, SignedDistanceMapd
from .split_color import SplitColor, SplitColord

__all__ = [
    "AddGaussianNoise",
    "AddGaussianNoised",
    "AddNoise",
    "AddNoised",
    "AddPoissonNoise",
    "AddPoissonNoised",
    "AddRicianNoise",
    "AddRicianNoised",
    "BoxOfMask",
    "BoxOfMaskd",
    "CannyEdges",
    "CannyEdgesd",
    "CheckSampled",
    "DecodeDisparityd",
    "DecodeInstances",
    "DecodeInstancesd",
    "DisparityToDepthd",
    "DistanceMap",
    "DistanceMapd",
    "DominantClass",
    "DominantClassd",
    "FillMissingTargetsd",
    "LabelBoundary",
    "LabelBoundaryd",
    "LabelComponents",
    "LabelComponentsd",
    "LoadSampled",
    "MaskBlindSpots",
    "MaskBlindSpotsd",
    "PaintBoxd",
    "RandFlipGeometryd",
    "RandSwapNoisyPaird",
    "RandZoomGeometryd",
    "Repeatable",
    "ScaleVolumeRange",
    "ScaleVolumeRanged",
    "SignedDistanceMap",
    "SignedDistanceMapd",
    "SplitColor",
    "SplitColord",
]
