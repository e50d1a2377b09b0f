"""SegNet's decoder: unpooling and convolutions, level by level."""

from collections.abc import Iterable

from torch import Tensor, nn

from ..blocks.pooling import unpool
from .levels import SegNetLevel


class SegNetDecoder(nn.Module):
    """Levels of convolutions, each after unpooling with the indices of the encoder's level.

    Args:
        levels: the convolutions of each level, coarsest first.

    """

    def __init__(self, levels: Iterable[SegNetLevel]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(levels)

    def forward(self, x: Tensor, indices: list[Tensor], sizes: list[list[int]]) -> Tensor:
        """Decode a map.

        Args:
            x: the coarsest pooled map, (B, C, *smallest).
            indices: indices of each level's pooling, finest first.
            sizes: size of each level's map before pooling, finest first.

        Returns:
            The finest level's output, (B, C, *spatial).

        """
        for i, level in enumerate(self.levels):
            x = level([unpool(x, indices[-1 - i], sizes[-1 - i])])[1]
        return x
