"""One SegNet per task, connected by cross-stitch units (Misra et al. 2016; a baseline of MTAN, Liu et al. 2019)."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from torch import Tensor, nn
from typing_extensions import Unpack

from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..multi_task_network import MultiTaskNetwork
from .cross_stitch import CrossStitch, StitchedDecoderLevel, StitchedEncoderLevel
from .layout import LayoutArguments, SegNetLayout

Level = TypeVar("Level")


class CrossStitchSegNet(MultiTaskNetwork):
    """One SegNet per task, whose inputs of encoder levels 2, 3, ... and of all decoder levels mix the tasks' maps.

    Each task unpools the mixture with indices of its own. Tasks with one vector per image have an encoder and a head on
    its output, so they mix with the others in the encoder only.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each dense task's prediction; may be empty if there are `out_features`.
        out_features: number of features of each task with one vector per image, as classes or a box.
        sharing: weights of the units: ``"matrix"`` for one per receiver and source, or ``"scalar"`` for one per source
            (code of MTAN); see :class:`CrossStitch`.
        own_weight: weight of a task's own map at first, with ``"matrix"``.
        arguments: of :class:`SegNetLayout`, which explains them: features, convolutions, strides, width_change, order,
            head, pooled_size, act, norm.

    Attributes:
        encoder: levels of the encoders, finest first, each a level per task.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = CrossStitchSegNet(2, 3, out_channels={"segment": 7, "depth": 1}, features=(8, 16, 16),
        ...                             convolutions=(2, 2, 3))
        >>> {task: prediction.shape for task, prediction in network(torch.rand(2, 3, 65, 97)).items()}
        {'segment': torch.Size([2, 7, 65, 97]), 'depth': torch.Size([2, 1, 65, 97])}

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int] | None = None,
        out_features: Mapping[str, int] | None = None,
        sharing: str = "matrix",
        own_weight: float = 0.9,
        **arguments: Unpack[LayoutArguments],
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels, out_features)
        layout = SegNetLayout(spatial_dims, in_channels, **arguments)
        dense, tasks = list(self.out_channels), [*self.out_channels, *self.out_features]
        widths = layout.decoder_widths()
        self.trunks, self.dense_trunks = len(tasks), len(dense)  # the dense tasks' come first
        self.encoder = nn.ModuleList(
            StitchedEncoderLevel(levels, CrossStitch(len(tasks), sharing, own_weight) if finer else None)
            for finer, levels in enumerate(_by_level({task: layout.encoder_levels() for task in tasks}))
        )
        self.decoder = nn.ModuleList(
            StitchedDecoderLevel(levels, CrossStitch(len(dense), sharing, own_weight))
            for levels in _by_level({task: layout.decoder_levels(widths) for task in dense})
        )
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
        check_input(x, "CrossStitchSegNet", self.spatial_dims, self.in_channels)
        maps = [x] * self.trunks
        indices: list[list[Tensor]] = []  # of each level and task
        sizes: list[list[int]] = []
        for level in self.encoder:
            sizes.append(list(maps[0].shape[2:]))
            maps, level_indices = level(maps)
            indices.append(level_indices)
        vectors = maps[self.dense_trunks :]
        maps = maps[: self.dense_trunks]
        for coarser, level in enumerate(self.decoder):
            maps = level(maps, indices[-1 - coarser], sizes[-1 - coarser])
        predictions: dict[str, Tensor] = {}
        for i, (task, head) in enumerate(self.heads.items()):
            predictions[task] = head(maps[i])
        for i, (task, head) in enumerate(self.vector_heads.items()):
            predictions[task] = head(vectors[i])
        return predictions

    def _keep(self, tasks: list[str]) -> None:
        # All trunks mix, up to the last level of the encoder and of the decoder, which each task has for itself.
        encoder: list[Any] = list(self.encoder)
        decoder: list[Any] = list(self.decoder)
        dense = list(encoder[-1].levels)[: self.dense_trunks] if self.out_channels else []
        encoder[-1].keep_only([*dense, *self.out_features])
        self.trunks, self.dense_trunks = len(encoder[0].levels), len(dense)
        if dense:
            decoder[-1].keep_only(tasks)
        else:
            self.decoder = nn.ModuleList()
        keep_tasks(self.heads, tasks)
        keep_tasks(self.vector_heads, tasks)


def _by_level(levels_of: Mapping[str, Sequence[Level]]) -> list[dict[str, Level]]:
    """All tasks' modules of each level, from each task's modules."""
    return [dict(zip(levels_of, level, strict=True)) for level in zip(*levels_of.values(), strict=True)]
