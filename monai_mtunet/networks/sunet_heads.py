"""What SUNet's tasks do with the trunk's features."""

from collections.abc import Mapping

from monai.networks.layers.factories import Conv
from torch import Tensor, nn

from .pre_activation import Layer, PreActivation
from .upsampling import InterpolateTo
from .vector_head import VectorHead


class DegriddingFilters(nn.Sequential):
    """Two 3x3 convolutions of dilation 2, then 1, each followed by normalization and activation (paper, Section 5.3).

    They smooth the grid that the last dilated convolutions leave.

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


class TaskHeads(nn.Module):
    """A 1x1 convolution and linear interpolation per dense task; global average and a linear layer per vector task.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the trunk's features.
        out_channels: number of channels of each dense task.
        out_features: length of each vector task's prediction.
        degridding_features: number of channels of de-gridding filters before the dense tasks' convolutions, which share
            them; None for none.
        act: activation type and arguments of the de-gridding filters, in MONAI's words.
        norm: normalization type and arguments of the de-gridding filters, in MONAI's words.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        out_features: Mapping[str, int],
        degridding_features: int | None,
        act: Layer,
        norm: Layer,
    ) -> None:
        super().__init__()
        self.degridding: nn.Module = nn.Identity()
        dense_channels = in_channels
        if degridding_features is not None:
            self.degridding = DegriddingFilters(spatial_dims, in_channels, degridding_features, act, norm)
            dense_channels = degridding_features
        convolution = Conv[Conv.CONV, spatial_dims]
        self.dense = nn.ModuleDict(
            {task: convolution(dense_channels, channels, kernel_size=1) for task, channels in out_channels.items()}
        )
        self.vectors = nn.ModuleDict(
            {
                task: VectorHead(spatial_dims, in_channels, length, pooled_size=1)
                for task, length in out_features.items()
            }
        )
        self.interpolate = InterpolateTo(spatial_dims)

    def forward(self, features: Tensor, size: list[int]) -> dict[str, Tensor]:
        """Predict dense tasks, (B, out_channels[task], *size), then vectors, (B, out_features[task])."""
        predictions: dict[str, Tensor] = {}
        if len(self.dense) > 0:
            smooth = self.degridding(features)
            for task, convolution in self.dense.items():
                predictions[task] = self.interpolate(convolution(smooth), size)
        for task, head in self.vectors.items():
            predictions[task] = head(features)
        return predictions
