"""What of a checkpoint fits a network, and what becomes of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import groupby

import torch
from torch import Tensor, nn

from ..networks.blocks.concat_convolution import ConcatConvolution

__all__ = ["FittingWeights", "fitting_weights"]


@dataclass(frozen=True)
class FittingWeights:
    """What of a checkpoint fits a network.

    Args:
        taken: the values that the network's tensors take, by name.
        adapted: those of them that are not the checkpoint's as they are, with what was done.
        kept: names of the network's tensors that keep their values, with the reason.
    """

    taken: dict[str, Tensor] = field(default_factory=dict)
    adapted: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


def fitting_weights(network: nn.Module, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> FittingWeights:
    """Find the values for a network's tensors in a checkpoint, by name and shape.

    What belongs together stays together: a layer with a tensor of another shape keeps all of its tensors, as a head
    of other classes does. The one exception is a convolution that reads the image; it is adapted to the image's
    channels (see :func:`for_channels`).

    Args:
        network: has ``in_channels``, if its first convolutions shall be adapted.
        given: the checkpoint's tensors, in the network's names.
        wanted: the network's tensors that look for values.
    """
    fit = FittingWeights()
    known, reading = _that_read_the_image(network, given, wanted)
    for _, layer in groupby(wanted, key=lambda name: name.rpartition(".")[0]):
        names = list(layer)
        other = [name for name in names if _fits(name, given, wanted) is False and name not in reading]
        for name in names:
            if other:
                what = other[0].rpartition(".")[2]
                fit.kept[name] = f"{what} is {_shape(given[other[0]])} in it, {_shape(wanted[other[0]])} here"
            elif name not in given:
                fit.kept[name] = "not in it"
            elif name in reading:
                channels = known + wanted[name].shape[1] - given[name].shape[1]
                fit.taken[name] = for_channels(given[name], known, channels)
                fit.adapted[name] = _what_was_done(known, channels)
            else:
                fit.taken[name] = given[name]
    return fit


def for_channels(weight: Tensor, known: int, channels: int) -> Tensor:
    """A convolution's kernels for an image of other channels.

    Known channels keep their kernels, and each new channel takes their mean. With fewer channels all take the mean.
    These kernels are then scaled by known / channels, so that an image of equal channels has the response that it had.

    Args:
        weight: kernels, (out, known + others, *kernel): the image's come first, those of other maps stay as they are.
        known: the image's channels that it has kernels for.
        channels: the image's channels that kernels are wanted for.

    Returns:
        Kernels, (out, channels + others, *kernel).
    """
    image, others = weight[:, :known], weight[:, known:]
    mean = image.mean(1, keepdim=True)
    kernels = [image] if channels >= known else []
    kernels += [mean] * (channels - known * len(kernels))
    return torch.cat([torch.cat(kernels, 1) * (known / channels), others], 1)


def _that_read_the_image(
    network: nn.Module, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]
) -> tuple[int, set[str]]:
    """The checkpoint's number of image channels, and the convolutions that read an image of another number here.

    The network's first convolution tells both numbers. Others with the same two read the image as well, and so do
    those of several maps where the image is the first.
    """
    kernels = [name for name, tensor in network.state_dict().items() if tensor.dim() > 2]
    first = kernels[0] if kernels else ""
    if _fits(first, given, wanted) is not False or wanted[first].shape[1] != getattr(network, "in_channels", 0):
        return 0, set()
    known, channels = given[first].shape[1], wanted[first].shape[1]
    modules = dict(network.named_modules())

    def reads(name: str) -> bool:
        if _fits(name, given, wanted) is not False or _without_channels(given[name]) != _without_channels(wanted[name]):
            return False
        others = wanted[name].shape[1] - channels
        convolution = modules.get(name.removesuffix(".conv.weight"))
        image_first = isinstance(convolution, ConcatConvolution) and convolution.in_channels[0] == channels
        return given[name].shape[1] - known == others and (others == 0 or image_first)

    return known, {name for name in kernels if reads(name)}


def _what_was_done(known: int, channels: int) -> str:
    what = "each new one takes the mean of the known" if channels > known else "each takes the mean of all"
    return f"{known} channels in it, {channels} here: {what}, all times {known}/{channels}"


def _fits(name: str, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool | None:
    """Whether a tensor has the same shape on both sides; None where one has it not."""
    return given[name].shape == wanted[name].shape if name in given and name in wanted else None


def _without_channels(kernels: Tensor) -> tuple[int, ...]:
    return (*kernels.shape[:1], *kernels.shape[2:])


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
