"""Cross-stitch units: learned mixtures of the tasks' feature maps (Misra et al. 2016)."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor, nn

from ..blocks.kept_tasks import keep_tasks
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
        self.receivers = tasks

    def keep_only(self, receivers: Sequence[int]) -> None:
        """Remove all receivers but those at the given places; the sources stay."""
        self.receivers = len(receivers)
        if len(self.weight) > 1:
            self.weight = nn.Parameter(self.weight.detach()[list(receivers)], self.weight.requires_grad)

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Mix `maps`, one per task, each (B, C, *spatial), to one such map per receiving task."""
        mixed: list[Tensor] = []
        for weights in self.weight.unbind(0):
            total = weights[0] * maps[0]
            for source in range(1, len(maps)):
                total = total + weights[source] * maps[source]
            mixed.append(total)
        return mixed if len(mixed) == self.receivers else [mixed[0] for _ in range(self.receivers)]


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

    def keep_only(self, tasks: Collection[str]) -> None:
        """Remove the levels of all tasks but the given ones."""
        if self.stitch is not None:
            self.stitch.keep_only([i for i, task in enumerate(self.levels) if task in tasks])
        keep_tasks(self.levels, tasks)

    def forward(self, maps: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Encode `maps`, one per task; return the pooled map of each task that has a level, and its indices."""
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
        self.places = list(range(len(levels)))  # of the levels' tasks among all tasks

    def keep_only(self, tasks: Collection[str]) -> None:
        """Remove the levels of all tasks but the given ones."""
        kept = [i for i, task in enumerate(self.levels) if task in tasks]
        self.places = [self.places[i] for i in kept]
        self.stitch.keep_only(kept)
        keep_tasks(self.levels, tasks)

    def forward(self, maps: list[Tensor], indices: list[Tensor], size: list[int]) -> list[Tensor]:
        """Decode `maps`, one per task, unpooled to `size` with each task's `indices`, for each task with a level."""
        maps = self.stitch(maps)
        decoded: list[Tensor] = []
        for i, level in enumerate(self.levels.values()):
            decoded.append(level([unpool(maps[i], indices[self.places[i]], size)])[1])
        return decoded
