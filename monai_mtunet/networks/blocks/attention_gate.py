"""Soft attention: a learned mask between 0 and 1 on a map of features."""

from typing import Any

from monai.networks.blocks.convolutions import Convolution
from torch import Tensor, nn


class AttentionGate(nn.Module):
    """A map multiplied by a mask that two convolutions make of another map.

    The convolutions are followed by normalization and activation, and by normalization and sigmoid (MTAN, Liu 2019;
    MT-UNet, "Architecture Design and Protocols"). The mask is the output of the module `mask`, so that a forward hook
    can read it; what draws masks finds the gates of a network by this class.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the map that the mask is made of.
        channels: number of channels of the masked map, and between the convolutions.
        kernel_size: of both convolutions, odd.
        act: activation type and arguments after the first convolution, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    Example:
        >>> gate = AttentionGate(2, in_channels=16, channels=8)
        >>> gate(torch.rand(2, 16, 32, 32), torch.rand(2, 8, 32, 32)).shape
        torch.Size([2, 8, 32, 32])

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        channels: int,
        kernel_size: int = 3,
        act: str | tuple[str, dict[str, Any]] = ("RELU", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] | None = "BATCH",
    ) -> None:
        super().__init__()
        settings: dict[str, Any] = {"kernel_size": kernel_size, "adn_ordering": "NA", "norm": norm}
        self.mask = nn.Sequential(
            Convolution(spatial_dims, in_channels, channels, act=act, **settings),
            Convolution(spatial_dims, channels, channels, act="SIGMOID", **settings),
        )

    def forward(self, source: Tensor, features: Tensor) -> Tensor:
        """Gate a map.

        Args:
            source: the map that the mask is made of, (B, in_channels, *spatial).
            features: the map to mask, (B, channels, *spatial).

        Returns:
            ``mask(source) * features``, (B, channels, *spatial).

        """
        mask: Tensor = self.mask(source)
        return mask * features
