"""Networks: modules that map an image to one prediction per task, and know no loss, engine or file."""

from .classical_denoiser import ClassicalDenoiser
from .cross_stitch_segnet import CrossStitchSegNet
from .dense_segnet import DenseSegNet
from .dilated_resnet import DilatedResNet
from .frozen_normalization import freeze_normalization
from .hourglass import MultiTaskHourglass
from .mtan import MTAN
from .mtunet import MTUNet
from .network_chain import NetworkChain
from .segnet import SegNet
from .stan import STAN
from .sunet import SUNet, sunet_7_128, sunet_64, sunet_128
from .umc import UMC

__all__ = [
    "MTAN",
    "STAN",
    "UMC",
    "ClassicalDenoiser",
    "CrossStitchSegNet",
    "DenseSegNet",
    "DilatedResNet",
    "MTUNet",
    "MultiTaskHourglass",
    "NetworkChain",
    "SUNet",
    "SegNet",
    "freeze_normalization",
    "sunet_7_128",
    "sunet_64",
    "sunet_128",
]
