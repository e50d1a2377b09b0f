"""Networks: modules that map an image to one prediction per task, and know no loss, engine or file."""

from .classical_denoiser import ClassicalDenoiser
from .frozen_normalization import freeze_normalization
from .network_chain import NetworkChain
from .segnet.cross_stitch_segnet import CrossStitchSegNet
from .segnet.dense_segnet import DenseSegNet
from .segnet.hourglass import MultiTaskHourglass
from .segnet.mtan import MTAN
from .segnet.segnet import SegNet
from .segnet.stan import STAN
from .sunet.dilated_resnet import DilatedResNet
from .sunet.sunet import SUNet, sunet_7_128, sunet_64, sunet_128
from .unet.mtunet import MTUNet
from .unet.umc import UMC

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
