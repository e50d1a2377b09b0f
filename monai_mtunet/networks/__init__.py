"""Networks: modules that map an image to one prediction per task, and know no loss, engine or file."""

from .classical_denoiser import ClassicalDenoiser
from .mtunet import MTUNet
from .network_chain import NetworkChain
from .umc import UMC

__all__ = ["UMC", "ClassicalDenoiser", "MTUNet", "NetworkChain"]
