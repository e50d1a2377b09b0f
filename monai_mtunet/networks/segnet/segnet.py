"""SegNet (Badrinarayanan et al. 2017) for several tasks by hard sharing, as the split networks of MTAN (Liu 2019)."""

from collections.abc import Mapping

from torch import Tensor, nn
from typing_extensions import Unpack

from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..multi_task_network import MultiTaskNetwork
from .decoder import SegNetDecoder
from .layout import LayoutArguments, SegNetLayout


class SegNet(MultiTaskNetwork):
    """Encoder and decoder in VGG-16's layout, whose unpooling puts maxima back where pooling took them from.

    All dense tasks share everything but their heads ("split" in MTAN's tables, hard sharing); tasks with one vector per
    image have their heads on the encoder's pooled output. Without dense tasks there is no decoder. For pretrained
    weights see :func:`~monai_mtunet.pretrained.load_vgg16`.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction; may be empty if there are `out_features`.
        out_features: number of features of each task with one vector per image, as classes or a box.
        arguments: of :class:`SegNetLayout`, which explains them: features, convolutions, strides, width_change, order,
            head, pooled_size, act, norm.

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
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        **arguments: Unpack[LayoutArguments],
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, out_features)
        layout = SegNetLayout(spatial_dims, in_channels, **arguments)
        self.encoder = nn.ModuleList(layout.encoder_levels())
        widths = layout.decoder_widths()
        self.decoder = SegNetDecoder(layout.decoder_levels(widths)) if self.out_channels else None
        self.heads = nn.ModuleDict({task: layout.dense_head(c) for task, c in self.out_channels.items()})
        self.vector_heads = nn.ModuleDict({task: layout.vector_head(n) for task, n in self.out_features.items()})

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

    def _keep(self, tasks: list[str]) -> None:
        keep_tasks(self.heads, tasks)
        keep_tasks(self.vector_heads, tasks)
        if not self.heads:
            self.decoder = None
