"""What MONAI lacks: noise that repeats in validation, scaling that can be undone, loading and checks with clear errors.

All are dictionary transforms. Those that concern every target take the declared tasks: ``LoadSampled(tasks=tasks)``,
``PadSampled(tasks, spatial_size=...)``. Those that make one target of another take both names:
``CannyEdgesd("image", "edges")``.

MONAI does the rest. One of its arguments is easily forgotten: where labels are not declared by their task, they become
classes by ``MapLabelValued(keys="segment", orig_labels=..., target_labels=..., dtype="int16")``. Without ``dtype``
labels become float32. Labels that are not listed stay as they are, so list all.
"""

from .geometry.center_square import CenterSquared
from .geometry.pad_sample import PadSampled
from .geometry.rand_flip_geometry import RandFlipGeometryd
from .geometry.rand_zoom_geometry import RandZoomGeometryd
from .geometry.resample_sample import ResampleSampled
from .geometry.resize_sample import ResizeSampled
from .geometry.space_sample import SpaceSampled
from .load.check_sample import CheckSampled
from .load.colors_to_classes import ColorsToClassesd
from .load.decode_depth import DecodeDepthd
from .load.decode_instances import DecodeInstancesd
from .load.disparity import DecodeDisparityd, DisparityToDepthd
from .load.fill_missing_targets import FillMissingTargetsd
from .load.load_sample import LoadSampled
from .load.picture_reader import PictureReader
from .load.scale_volume_range import ScaleVolumeRanged
from .noise.blind_spots import MaskBlindSpotsd
from .noise.gaussian_noise import AddGaussianNoised
from .noise.poisson_noise import AddPoissonNoised
from .noise.rand_swap_noisy_pair import RandSwapNoisyPaird
from .noise.rician_noise import AddRicianNoised
from .targets.box_of_labels import BoxOfLabelsd
from .targets.box_of_mask import BoxOfMaskd
from .targets.canny_edges import CannyEdgesd
from .targets.distance_map import DistanceMapd
from .targets.dominant_class import DominantClassd
from .targets.label_boundary import LabelBoundaryd
from .targets.label_components import LabelComponentsd
from .targets.paint_box import PaintBoxd
from .targets.signed_distance_map import SignedDistanceMapd
from .targets.split_color import SplitColord

__all__ = [
    "AddGaussianNoised",
    "AddPoissonNoised",
    "AddRicianNoised",
    "BoxOfLabelsd",
    "BoxOfMaskd",
    "CannyEdgesd",
    "CenterSquared",
    "CheckSampled",
    "ColorsToClassesd",
    "DecodeDepthd",
    "DecodeDisparityd",
    "DecodeInstancesd",
    "DisparityToDepthd",
    "DistanceMapd",
    "DominantClassd",
    "FillMissingTargetsd",
    "LabelBoundaryd",
    "LabelComponentsd",
    "LoadSampled",
    "MaskBlindSpotsd",
    "PadSampled",
    "PaintBoxd",
    "PictureReader",
    "RandFlipGeometryd",
    "RandSwapNoisyPaird",
    "RandZoomGeometryd",
    "ResampleSampled",
    "ResizeSampled",
    "ScaleVolumeRanged",
    "SignedDistanceMapd",
    "SpaceSampled",
    "SplitColord",
]
