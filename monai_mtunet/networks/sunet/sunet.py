"""Stacked U-Nets (Shah et al., "Stacked U-Nets: A No-Frills Approach to Natural Image Segmentation")."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..blocks.heads import TrunkHeads
from ..blocks.input_check import check_input
from ..blocks.pooling import Strides, strides_per_level
from ..multi_task_network import MultiTaskNetwork
from .degridding import DegriddingFilters
from .pre_activation import Layer
from .trunk import BLOCKS, SUNetTrunk

# Blocks that are dilated at each output stride (Section 5.1).
DILATED_BLOCKS = {32: 0, 16: 1, 8: 2}


class SUNet(MultiTaskNetwork):
    """Small U-Nets, stacked: classifier, multi-task dense network, or both at once.

    A trunk, `network.trunk`, reduces the image 32 times and keeps its size from module to module in between; light
    heads, `network.heads`, predict from its last features. Trained as a classifier, the trunk is then loaded into a
    dense network of a smaller output stride: names and shapes of its weights are the same.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction: a 1x1 convolution, interpolated linearly.
        out_features: length of each prediction that is one vector per image, as logits of classes: global average
            pooling and a linear layer. It comes after the dense tasks.
        features: number of channels of each of the four blocks.
        modules: number of U-Net modules of each block; those of the last have one level instead of two (U-Net+).
        module_features: number of channels inside the modules, N in the paper.
        stem_features: number of channels of the stem and of the residual block after it.
        output_stride: how many times the features are smaller than the image: 32, 16 or 8. With 16 the last block is
            dilated instead of reduced, with 8 the last two.
        multigrid: in dilated blocks, whether the strides inside the modules become dilations as well (Section 5.2). If
            not, they stay, and all 3x3 convolutions of a block have its dilation (our reading of Table 4's "strided").
        degridding_features: number of channels of the de-gridding filters before the dense heads, 512 in Section 5.3;
            None for no filters.
        strides: strides of the stem, the residual block, and the pools before blocks 2, 3 and 4: one int for all, or
            one entry for each, an int or one int per axis. `output_stride` is meant for strides of 2: on an axis with
            smaller ones the features are finer.
        module_strides: stride inside the modules: one int for all, or one entry per block, an int or one int per axis.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words. For segmentation the paper has
            ``("batch", {"momentum": 0.01})``.
        use_checkpoint: compute each U-Net module again in the backward pass instead of keeping its activations: less
            memory, more time, the same results and running statistics.

    Attributes:
        out_channels: number of channels of each dense task.
        out_features: length of each vector task's prediction.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> classifier = sunet_64(spatial_dims=2, in_channels=3, out_features={"classify": 1000})
        >>> network = sunet_64(spatial_dims=2, in_channels=3, out_channels={"segment": 21}, output_stride=16)
        >>> network.trunk.load_state_dict(classifier.trunk.state_dict())
        <All keys matched successfully>
        >>> network(torch.rand(1, 3, 90, 65))["segment"].shape
        torch.Size([1, 21, 90, 65])

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        features: Sequence[int] = (256, 512, 768, 1024),
        modules: Sequence[int] = (2, 4, 4, 1),
        module_features: int = 64,
        stem_features: Sequence[int] = (64, 128),
        output_stride: int = 32,
        multigrid: bool = True,
        degridding_features: int | None = None,
        strides: Strides = 2,
        module_strides: Strides = 2,
        act: Layer = ("RELU", {"inplace": True}),
        norm: Layer = "BATCH",
        use_checkpoint: bool = False,
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, out_features)
        if output_stride not in DILATED_BLOCKS:
            raise ValueError(f"output_stride must be one of {tuple(DILATED_BLOCKS)}, got {output_stride!r}.")
        for name, values, entries in (
            ("features", features, BLOCKS),
            ("modules", modules, BLOCKS),
            ("stem_features", stem_features, 2),
            ("in_channels", [in_channels], 1),
            ("module_features", [module_features], 1),
        ):
            _check_positive(name, values, entries)
        if degridding_features is not None:
            _check_positive("degridding_features", [degridding_features], 1)
            if not self.out_channels:
                raise ValueError("degridding_features are for dense tasks, but out_channels has none.")
        if norm is None:
            raise ValueError("SUNet is pre-activated: norm cannot be None.")
        self.trunk = SUNetTrunk(
            spatial_dims,
            in_channels,
            stem_features,
            features,
            modules,
            module_features,
            strides_per_level(strides, BLOCKS + 1, spatial_dims),
            strides_per_level(module_strides, BLOCKS, spatial_dims),
            DILATED_BLOCKS[output_stride],
            multigrid,
            act,
            norm,
            use_checkpoint,
        )
        degridding = (
            None
            if degridding_features is None
            else DegriddingFilters(spatial_dims, features[-1], degridding_features, act, norm)
        )
        self.heads = TrunkHeads(
            spatial_dims, features[-1], self.out_channels, self.out_features, degridding, degridding_features
        )
        # Not the heads' last layers: no activation follows them, and by fan-out their few outputs would start with
        # logits of a standard deviation of 4 to 10, from which small networks recover slowly.
        self.trunk.apply(_initialize)
        self.heads.degridding.apply(_initialize)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw logits of each dense task, (B, out_channels[task], *spatial), in the order of `out_channels`, then
            of each vector task, (B, out_features[task]), in the order of `out_features`.

        """
        check_input(x, "SUNet", self.spatial_dims, self.in_channels)
        predictions: dict[str, Tensor] = self.heads(self.trunk(x), x.shape[2:])
        return predictions

    def _keep(self, tasks: list[str]) -> None:
        self.heads.keep_only(tasks)


def sunet_64(
    spatial_dims: int,
    in_channels: int,
    out_channels: Mapping[str, int] | None = None,
    out_features: Mapping[str, int] | None = None,
    **arguments: Any,
) -> SUNet:
    """SUNet-64 of the paper's Table 1. The arguments are those of `SUNet`."""
    return SUNet(spatial_dims, in_channels, out_channels, out_features, **arguments)


def sunet_128(
    spatial_dims: int,
    in_channels: int,
    out_channels: Mapping[str, int] | None = None,
    out_features: Mapping[str, int] | None = None,
    **arguments: Any,
) -> SUNet:
    """SUNet-128 of the paper's Table 1. The arguments are those of `SUNet`."""
    layout = {"features": (512, 1024, 1536, 2048), "module_features": 128}
    return SUNet(spatial_dims, in_channels, out_channels, out_features, **{**layout, **arguments})


def sunet_7_128(
    spatial_dims: int,
    in_channels: int,
    out_channels: Mapping[str, int] | None = None,
    out_features: Mapping[str, int] | None = None,
    **arguments: Any,
) -> SUNet:
    """SUNet-7-128 as the authors published it, with 2048 channels in block 3. The arguments are those of `SUNet`.

    The paper's number of parameters is that of 1792 channels there, ``features=(512, 1280, 1792, 2304)``; its Table 1
    prints the features of SUNet-128, ``(512, 1024, 1536, 2048)``, which contradict that number.
    """
    layout = {"features": (512, 1280, 2048, 2304), "modules": (2, 7, 7, 1), "module_features": 128}
    return SUNet(spatial_dims, in_channels, out_channels, out_features, **{**layout, **arguments})


def _check_positive(name: str, values: Sequence[int], entries: int) -> None:
    if len(values) != entries or any(not isinstance(value, int) or value < 1 for value in values):
        expected = "a positive int" if entries == 1 else f"{entries} positive ints"
        raise ValueError(f"{name} must be {expected}, got {tuple(values) if entries > 1 else values[0]!r}.")


def _initialize(module: nn.Module) -> None:
    """Kaiming normal by fan-out, as the authors have it; biases start at 0."""
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
