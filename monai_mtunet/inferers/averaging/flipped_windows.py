"""Windows and their flips through a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from monai.utils import ensure_tuple
from torch import Tensor, nn

from ...tasks import Task
from .declared import check_declared

Network = Callable[..., dict[str, Tensor]]


class FlippedWindows(nn.Module):
    """A network that sees each window and the window's flips, and merges what it predicts of them, in 2D and 3D.

    It is called as the network is, so any inferer takes it. Logits of classes are summed before the softmax, as the
    SUNet paper does; of other tasks predictions are averaged, of directions with unit length. What a flip does to
    values is declared by the task (`Task.undo_flip`). Results are used as a network's: of classes they are the
    logarithms of probabilities.

    Args:
        network: returns ``{task name: (B, C', *window)}``, or (B, C') for tasks with one vector per image.
        tasks: the declared tasks, at least those that the network predicts.
        flip_axes: spatial axes along which windows are flipped, in every combination: n axes make 2^n windows. Axes
            in a sequence of their own are flipped together only. Without axes it is the network itself.

    Example:
        >>> inferer = MultiTaskSlidingWindowInferer(roi_size=(96, 96, 96), overlap=0.5)
        >>> inferer(volume, FlippedWindows(network, tasks, flip_axes=(0, 1, 2)))["segment"]
    """

    def __init__(self, network: Network, tasks: Sequence[Task], flip_axes: Sequence[int | Sequence[int]]) -> None:
        super().__init__()
        self.network = network
        self.tasks = {task.name: task for task in tasks}
        self.flip_axes = tuple(flip_axes)

    def forward(self, windows: Tensor, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Predict.

        Args:
            windows: (B, C, *window).
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``{task name: prediction}``, as the network's; float32 where there are flips.

        Raises:
            ValueError: When windows have no such axis to flip, or the network predicts what is not among the tasks.
        """
        if not self.flip_axes:
            return self.network(windows, *args, **kwargs)
        merged = self.merged(windows, *args, **kwargs)
        return {name: self.tasks[name].averaging.to_prediction(values) for name, values in merged.items()}

    def merged(self, windows: Tensor, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Like calling it, but float32 values of which means make sense, as probabilities (`Averaging.merge`)."""
        flips = self._flips(windows.ndim - 2)
        totals: dict[str, Tensor] = {}
        for flip in flips:
            predictions = self.network(_flipped(windows, flip), *args, **kwargs)
            check_declared(predictions, self.tasks)
            for name, prediction in predictions.items():
                turned = _turned_back(self.tasks[name], prediction.float(), flip)
                totals[name] = totals[name] + turned if name in totals else turned
        return {name: self.tasks[name].averaging.merge(total, len(flips)) for name, total in totals.items()}

    def _flips(self, dims: int) -> list[tuple[int, ...]]:
        """The axes of every flip, first of none."""
        groups = [set(ensure_tuple(group)) for group in self.flip_axes]
        wrong = sorted(axis for group in groups for axis in group if not -dims <= axis < dims)
        if wrong:
            raise ValueError(f"flip_axes {wrong} are no axes of an image with {dims} spatial axes (0..{dims - 1}).")
        flips: set[tuple[int, ...]] = {()}
        for group in groups:
            own = {axis % dims for axis in group}
            flips |= {tuple(sorted(own ^ set(flip))) for flip in flips}  # flipped twice is not flipped
        return sorted(flips, key=lambda flip: (len(flip), flip))


def _turned_back(task: Task, prediction: Tensor, flip: Sequence[int]) -> Tensor:
    prediction = _flipped(prediction, flip) if task.is_dense else prediction
    for axis in flip:
        prediction = task.undo_flip(prediction, axis)
    return prediction


def _flipped(values: Tensor, flip: Sequence[int]) -> Tensor:
    return torch.flip(values, [axis + 2 for axis in flip]) if flip else values
