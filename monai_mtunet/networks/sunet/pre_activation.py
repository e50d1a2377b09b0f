"""Normalization and activation before a convolution."""

from collections import OrderedDict
from typing import Any

from monai.networks.layers.utils import get_act_layer, get_norm_layer
from torch import nn

Layer = str | tuple[str, dict[str, Any]]


class PreActivation(nn.Sequential):
    """Normalization, then activation: what stands before each convolution of a pre-activated network.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        channels: number of channels.
        act: activation type and arguments, in MONAI's words. It may work in place, on the normalization's result.
        norm: normalization type and arguments, in MONAI's words.

    Example:
        >>> PreActivation(2, 8, act="RELU", norm="BATCH")(torch.rand(2, 8, 4, 4)).shape
        torch.Size([2, 8, 4, 4])

    """

    def __init__(self, spatial_dims: int, channels: int, act: Layer, norm: Layer) -> None:
        layers = {"norm": get_norm_layer(norm, spatial_dims, channels), "act": get_act_layer(act)}
        super().__init__(OrderedDict(layers))
