"""What a network predicts of a part of an image, a few planes at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from .heads import Heads
from .multi_task_sliding_window import MultiTaskSlidingWindowInferer
from .rolling_image import RollingImage
from .rolling_sum import RollingSum
from .window_batches import predicted_windows
from .window_grid import Box

__all__ = ["predict_region"]


def predict_region(
    network: Callable[..., dict[str, Tensor]],
    read: Callable[[Box], Tensor],
    image_size: Sequence[int],
    region: Box,
    inferer: MultiTaskSlidingWindowInferer,
    device: torch.device,
) -> Iterator[tuple[Box, dict[str, Tensor]]]:
    """Predict a part of an image, with the bits that `MultiTaskSlidingWindowInferer` gives for the whole.

    It takes memory for the windows' planes of the image and of the sums, whatever the image's length is.

    Args:
        network: (B, C, *window) -> ``{task name: (B, C', *window)}``, of dense tasks.
        read: gives a part of the image (C, *box), as the network takes it.
        image_size: of the whole image, per spatial axis.
        region: the part that is wanted, one slice per spatial axis.
        inferer: how windows lie and are weighted.
        device: where the network is.

    Yields:
        One after another along the grid's rolling axis, boxes that make up the region, and of each the predictions
        ``{task name: (C', *box)}``.

    Raises:
        ValueError: When a task has one vector per image, unless the window is the whole image.
    """
    grid = inferer.grid(image_size)
    heads = Heads((), grid)
    weights = inferer.importance(grid).to(device)
    image = RollingImage(read, grid, region, inferer)
    sums = RollingSum(grid, region, weights, torch.device(inferer.device or device))
    # Of the whole grid, not of the region: a window's bits must not depend on where regions begin.
    batch_size = min(inferer.sw_batch_size, grid.count(grid.whole))
    windows = ((start, image.window(start)) for start in grid.windows(region))
    for start, stacked, _ in predicted_windows(network, windows, heads, batch_size, device):
        if (finished := sums.until(start[grid.rolling_axis])) is not None:
            yield finished[0], heads.split(finished[1])
        sums.add(start, stacked)
    box, means = sums.rest()
    yield box, heads.split(means)
