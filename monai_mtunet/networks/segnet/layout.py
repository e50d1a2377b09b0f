"""The layout of a SegNet: from it come the encoders, decoders and heads of the whole family of networks."""

from collections.abc import Sequence
from typing import Any, TypedDict

from torch import nn

from ..blocks.heads import DENSE_HEADS, VectorHead, dense_head
from ..blocks.pooling import Strides, strides_per_level
from .levels import ORDERS, SegNetEncoderLevel, SegNetLevel

WIDTH_CHANGES = ("first", "last")
VGG16_FEATURES = (64, 128, 256, 512, 512)
VGG16_CONVOLUTIONS = (2, 2, 3, 3, 3)


class LayoutArguments(TypedDict, total=False):
    """Keyword arguments that the networks of the family hand on to :class:`SegNetLayout`, which explains them."""

    features: Sequence[int]
    convolutions: Sequence[int]
    strides: Strides
    width_change: str
    order: str
    head: str
    pooled_size: int
    act: str | tuple[str, dict[str, Any]]
    norm: str | tuple[str, dict[str, Any]] | None


class SegNetLayout:
    """Channels, convolutions and poolings of each level, and what builds encoders, decoders and heads of them.

    The decoder mirrors the encoder: level l takes `features[l]` channels, unpooled, and hands on `features[l - 1]`
    (`features[0]` at the finest level), by as many convolutions as the encoder has there. The defaults are MTAN's
    "standard" network; "wide" has ``features=(64, 128, 256, 512, 1024)``, "deep" has
    ``convolutions=(4, 4, 6, 6, 6)``. VGG-16 mirrored, as in "Enhancing Multi-Task Learning for Image Segmentation using
    soft-attention blocks and self-supervised auxiliary tasks", has ``width_change="last"``, ``order="norm_conv_act"``
    and ``head="3x3"``.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        features: number of channels of each level, finest first.
        convolutions: number of convolutions of each level, finest first.
        strides: pooling stride: one int for all, or one entry per level, an int or one int per axis, as
            ``((2, 2, 1), 2, 2, 2, 2)`` for volumes with thick slices.
        width_change: which of a decoder level's convolutions changes the number of channels: ``"first"``, as in MTAN's
            code, or ``"last"``, as in the original SegNet.
        order: ``"conv_norm_act"``, in which VGG-16 was trained, or ``"norm_conv_act"``, whose normalization acts on
            each convolution's input.
        head: the convolutions of a dense head: ``"3x3_1x1"``, ``"1x1"``, or ``"3x3"``, which stands for the decoder's
            last one.
        pooled_size: voxels per axis of the grid that a vector task's features are averaged to; 8 takes the whole
            output of the encoder for a 256x256 image.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    Raises:
        ValueError: When an argument is out of its range.

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        features: Sequence[int] = VGG16_FEATURES,
        convolutions: Sequence[int] = VGG16_CONVOLUTIONS,
        strides: Strides = 2,
        width_change: str = "first",
        order: str = "conv_norm_act",
        head: str = "3x3_1x1",
        pooled_size: int = 8,
        act: str | tuple[str, dict[str, Any]] = ("RELU", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] | None = "BATCH",
    ) -> None:
        for name, value, choices in (
            ("width_change", width_change, WIDTH_CHANGES),
            ("order", order, ORDERS),
            ("head", head, DENSE_HEADS),
        ):
            if value not in choices:
                raise ValueError(f"{name} must be one of {choices}, got {value!r}.")
        _check_levels(in_channels, features, convolutions, head)
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.features = tuple(features)
        self.convolutions = tuple(convolutions)
        self.strides = strides_per_level(strides, len(features), spatial_dims)
        self.width_change = width_change
        self.order = order
        self.head = head
        self.pooled_size = pooled_size
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
        """Widths of the decoder's convolutions, level by level, coarsest first, without one that the head replaces."""
        widths = []
        for channels, handed_on, number in zip(self.features, self.decoded_features, self.convolutions, strict=True):
            kept = handed_on if self.width_change == "first" else channels
            widths.append([kept] * (number - 1) + [handed_on])
        if self.head == "3x3":
            widths[0].pop()
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

    def dense_head(self, out_channels: int) -> nn.Module:
        """Head of a dense task: (B, features[0], *spatial) to (B, out_channels, *spatial)."""
        norm = self.norm if self.order == "norm_conv_act" else None
        return dense_head(self.spatial_dims, self.features[0], out_channels, self.head, norm)

    def vector_head(self, out_features: int) -> VectorHead:
        """Head of a task with one vector per image: (B, features[-1], *smallest) to (B, out_features)."""
        return VectorHead(self.spatial_dims, self.features[-1], out_features, self.pooled_size)


def _check_levels(in_channels: int, features: Sequence[int], convolutions: Sequence[int], head: str) -> None:
    if not features or min(in_channels, *features) < 1:
        raise ValueError(f"in_channels and features must be positive, got {in_channels} and {tuple(features)}.")
    if len(convolutions) != len(features) or min(convolutions) < 1:
        raise ValueError(
            f"convolutions must be one positive int for each of the {len(features)} features, got "
            f"{tuple(convolutions)}."
        )
    if head == "3x3" and convolutions[0] < 2:
        raise ValueError(
            "head '3x3' takes the place of the decoder's last convolution, so the finest level needs two or more, "
            f"got convolutions={tuple(convolutions)}."
        )
