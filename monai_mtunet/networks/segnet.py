"""SegNet (Badrinarayanan et al. 2017) for several tasks by hard sharing, as the split networks of MTAN (Liu 2019)."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .dense_head import dense_head, widths_before_heads
from .input_check import check_input
from .per_axis_pooling import Strides
from .segnet_decoder import SegNetDecoder
from .segnet_layout import VGG16_CONVOLUTIONS, VGG16_FEATURES, SegNetLayout
from .task_channels import check_tasks
from .vector_head import VectorHead


class SegNet(nn.Module):
    """Encoder and decoder in VGG-16's layout, whose unpooling puts maxima back where pooling took them from.

    All dense tasks share everything but their heads ("split" in MTAN's tables, hard sharing); tasks with one vector per
    image have their heads on the encoder's pooled output. Without dense tasks there is no decoder. MTAN's "standard"
    network is the default, "wide" has ``features=(64, 128, 256, 512, 1024)``, "deep" has
    ``convolutions=(4, 4, 6, 6, 6)``. VGG-16 mirrored, as in "Enhancing Multi-Task Learning for Image Segmentation using
    soft-attention blocks and self-supervised auxiliary tasks", has ``width_change="last"``, ``order="norm_conv_act"``
    and ``head="3x3"``; for pretrained weights see :func:`~monai_mtunet.engines.load_vgg16`.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction; may be empty if there are `out_features`.
        out_features: number of features of each task with one vector per image, as classes or a box.
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
        pooled_size: voxels per axis of the grid that the encoder's output is averaged to for vector tasks; 8 takes
            the whole output of a 256x256 image.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.

    Attributes:
        encoder: the encoder's levels, finest first.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = SegNet(2, 3, out_channels={"segment": 2}, out_features={"species": 2, "box": 4})
        >>> {task: prediction.shape for task, prediction in network(torch.rand(2, 3, 65, 97)).items()}
        {'segment': torch.Size([2, 2, 65, 97]), 'species': torch.Size([2, 2]), 'box': torch.Size([2, 4])}

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        out_features: Mapping[str, int] | None = None,
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
        super().__init__()
        layout = SegNetLayout(
            spatial_dims, in_channels, features, convolutions, strides, width_change, order, act, norm
        )
        self.spatial_dims = spatial_dims
        self.in_channels = in_channels
        self.out_channels, self.out_features = check_tasks(out_channels, out_features)
        self.encoder = nn.ModuleList(layout.encoder_levels())
        widths = widths_before_heads(head, layout)
        self.decoder = SegNetDecoder(layout.decoder_levels(widths)) if self.out_channels else None
        self.heads = nn.ModuleDict({task: dense_head(head, layout, c) for task, c in self.out_channels.items()})
        self.vector_heads = nn.ModuleDict(
            {task: VectorHead(spatial_dims, features[-1], n, pooled_size) for task, n in self.out_features.items()}
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw prediction of each task, in the order of `out_channels` and then `out_features`: dense ones
            (B, out_channels[task], *spatial), vectors (B, out_features[task]).

        """
        check_input(x, "SegNet", self.spatial_dims, self.in_channels)
        indices: list[Tensor] = []
        sizes: list[list[int]] = []
        for level in self.encoder:
            encoded = level([x])
            sizes.append(list(x.shape[2:]))
            indices.append(encoded.indices)
            x = encoded.pooled
        predictions: dict[str, Tensor] = {}
        if self.decoder is not None:
            decoded = self.decoder(x, indices, sizes)
            for task, head in self.heads.items():
                predictions[task] = head(decoded)
        for task, head in self.vector_heads.items():
            predictions[task] = head(x)
        return predictions
