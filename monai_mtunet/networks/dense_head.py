"""Heads that predict a map from a decoder's finest output."""

from monai.networks.layers.factories import Conv
from monai.networks.layers.utils import get_norm_layer
from torch import nn

from .segnet_layout import SegNetLayout

DENSE_HEADS = ("3x3_1x1", "1x1", "3x3")


def dense_head(kind: str, layout: SegNetLayout, out_channels: int) -> nn.Module:
    """Convolutions to a task's channels, without activation after them.

    Args:
        kind: the convolutions.

            - ``"3x3_1x1"``: a 3x3 and a 1x1 convolution, nothing between (code of MTAN).
            - ``"1x1"``: a 1x1 convolution.
            - ``"3x3"``: a 3x3 convolution, normalized as the layout's are if the norm comes first. It is the decoder's
              last convolution, of which the decoder has one less (SegNet as VGG-16 mirrored).
        layout: the layout of the network.
        out_channels: number of channels of the task.

    Returns:
        A module that maps (B, layout.features[0], *spatial) to (B, out_channels, *spatial).

    """
    convolution: type[nn.Conv2d | nn.Conv3d] = Conv[Conv.CONV, layout.spatial_dims]
    channels = layout.features[0]
    if kind == "1x1":
        return convolution(channels, out_channels, kernel_size=1)
    if kind == "3x3_1x1":
        return nn.Sequential(
            convolution(channels, channels, kernel_size=3, padding=1), convolution(channels, out_channels, 1)
        )
    last = convolution(channels, out_channels, kernel_size=3, padding=1)
    if layout.order == "norm_conv_act" and layout.norm is not None:
        return nn.Sequential(get_norm_layer(layout.norm, layout.spatial_dims, channels), last)
    return last


def widths_before_heads(kind: str, layout: SegNetLayout) -> list[list[int]]:
    """Widths of the decoder's convolutions, coarsest level first, without the one that a head of this kind replaces.

    Raises:
        ValueError: When there is no such kind of head, or the finest level has no convolution left.

    """
    if kind not in DENSE_HEADS:
        raise ValueError(f"head must be one of {DENSE_HEADS}, got {kind!r}.")
    widths = layout.decoder_widths()
    if kind == "3x3":
        if len(widths[-1]) < 2:
            raise ValueError(
                "head '3x3' takes the place of the decoder's last convolution, so the finest level needs two or more, "
                f"got convolutions={layout.convolutions}."
            )
        widths[-1].pop()
    return widths
