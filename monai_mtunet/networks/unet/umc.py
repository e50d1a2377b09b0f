"""U-Net Multi-task Cascade (Gubins and Veltkamp, "Deeply Cascaded U-Net for Multi-Task Image Processing")."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..blocks.input_check import check_input
from ..blocks.kept_tasks import keep_tasks
from ..blocks.pooling import Strides, strides_per_level
from ..multi_task_network import MultiTaskNetwork
from .decoding_pathway import DecodingPathway
from .encoder import UNetEncoder

CONNECTIVITIES = ("shared", "causal", "causal_chain", "dense")
UPSAMPLINGS = ("nontrainable", "deconv")


class UMC(MultiTaskNetwork):
    """U-Net with one decoding pathway per task, each of which can receive skip connections of the earlier ones.

    Every pathway starts from the encoder's deepest map. At each level it concatenates the upsampled deeper map with
    its skip connections; what it hands on is its block's output at that level. Pathways run in the order of
    `out_channels`, so with any connectivity but ``"shared"`` put the task first that helps the others (denoise before
    segment, coarse before fine). One task gives a U-Net: with ``upsample="deconv"`` and ``bias=True`` the baseline
    of the paper's Tables 1 and 3.

    Args:
        spatial_dims: number of spatial dimensions, 2 or 3.
        in_channels: number of channels of the image.
        out_channels: number of channels of each task's prediction, in the order of the pathways.
        connectivity: the skip connections that a pathway receives (Section 3, Figure 3).

            - ``"shared"``: the encoder's only.
            - ``"causal"``: the sum of the encoder's and the previous pathway's. The paper says "receive encoder and the
              previous decoding pathway skip connections", and its parameter counts rule out concatenation.
            - ``"causal_chain"``: the previous pathway's instead of the encoder's, the other reading of the same count.
            - ``"dense"``: the encoder's and those of all earlier pathways, concatenated.
        features: number of channels of each level, finest first; two levels at least.
        strides: pooling stride: one int for all, or one entry per pooling level, an int or one int per axis, as
            ``((1, 2, 2), 2, 2, 2)`` for volumes with thick slices.
        act: activation type and arguments, in MONAI's words.
        norm: normalization type and arguments, in MONAI's words.
        bias: whether the 3x3 convolutions have a bias; the heads always have.
        dropout: dropout ratio, or type and arguments in MONAI's words.
        upsample: ``"nontrainable"``: linear interpolation, as in UMC; ``"deconv"``: transposed convolution with bias to
            the level's number of channels (half of the deeper level's, where `features` double), as in U-Net.

    Raises:
        ValueError: When an argument is out of its range, or the input does not fit the network.

    Example:
        >>> network = UMC(spatial_dims=2, in_channels=3, out_channels={"denoise": 3, "segment": 19})
        >>> {task: logits.shape for task, logits in network(torch.rand(1, 3, 33, 49)).items()}
        {'denoise': torch.Size([1, 3, 33, 49]), 'segment': torch.Size([1, 19, 33, 49])}

    """

    def __init__(
        self,
        spatial_dims: int,
        in_channels: int,
        out_channels: Mapping[str, int],
        connectivity: str = "dense",
        features: Sequence[int] = (32, 64, 128, 256, 512),
        strides: Strides = 2,
        act: str | tuple[str, dict[str, Any]] = ("RELU", {"inplace": True}),
        norm: str | tuple[str, dict[str, Any]] = "BATCH",
        bias: bool = False,
        dropout: float | tuple[str, dict[str, Any]] = 0.0,
        upsample: str = "nontrainable",
    ) -> None:
        super().__init__(spatial_dims, in_channels, out_channels)
        if connectivity not in CONNECTIVITIES:
            raise ValueError(f"connectivity must be one of {CONNECTIVITIES}, got {connectivity!r}.")
        if upsample not in UPSAMPLINGS:
            raise ValueError(f"upsample must be one of {UPSAMPLINGS}, got {upsample!r}.")
        if len(features) < 2:
            raise ValueError(f"features must have two levels at least, got {tuple(features)}.")
        if min(in_channels, *features) < 1:
            raise ValueError(f"in_channels and features must be positive, got {in_channels} and {tuple(features)}.")
        self.connectivity = connectivity

        stride_of = strides_per_level(strides, len(features) - 1, spatial_dims)
        block = {"act": act, "norm": norm, "bias": bias, "dropout": dropout}
        self.encoder = UNetEncoder(spatial_dims, in_channels, features, stride_of, block)
        self.pathways = nn.ModuleDict(
            {
                task: DecodingPathway(
                    spatial_dims,
                    channels,
                    features,
                    stride_of,
                    skips=1 + earlier if connectivity == "dense" else 1,
                    sum_skips=connectivity == "causal",
                    hands_on=connectivity != "shared" and earlier < len(self.out_channels) - 1,
                    upsample=upsample,
                    block=block,
                )
                for earlier, (task, channels) in enumerate(self.out_channels.items())
            }
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Predict all tasks.

        Args:
            x: the image, (B, in_channels, *spatial), of any size.

        Returns:
            The raw logits of each task, (B, out_channels[task], *spatial), in the order of `out_channels`.

        """
        check_input(x, "UMC", self.spatial_dims, self.in_channels)
        skips = [[features] for features in self.encoder(x)[::-1]]  # of each level, coarsest first
        deepest = skips.pop(0)[0]
        predictions: dict[str, Tensor] = {}
        for task, pathway in self.pathways.items():
            prediction, outputs = pathway(deepest, skips)
            if prediction is not None:
                predictions[task] = prediction
            if pathway.hands_on:
                skips = [self._hand_on(level, outputs[i]) for i, level in enumerate(skips)]
        return predictions

    def _keep(self, tasks: list[str]) -> None:
        names = list(self.pathways)
        last = names.index(tasks[-1])
        # What a pathway receives depends on all earlier ones, unless it receives the encoder's alone.
        needed = tasks if self.connectivity == "shared" else names[: last + 1]
        keep_tasks(self.pathways, needed)
        pathways: dict[str, Any] = dict(self.pathways.items())
        for task in pathways.keys() - set(tasks):
            pathways[task].head = None
        pathways[tasks[-1]].hands_on = False

    def _hand_on(self, received: list[Tensor], output: Tensor) -> list[Tensor]:
        """Skip connections of the next pathway at a level, from what this pathway received there and its output."""
        if self.connectivity == "dense":
            return received + [output]  # noqa: RUF005 (TorchScript)
        if self.connectivity == "causal":
            return [received[0], output]
        return [output]
