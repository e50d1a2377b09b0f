"""The windows of an image that is read a few planes at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from .multi_task_sliding_window import MultiTaskSlidingWindowInferer
from .window_grid import Box, WindowGrid, all_channels

__all__ = ["RollingImage"]


class RollingImage:
    """Holds as many planes of an image as its windows need, and reads each plane once.

    Args:
        read: gives a part of the image (C, *box), as the network takes it.
        grid: where windows lie; they are asked for in its order.
        region: the part of the image that is predicted.
        inferer: pads images that are smaller than a window.
    """

    def __init__(
        self, read: Callable[[Box], Tensor], grid: WindowGrid, region: Box, inferer: MultiTaskSlidingWindowInferer
    ) -> None:
        self.read = read
        self.grid = grid
        self.needed = grid.needed(region)
        self.inferer = inferer
        self._first = self._end = self.needed[grid.rolling_axis].start
        self._planes: Tensor | None = None  # (C, *planes), from the first to the end along the rolling axis
        self._padded: Tensor | None = None

    def window(self, start: tuple[int, ...]) -> Tensor:
        """The window (C, *window) that starts there."""
        axis = self.grid.rolling_axis
        self._roll(max(start[axis], 0), min(start[axis] + self.grid.window[axis], self.grid.image_size[axis]))
        if self._padded is None:
            assert self._planes is not None
            self._padded = self.inferer.padded(self._planes[None], self.grid)[0]
        place = []
        for index, (begin, length) in enumerate(zip(start, self.grid.window, strict=True)):
            origin = self._first if index == axis else self.needed[index].start
            low = max(begin, 0) - origin  # along an axis that is padded the window is all
            place.append(slice(low, low + length))
        return self._padded[all_channels(place)]

    def _roll(self, first: int, end: int) -> None:
        axis = self.grid.rolling_axis
        if first == self._first and end == self._end:
            return
        box = list(self.needed)
        box[axis] = slice(max(first, self._end), end)
        new = self.read(tuple(box))
        if self._planes is None or first >= self._end:
            self._planes = new
        else:
            kept = self._planes.narrow(axis + 1, first - self._first, self._end - first)
            self._planes = torch.cat([kept, new], dim=axis + 1)
        self._first, self._end, self._padded = first, end, None
