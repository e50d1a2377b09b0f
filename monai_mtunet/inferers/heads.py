"""The predictions of a network's heads as one tensor, and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..tasks import Task
from .window_grid import WindowGrid

__all__ = ["Heads"]


class Heads:
    """Stacks dense heads on the channel axis, so that windows are summed at once, and takes the sums apart.

    Args:
        tasks: the declared tasks, which say of which vectors the mean over windows is an answer for the image
            (``Task.has_window_mean``).
        grid: where windows lie: a vector of a window that is the whole image is the answer.

    Raises:
        ValueError: From `stack`, when a dense head is not at its input's resolution, or a window is not the whole image
            and a task has one vector per image that windows do not tell.
    """

    def __init__(self, tasks: Sequence[Task], grid: WindowGrid) -> None:
        self.averaged = {task.name for task in tasks if task.has_window_mean}
        self.grid = grid
        self.order: tuple[str, ...] = ()
        self.channels: dict[str, int] = {}

    def stack(self, predictions: dict[str, Tensor], windows: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Predictions of windows (B, C, *window) -> dense heads (B, sum of channels, *window), and vectors (B, C)."""
        dense = {name: prediction for name, prediction in predictions.items() if prediction.ndim > 2}
        vectors = {name: prediction for name, prediction in predictions.items() if name not in dense}
        for name in vectors:
            if self.grid.window != self.grid.image_size and name not in self.averaged:
                raise ValueError(
                    f"Task {name!r} predicts one vector per image, and windows of {_times(self.grid.window)} of an "
                    f"image of {_times(self.grid.image_size)} do not tell it: infer in one piece (SimpleInferer, or "
                    "roi_size -1 along all axes), leave the task out, or, of classes, whose windows' logits can be "
                    "averaged, give the inferer the declared tasks (tasks=...)."
                )
        for name, prediction in dense.items():
            if prediction.shape[2:] != windows.shape[2:]:
                raise ValueError(
                    f"Task {name!r} predicts {tuple(prediction.shape)} for a window {tuple(windows.shape)}: every "
                    "dense head must be at the input's resolution."
                )
        self.order = tuple(predictions)
        self.channels = {name: prediction.shape[1] for name, prediction in dense.items()}
        # Without a dense head there still is something to sum.
        stacked = torch.cat(list(dense.values()), dim=1) if dense else torch.zeros_like(windows[:, :1])
        return stacked, vectors

    def split(self, stacked: Tensor) -> dict[str, Tensor]:
        """Stacked heads (sum of channels, *spatial) of one image, by task."""
        parts = stacked.split(list(self.channels.values())) if self.channels else ()
        return dict(zip(self.channels, parts, strict=True))


def _times(size: Sequence[int]) -> str:
    return " x ".join(map(str, size))
