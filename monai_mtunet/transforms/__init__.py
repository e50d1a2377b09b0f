"""What MONAI lacks: noise that repeats in validation, scaling that can be undone, loading and checks with clear errors.

MONAI does the rest; two of its transforms need an argument that is easily forgotten. Each wants one entry per value:

- Samples smaller than the crop: ``SpatialPadd(keys="image", spatial_size=..., mode="edge")``, and for targets *missing*
  instead of class 0 or depth 0: ``SpatialPadd(keys="segment", spatial_size=..., mode="constant", value=255)``,
  ``SpatialPadd(keys="depth", spatial_size=..., mode="constant", value="$float('nan')")``.
- Labels to classes: ``MapLabelValued(keys="segment", orig_labels=..., target_labels=..., dtype="int16")``.
  Without ``dtype`` labels become float32. Labels that are not listed stay as they are, so list all.
"""

from monai_mtunet.transforms.blind_spots import MaskBlindSpots, MaskBlindSpotsd
from monai_mtunet.transforms.box_mask import BoxOfMask, BoxOfMaskd, PaintBoxd
from monai_mtunet.transforms.canny_edges import CannyEdges, CannyEdgesd
from monai_mtunet.transforms.check_sample import CheckSampled
from monai_mtunet.transforms.decode_instances import DecodeInstances, DecodeInstancesd
from monai_mtunet.transforms.disparity import DecodeDisparityd, DisparityToDepthd
from monai_mtunet.transforms.distance_map import DistanceMap, DistanceMapd
from monai_mtunet.transforms.dominant_class import DominantClass, DominantClassd
from monai_mtunet.transforms.fill_missing_targets import FillMissingTargetsd
from monai_mtunet.transforms.gaussian_noise import AddGaussianNoise, AddGaussianNoised
from monai_mtunet.transforms.label_boundary import LabelBoundary, LabelBoundaryd
from monai_mtunet.transforms.label_components import LabelComponents, LabelComponentsd
from monai_mtunet.transforms.load_sample import LoadSampled
from monai_mtunet.transforms.noise import AddNoise, AddNoised
from monai_mtunet.transforms.poisson_noise import AddPoissonNoise, AddPoissonNoised
from monai_mtunet.transforms.rand_flip_geometry import RandFlipGeometryd
from monai_mtunet.transforms.rand_swap_noisy_pair import RandSwapNoisyPaird
from monai_mtunet.transforms.rand_zoom_geometry import RandZoomGeometryd
from monai_mtunet.transforms.repeatable import Repeatable
from monai_mtunet.transforms.rician_noise import AddRicianNoise, AddRicianNoised
from monai_mtunet.transforms.scale_volume_range import ScaleVolumeRange, ScaleVolumeRanged
from monai_mtunet.transforms.signed_distance_map import SignedDistanceMap, SignedDistanceMapd
from monai_mtunet.transforms.split_colour import SplitColour, SplitColourd

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
    "SplitColour",
    "SplitColourd",
]
