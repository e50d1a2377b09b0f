"""ResNets (He et al., CVPR 2016) as classifiers and dilated for dense tasks: SUNet's baselines (Tables 2 and 3)."""

from collections.abc import Mapping, Sequence

from monai.networks.nets.resnet import ResNet
from torch import Tensor, nn

from ..blocks.heads import TrunkHeads
from ..blocks.input_check import check_input
from ..multi_task_network import MultiTaskNetwork

# Which of the four layers of blocks are dilated at each output stride.
DILATED_LAYERS: dict[int, tuple[str, ...]] = {32: (), 16: ("layer4",), 8: ("layer3", "layer4")}


class DilatedResNet(MultiTaskNetwork):
    """MONAI's ResNet with one light head per task: classifier, multi-task dense network, or both at once.

    Its trunk, `network.trunk`, has the names and shapes of torchvision's ResNets without their linear layer ``fc``, at
    any output stride. A dilated layer computes what the strided one does, and the features in between: those at output
    stride 32 are every second one of those at 16. Heads are those of `SUNet`: a 1x1 convolution and linear
    interpolation, or global average pooling and a linear layer.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction.
        out_features: length of each prediction that is one vector per image, as logits of classes.
        layers: number of blocks of each of the four layers: (3, 4, 23, 3) is ResNet-101 and (3, 4, 6, 3) ResNet-50.
        features: number of channels of each layer's convolutions; bottlenecks end with four times as many.
        block: "bottleneck", or "basic" as in ResNet-18 (2, 2, 2, 2) and ResNet-34 (3, 4, 6, 3).
        output_stride: how many times the features are smaller than the image: 32, 16 or 8.

    Attributes:
        out_channels: number of channels of each dense task.
        out_features: length of each vector task's prediction.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> classifier = DilatedResNet(spatial_dims=2, in_channels=3, out_features={"classify": 1000})
        >>> network = DilatedResNet(spatial_dims=2, in_channels=3, out_channels={"segment": 21}, output_stride=16)
        >>> network.trunk.load_state_dict(classifier.trunk.state_dict())
        <All keys matched successfully>

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        layers: Sequence[int] = (3, 4, 23, 3),
        features: Sequence[int] = (64, 128, 256, 512),
        block: str = "bottleneck",
        output_stride: int = 32,
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, out_features)
        if output_stride not in DILATED_LAYERS:
            raise ValueError(f"output_stride must be one of {tuple(DILATED_LAYERS)}, got {output_stride!r}.")
        if block not in ("bottleneck", "basic"):
            raise ValueError(f'block must be "bottleneck" or "basic", got {block!r}.')
        for name, values in (("layers", layers), ("features", features)):
            if len(values) != 4 or min(values) < 1:
                raise ValueError(f"{name} must be 4 positive ints, one per layer, got {tuple(values)}.")
        resnet = ResNet(
            block,
            list(layers),
            list(features),
            spatial_dims,
            in_channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        # Its stages alone: what ends with global pooling has no features to predict maps from.
        stages = ("conv1", "bn1", "act", "maxpool", "layer1", "layer2", "layer3", "layer4")
        self.trunk = nn.Sequential()
        for stage in stages:
            self.trunk.add_module(stage, resnet.get_submodule(stage))
        for number, stage in enumerate(DILATED_LAYERS[output_stride]):
            _dilate(self.trunk.get_submodule(stage), before=2**number)
        channels = features[-1] * (4 if block == "bottleneck" else 1)
        self.heads = TrunkHeads(spatial_dims, channels, self.out_channels, self.out_features)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw logits of each dense task, (B, out_channels[task], *spatial), in the order of `out_channels`, then
            of each vector task, (B, out_features[task]), in the order of `out_features`.

        """
        check_input(x, "DilatedResNet", self.spatial_dims, self.in_channels)
        predictions: dict[str, Tensor] = self.heads(self.trunk(x), x.shape[2:])
        return predictions

    def _keep(self, tasks: list[str]) -> None:
        self.heads.keep_only(tasks)


def _dilate(layer: nn.Module, before: int) -> None:
    """Take a layer's stride of 2 away: convolutions after it are twice as far dilated as those before it."""
    dilation = before
    for module in layer.modules():
        if not isinstance(module, nn.Conv2d | nn.Conv3d):
            continue
        axes = len(module.kernel_size)
        wide, strided = module.kernel_size[0] > 1, module.stride[0] > 1
        module.stride = (1,) * axes
        if wide:
            module.dilation = module.padding = (dilation,) * axes
            dilation *= 2 if strided else 1
