"""VGG-16's weights in the encoders of SegNet's family."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..networks.blocks.concat_convolution import ConcatConvolution
from ..networks.segnet.layout import VGG16_CONVOLUTIONS
from ..networks.segnet.levels import SegNetEncoderLevel, SegNetLevel

OTHER_CHANNELS = ("average", "skip")
CONVOLUTION = re.compile(r"features\.(\d+)\.weight")


@dataclass(frozen=True)
class CopiedVGG16:
    """What of VGG-16 went where.

    Args:
        loaded: names of the modules that took VGG-16's values, as they are or inflated.
        adapted: names of the modules that took other values for its sake, with what they took.
        kept: names of the encoder's modules that keep their values, with the reason.

    """

    loaded: list[str] = field(default_factory=list)
    adapted: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


def copy_vgg16(
    network: nn.Module, state: Mapping[str, Tensor], other_channels: str = "average", depth_axis: int = -1
) -> CopiedVGG16:
    """Copy VGG-16's convolutions, and its batch normalizations if it has them, into a network's encoders.

    Level by level, as many convolutions as both have. Where the state has no normalization (plain VGG-16), the
    network's batch normalizations of the copied convolutions are set to hand on what they receive in eval mode, so that
    the encoder computes what VGG-16 does. With ``order="norm_conv_act"`` normalizations act on other channels than
    VGG-16's and are left alone.

    Args:
        network: `SegNet`, `MTAN`, `STAN`, `MultiTaskHourglass`, `CrossStitchSegNet` (all its encoders) or
            `DenseSegNet` (its shared encoder); changed in place.
        state: state dict of VGG-16 with or without batch normalization, in the format of torchvision and timm: tensors
            named ``features.<number>.<weight, bias, ...>``.
        other_channels: what the first convolution does if the image has not three channels: ``"average"``: every
            channel takes the mean over red, green and blue, times 3 / channels, so that an image of equal channels
            has the response of the gray RGB image; ``"skip"``: it keeps its values.
        depth_axis: for 3D networks, which spatial axis of (X, Y, Z) the kernels are repeated along, divided by their
            number, so that a volume that is constant along this axis has the responses of its slices.

    Returns:
        What went where.

    Raises:
        ValueError: When an argument is out of its range, the state is not VGG-16's, or nothing of it fits the network.

    """
    if other_channels not in OTHER_CHANNELS:
        raise ValueError(f"other_channels must be one of {OTHER_CHANNELS}, got {other_channels!r}.")
    if depth_axis not in range(-3, 3):
        raise ValueError(f"depth_axis must be one of the 3 spatial axes, got {depth_axis}.")
    levels = _levels_of_vgg16(state)
    copy = _Copy(network, state, other_channels == "average", depth_axis)
    for encoder in _encoders(network):
        for level, numbers in zip(encoder, levels, strict=False):
            copy.to_level(level.level, numbers)
    if not copy.done.loaded:
        raise ValueError(
            f"No convolution of VGG-16 fits the encoder of {type(network).__name__}: build it with VGG-16's features, "
            "(64, 128, 256, 512, 512), which are the default."
        )
    return copy.done


def _levels_of_vgg16(state: Mapping[str, Tensor]) -> list[list[int]]:
    """Numbers of VGG-16's convolutions, level by level."""
    numbers = sorted(int(m[1]) for key in state if (m := CONVOLUTION.fullmatch(key)) and state[key].dim() == 4)
    if len(numbers) != sum(VGG16_CONVOLUTIONS):
        raise ValueError(
            f"The state has {len(numbers)} convolutions named 'features.<number>.weight', where VGG-16 has 13; its "
            f"names are {list(state)[:4]}, ..."
        )
    levels, start = [], 0
    for number in VGG16_CONVOLUTIONS:
        levels.append(numbers[start : start + number])
        start += number
    return levels


def _encoders(network: nn.Module) -> Iterable[list[SegNetEncoderLevel]]:
    """The levels of a network's encoders."""
    stages = getattr(network, "encoder", None)
    if not isinstance(stages, nn.ModuleList):
        raise ValueError(f"{type(network).__name__} has no encoder of SegNet's levels to take VGG-16's weights.")
    by_level = [[level for level in stage.modules() if isinstance(level, SegNetEncoderLevel)] for stage in stages]
    return [list(encoder) for encoder in zip(*by_level, strict=True)]


class _Copy:
    """Copies parts of a state to a network's modules, and keeps the account."""

    def __init__(self, network: nn.Module, state: Mapping[str, Tensor], average: bool, depth_axis: int) -> None:
        self.names: dict[Any, str] = {module: name for name, module in network.named_modules()}
        self.state = state
        self.average = average
        self.depth_axis = depth_axis
        self.done = CopiedVGG16()

    @torch.no_grad()
    def to_level(self, level: SegNetLevel, numbers: Sequence[int]) -> None:
        """Copy VGG-16's layers of these numbers to a level's convolutions, in order."""
        convolutions: list[Any] = list(level.convolutions)
        for convolution, number in zip(convolutions, numbers, strict=False):
            if not self._to_convolution(convolution.conv, number):
                continue
            if isinstance(convolution, ConcatConvolution):
                self._to_normalization(convolution.adn, number + 1)
            else:
                self.done.kept[self.names[convolution.norm]] = "it comes before the convolution"
        for convolution in convolutions[len(numbers) :]:
            self.done.kept[self.names[convolution]] = "VGG-16 has fewer convolutions at this level"

    def _to_convolution(self, conv: Any, number: int) -> bool:
        """Copy a convolution, unless the numbers of channels differ."""
        name, weight = self.names[conv], self.state[f"features.{number}.weight"]
        channels, rgb = conv.weight.shape[1], weight.shape[1]
        averaged = number == 0 and channels != rgb and self.average
        if averaged:
            weight = weight.mean(1, keepdim=True).expand(-1, channels, -1, -1) * (rgb / channels)
        if weight.shape[:2] != conv.weight.shape[:2]:
            shapes = tuple(conv.weight.shape[:2]), tuple(weight.shape[:2])
            self.done.kept[name] = f"{shapes[0]} channels, VGG-16 has {shapes[1]}"
            return False
        if conv.weight.dim() == 5:
            kernel = weight.shape[-1]
            weight = torch.stack([weight / kernel] * kernel, 2 + self.depth_axis % 3)
        conv.weight.copy_(weight)
        conv.bias.copy_(self.state[f"features.{number}.bias"])
        if averaged:
            self.done.adapted[name] = f"the mean over RGB for each of {channels} channels"
        else:
            self.done.loaded.append(name)
        return True

    def _to_normalization(self, adn: nn.Module, number: int) -> None:
        """Copy a batch normalization, or make it the identity if the state has none; leave other kinds alone."""
        for norm in adn.children():
            if not isinstance(norm, _BatchNorm):
                continue
            if f"features.{number}.running_mean" in self.state:
                for key in ("weight", "bias", "running_mean", "running_var"):
                    getattr(norm, key).copy_(self.state[f"features.{number}.{key}"])
                self.done.loaded.append(self.names[norm])
            else:
                norm.reset_parameters()
                norm.get_buffer("running_var").fill_(1 - norm.eps)  # the root of variance + eps divides
                self.done.adapted[self.names[norm]] = "the identity"
