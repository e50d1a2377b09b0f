"""The weighted mean of overlapping windows, of a few planes at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from .window_grid import Box, WindowGrid, all_channels

__all__ = ["RollingSum"]


class RollingSum:
    """Sums what windows predict of a region, and hands out the planes to which no further window will add.

    Windows come in the grid's order. Sums are kept for as many planes along the rolling axis as a window is long, so
    that memory does not depend on how long the region is.

    Args:
        grid: where windows lie.
        region: the part of the image that is wanted.
        weights: importance within a window (*window).
        device: where the sums are.
    """

    def __init__(self, grid: WindowGrid, region: Box, weights: Tensor, device: torch.device) -> None:
        self.grid = grid
        self.region = region
        self.weights = weights
        self.device = device
        self.first_plane = region[grid.rolling_axis].start
        self._sums: Tensor | None = None  # (C + 1, *planes): predictions, then weights

    def add(self, start: tuple[int, ...], values: Tensor) -> None:
        """Add what a window predicts.

        Args:
            start: of the window.
            values: (C, *window), where the network is.
        """
        if self._sums is None:
            self._sums = self._zeros(len(values))
        origin = [part.start for part in self.region]
        origin[self.grid.rolling_axis] = self.first_plane
        inside, place = [], []
        for begin, length, zero, part in zip(start, self.grid.window, origin, self.region, strict=True):
            low, high = max(begin, zero), min(begin + length, part.stop)
            inside.append(slice(low - begin, high - begin))
            place.append(slice(low - zero, high - zero))
        weights = self.weights[tuple(inside)]
        # A product, then a sum: a fused multiplication and addition would round once, and depend on the machine.
        weighted = values[all_channels(inside)] * weights
        self._sums[:-1][all_channels(place)] += weighted.to(self.device)
        self._sums[-1][tuple(place)] += weights.to(self.device)

    def until(self, plane: int) -> tuple[Box, Tensor] | None:
        """What is finished before a plane: its box in the image, and the means (C, *box); None where nothing is."""
        axis = self.grid.rolling_axis
        count = min(plane, self.region[axis].stop) - self.first_plane
        if count <= 0 or self._sums is None:
            return None
        box = list(self.region)
        box[axis] = slice(self.first_plane, self.first_plane + count)
        finished = self._sums.narrow(axis + 1, 0, count)
        means = finished[:-1] / finished[-1:]
        self.first_plane += count
        if self.first_plane == self.region[axis].stop:
            self._sums = None
        else:
            kept = self._sums.shape[axis + 1] - count
            rolled = torch.zeros_like(self._sums)
            rolled.narrow(axis + 1, 0, kept).copy_(self._sums.narrow(axis + 1, count, kept))
            self._sums = rolled
        return tuple(box), means

    def rest(self) -> tuple[Box, Tensor]:
        """What is left when all windows have come."""
        finished = self.until(self.region[self.grid.rolling_axis].stop)
        assert finished is not None, "the grid covers the region"
        return finished

    def _zeros(self, channels: int) -> Tensor:
        extent = [part.stop - part.start for part in self.region]
        axis = self.grid.rolling_axis
        extent[axis] = min(extent[axis], self.grid.window[axis])
        return torch.zeros(channels + 1, *extent, device=self.device)
