"""Heads that predict one vector per image, as a class or a box."""

from monai.networks.layers.factories import Pool
from torch import Tensor, nn


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
