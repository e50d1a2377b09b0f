"""The layout of a SegNet: from it come the encoders and decoders of the whole family of networks."""

from collections.abc import Sequence
from typing import Any

from .per_axis_pooling import Strides, strides_per_level
from .segnet_levels import ORDERS, SegNetEncoderLevel, SegNetLevel

WIDTH_CHANGES = ("first", "last")
VGG16_FEATURES = (64, 128, 256, 512, 512)
VGG16_CONVOLUTIONS = (2, 2, 3, 3, 3)


class SegNetLayout:
    """Channels, convolutions and poolings of each level, and what builds encoders and decoders of them.

    The decoder mirrors the encoder: level l takes `features[l]` channels, unpooled, and hands on `features[l - 1]`
    (`features[0]` at the finest level), by as many convolutions as the encoder has there.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        features: number of channels of each level, finest first.
        convolutions: number of convolutions of each level.
        strides: pooling stride: one int for all, or one entry per level, an int or one int per axis.
        width_change: which of a decoder level's convolutions changes the number of channels, ``"first"`` or ``"last"``.
        order: ``"conv_norm_act"`` or ``"norm_conv_act"``.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    Raises:
        ValueError: When an argument is out of its range.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        features: Sequence[int],
        convolutions: Sequence[int],
        strides: Strides,
        width_change: str,
        order: str,
        act: str | tuple[str, dict[str, Any]],
        norm: str | tuple[str, dict[str, Any]] | None,
    ) -> None:
        if spatial_dims not in (2, 3):
            raise ValueError(f"spatial_dims must be 2 or 3, got {spatial_dims}.")
        if width_change not in WIDTH_CHANGES:
            raise ValueError(f"width_change must be one of {WIDTH_CHANGES}, got {width_change!r}.")
        if order not in ORDERS:
            raise ValueError(f"order must be one of {ORDERS}, got {order!r}.")
        if not features or min(in_channels, *features) < 1:
            raise ValueError(f"in_channels and features must be positive, got {in_channels} and {tuple(features)}.")
        if len(convolutions) != len(features) or min(convolutions) < 1:
            raise ValueError(
                f"convolutions must be one positive int for each of the {len(features)} features, got "
                f"{tuple(convolutions)}."
            )
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.features = tuple(features)
        self.convolutions = tuple(convolutions)
        self.strides = strides_per_level(strides, len(features), spatial_dims)
        self.width_change = width_change
        self.order = order
        self.act = act
        self.norm = norm

    @property
    def decoded_features(self) -> tuple[int, ...]:
        """Number of channels that each level of the decoder hands on, finest first."""
        return (self.features[0], *self.features[:-1])

    @property
    def attended_features(self) -> tuple[int, ...]:
        """Number of channels that MTAN's attention hands on from each level of the encoder, finest first."""
        return (*self.features[1:], self.features[-1])

    def level(self, in_channels: Sequence[int], widths: Sequence[int]) -> SegNetLevel:
        """Convolutions to the given widths, the first of them on the concatenation of maps of `in_channels`."""
        return SegNetLevel(self.spatial_dims, in_channels, widths, self.order, self.act, self.norm)

    def encoder_levels(self, received: int = 1) -> list[SegNetEncoderLevel]:
        """Levels of an encoder, finest first, all but the first of which take `received` maps each."""
        in_channels = [[self.in_channels]] + [[channels] * received for channels in self.features[:-1]]
        return [
            SegNetEncoderLevel(self.level(inputs, [channels] * number), stride)
            for inputs, channels, number, stride in zip(
                in_channels, self.features, self.convolutions, self.strides, strict=True
            )
        ]

    def decoder_widths(self) -> list[list[int]]:
        """Widths of the decoder's convolutions, level by level, coarsest first."""
        widths = []
        for channels, handed_on, number in zip(self.features, self.decoded_features, self.convolutions, strict=True):
            kept = handed_on if self.width_change == "first" else channels
            widths.append([kept] * (number - 1) + [handed_on])
        return widths[::-1]

    def decoder_levels(self, widths: Sequence[Sequence[int]], received: int = 1, coarser: int = 0) -> list[SegNetLevel]:
        """Levels of a decoder, coarsest first, which take `received` maps each.

        Args:
            widths: widths of each level's convolutions, as of :meth:`decoder_widths` or a part of it.
            received: number of maps that each level's first convolution takes.
            coarser: number of coarser levels, which these come after.

        Returns:
            A level for each entry of `widths`.

        """
        in_channels = self.features[::-1][coarser : coarser + len(widths)]
        return [self.level([c] * received, level) for c, level in zip(in_channels, widths, strict=True)]
