"""Sliding-window inference over all tasks in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from monai.data import MetaTensor
from monai.inferers import SlidingWindowInferer
from torch import Tensor

from ..tasks import Task


class MultiTaskSlidingWindowInferer(SlidingWindowInferer):
    """MONAI's ``SlidingWindowInferer`` for networks with one output per task. The same arguments.

    MONAI's own sorts the tasks, and with ``buffer_steps`` silently returns only the first. Here the heads travel as
    one tensor, stacked on the channel axis, and are taken apart afterwards: one pass over the windows, in declaration
    order, buffered or not.

    A task with one vector per image gets the network's own output where the window is the whole image. Otherwise a
    class gets the mean of its windows' logits, a choice that no paper makes, and a box an error, since what is in a
    window tells no place in the image. Which is which, the tasks say (``Task.has_window_mean``).

    Args:
        args: of ``SlidingWindowInferer``: ``roi_size``, ``sw_batch_size``, ``overlap``, ...
        tasks: the declared tasks. A vector of a task that is not among them is treated as a box.
        kwargs: of ``SlidingWindowInferer``.

    Example:
        >>> inferer = MultiTaskSlidingWindowInferer(roi_size=(96, 96, 96), sw_batch_size=2, overlap=0.5)
        >>> inferer(volume, network)["segment"]  # (B, C, *spatial of the volume)
    """

    def __init__(self, *args: Any, tasks: Sequence[Task] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.averaged = {task.name for task in tasks if task.has_window_mean}

    def __call__(  # type: ignore[override]
        self, inputs: Tensor, network: Callable[..., dict[str, Tensor]], *args: Any, **kwargs: Any
    ) -> dict[str, Tensor]:
        """Infer.

        Args:
            inputs: (B, C, *spatial).
            network: returns ``{task name: (B, C', *window)}``, or (B, C') for tasks with one vector per image.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``{task name: (B, C', *spatial)}``, or (B, C'), in the network's order.

        Raises:
            ValueError: When a dense head is not at its input's resolution. When the window is not the whole image, and
                a task has one vector per image that windows do not tell.
        """
        channels: dict[str, int] = {}  # of dense heads
        vectors: dict[str, list[Tensor]] = {}  # of the other heads, per call of the network
        order: list[str] = []

        def stacked(window: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            predictions = network(window, *args, **kwargs)
            order[:] = predictions
            dense = {name: prediction for name, prediction in predictions.items() if prediction.ndim > 2}
            for name in predictions.keys() - dense.keys():
                if name not in self.averaged:
                    _check_whole(name, window, inputs)
                vectors.setdefault(name, []).append(predictions[name])
            _check_resolution(dense, window)
            channels.update({name: prediction.shape[1] for name, prediction in dense.items()})
            # Without a dense head MONAI still needs something to merge.
            return torch.cat(list(dense.values()), dim=1) if dense else torch.zeros_like(window[:, :1])

        # Windows of a MetaTensor would carry its meta data through the network.
        inputs = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        merged = cast(Tensor, super().__call__(inputs, stacked, *args, **kwargs))
        results = dict(zip(channels, merged.split(list(channels.values()), dim=1), strict=True)) if channels else {}
        # The windows come image after image.
        results |= {name: torch.cat(parts).unflatten(0, (len(inputs), -1)).mean(1) for name, parts in vectors.items()}
        return {name: results[name] for name in order}


def _check_whole(name: str, window: Tensor, image: Tensor) -> None:
    if window.shape[2:] != image.shape[2:]:
        sizes = (" x ".join(map(str, values.shape[2:])) for values in (window, image))
        raise ValueError(
            f"Task {name!r} predicts one vector per image, and windows of {next(sizes)} of an image of {next(sizes)} "
            "do not tell it: infer in one piece (SimpleInferer, or "
            "roi_size -1 along all axes), leave the task out, or, of classes, whose windows' logits can be averaged, "
            "give the inferer the declared tasks (tasks=...)."
        )


def _check_resolution(predictions: dict[str, Tensor], window: Tensor) -> None:
    for name, prediction in predictions.items():
        if prediction.shape[2:] != window.shape[2:]:
            raise ValueError(
                f"Task {name!r} predicts {tuple(prediction.shape)} for a window {tuple(window.shape)}: "
                "sliding windows need every dense head at the input's resolution."
            )
