"""Cross-stitch units: learned mixtures of the tasks' feature maps (Misra et al. 2016)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..blocks.pooling import unpool
from .levels import SegNetEncoderLevel, SegNetLevel

SHARINGS = ("matrix", "scalar")


class CrossStitch(nn.Module):
    """Weighted sums of one map per task.

    Args:
        tasks: number of tasks.
        sharing: the weights.

            - ``"matrix"``: one for each receiver and source (Misra et al.), at first `own_weight` where both are the
              same task and the same share of the rest elsewhere.
            - ``"scalar"``: one for each source, so that all tasks receive the same sum, at first the plain one (code of
              MTAN).
        own_weight: weight of a task's own map at first, with ``"matrix"``.

    Example:
        >>> own, other = CrossStitch(tasks=2)([torch.ones(1, 8, 4, 4), torch.zeros(1, 8, 4, 4)])
        >>> round(own.mean().item(), 2), round(other.mean().item(), 2)
        (0.9, 0.1)

    """

    def __init__(self, tasks: int, sharing: str = "matrix", own_weight: float = 0.9) -> None:
        super().__init__()
        if sharing not in SHARINGS:
            raise ValueError(f"sharing must be one of {SHARINGS}, got {sharing!r}.")
        if sharing == "scalar" or tasks == 1:
            weight = torch.ones(1, tasks)
        else:
            others = (1 - own_weight) / (tasks - 1)
            weight = torch.full((tasks, tasks), others).fill_diagonal_(own_weight)
        self.weight = nn.Parameter(weight)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Mix `maps`, one per task, each (B, C, *spatial), to one such map per task."""
        mixed: list[Tensor] = []
        for weights in self.weight.unbind(0):
            total = weights[0] * maps[0]
            for source in range(1, len(maps)):
                total = total + weights[source] * maps[source]
            mixed.append(total)
        return mixed if len(mixed) == len(maps) else [mixed[0] for _ in maps]


class StitchedEncoderLevel(nn.Module):
    """One level of all tasks' encoders, after mixing.

    Args:
        levels: each task's level.
        stitch: what mixes the levels' inputs; `None` if nothing does.

    """

    def __init__(self, levels: Mapping[str, SegNetEncoderLevel], stitch: CrossStitch | None) -> None:
        super().__init__()
        self.stitch = stitch
        self.levels = nn.ModuleDict(levels)

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Encode `maps`, one per task; return each task's pooled map, and its indices."""
        if self.stitch is not None:
            maps = self.stitch(maps)
        pooled: list[Tensor] = []
        indices: list[Tensor] = []
        for i, level in enumerate(self.levels.values()):
            encoded = level([maps[i]])
            pooled.append(encoded.pooled)
            indices.append(encoded.indices)
        return pooled, indices


class StitchedDecoderLevel(nn.Module):
    """One level of all tasks' decoders, after mixing and unpooling.

    Args:
        levels: each task's level.
        stitch: what mixes the maps before they are unpooled.

    """

    def __init__(self, levels: Mapping[str, SegNetLevel], stitch: CrossStitch) -> None:
        super().__init__()
        self.stitch = stitch
        self.levels = nn.ModuleDict(levels)

    def forward(self, maps: list[Tensor], indices: list[Tensor], size: list[int]) -> list[Tensor]:
        """Decode `maps`, one per task, unpooled to `size` with each task's `indices`."""
        maps = self.stitch(maps)
        return [level([unpool(maps[i], indices[i], size)])[1] for i, level in enumerate(self.levels.values())]
