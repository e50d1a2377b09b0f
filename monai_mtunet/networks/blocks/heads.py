"""Heads: what predicts a task from the last features. Maps by convolutions, vectors by pooling and a linear layer."""

from collections.abc import Collection, Mapping
from typing import Any

from monai.networks.layers.factories import Conv, Pool
from monai.networks.layers.utils import get_norm_layer
from torch import Tensor, nn

from .kept_tasks import keep_tasks
from .upsampling import InterpolateTo

DENSE_HEADS = ("3x3_1x1", "1x1", "3x3")


def dense_head(
    spatial_dims: int,
    in_channels: int,
    out_channels: int,
    kind: str = "1x1",
    norm: str | tuple[str, dict[str, Any]] | None = None,
) -> nn.Module:
    """Convolutions to a dense task's channels, without activation after them.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the features.
        out_channels: number of channels of the task.
        kind: the convolutions.

            - ``"1x1"``: a 1x1 convolution.
            - ``"3x3_1x1"``: a 3x3 and a 1x1 convolution, nothing between (code of MTAN).
            - ``"3x3"``: a 3x3 convolution, after normalization if there is `norm`. It is the decoder's last
              convolution, of which the decoder has one less (SegNet as VGG-16 mirrored).
        norm: normalization type and arguments before a ``"3x3"`` convolution, in MONAI's words.

    Returns:
        A module that maps (B, in_channels, *spatial) to (B, out_channels, *spatial).

    """
    convolution: type[nn.Conv2d | nn.Conv3d] = Conv[Conv.CONV, spatial_dims]
    if kind == "1x1":
        return convolution(in_channels, out_channels, kernel_size=1)
    if kind == "3x3_1x1":
        return nn.Sequential(
            convolution(in_channels, in_channels, kernel_size=3, padding=1), convolution(in_channels, out_channels, 1)
        )
    last = convolution(in_channels, out_channels, kernel_size=3, padding=1)
    return last if norm is None else nn.Sequential(get_norm_layer(norm, spatial_dims, in_channels), last)


class VectorHead(nn.Module):
    """Average pooling to a fixed grid, so that images of any size fit, and a linear layer.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the map.
        out_features: number of features of the prediction.
        pooled_size: voxels per axis of the grid. A map of this size is taken as it is, a smaller one is repeated. With
            1 the head sees no positions, which suits classes, but no boxes.

    Example:
        >>> VectorHead(2, in_channels=512, out_features=4, pooled_size=8)(torch.rand(2, 512, 7, 9)).shape
        torch.Size([2, 4])

    """

    def __init__(self, spatial_dims: int, in_channels: int, out_features: int, pooled_size: int) -> None:
        super().__init__()
        self.pool = Pool[Pool.ADAPTIVEAVG, spatial_dims](pooled_size)
        self.linear = nn.Linear(in_channels * pooled_size**spatial_dims, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Predict (B, out_features) from a map (B, in_channels, *spatial)."""
        y: Tensor = self.linear(self.pool(x).flatten(1))
        return y


class TrunkHeads(nn.Module):
    """Light heads on a trunk's coarse features, for all tasks of a network.

    A 1x1 convolution and linear interpolation per dense task; global average and a linear layer per vector task.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the trunk's features.
        out_channels: number of channels of each dense task.
        out_features: length of each vector task's prediction.
        degridding: what the features of all dense tasks go through first; None for nothing.
        degridding_features: number of channels that it returns.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        out_features: Mapping[str, int],
        degridding: nn.Module | None = None,
        degridding_features: int | None = None,
    ) -> None:
        super().__init__()
        self.degridding = nn.Identity() if degridding is None else degridding
        dense_channels = in_channels if degridding_features is None else degridding_features
        self.dense = nn.ModuleDict(
            {task: dense_head(spatial_dims, dense_channels, channels) for task, channels in out_channels.items()}
        )
        self.vectors = nn.ModuleDict(
            {
                task: VectorHead(spatial_dims, in_channels, length, pooled_size=1)
                for task, length in out_features.items()
            }
        )
        self.interpolate = InterpolateTo(spatial_dims)

    def keep_only(self, tasks: Collection[str]) -> None:
        """Remove the heads of all tasks but the given ones, and degridding where no dense task is left."""
        keep_tasks(self.dense, tasks)
        keep_tasks(self.vectors, tasks)
        if not self.dense:
            self.degridding = nn.Identity()

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
