"""Filters that smooth the grid which the last dilated convolutions leave."""

from monai.networks.layers.factories import Conv
from torch import nn

from .pre_activation import Layer, PreActivation


class DegriddingFilters(nn.Sequential):
    """Two 3x3 convolutions of dilation 2, then 1, each followed by normalization and activation (paper, Section 5.3).

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the trunk's features.
        features: number of channels of the filters.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    """

    def __init__(self, spatial_dims: int, in_channels: int, features: int, act: Layer, norm: Layer) -> None:
        convolution = Conv[Conv.CONV, spatial_dims]
        super().__init__(
            convolution(in_channels, features, kernel_size=3, padding=2, dilation=2),
            PreActivation(spatial_dims, features, act, norm),
            convolution(features, features, kernel_size=3, padding=1),
            PreActivation(spatial_dims, features, act, norm),
        )
