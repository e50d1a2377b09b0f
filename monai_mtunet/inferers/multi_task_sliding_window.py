"""Sliding-window inference over all tasks in one pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from monai.data import MetaTensor
from monai.inferers import SlidingWindowInferer
from torch import Tensor


class MultiTaskSlidingWindowInferer(SlidingWindowInferer):
    """MONAI's ``SlidingWindowInferer`` for networks with one output per task. The same arguments.

    MONAI's own sorts the tasks, and with ``buffer_steps`` silently returns only the first. Here the heads travel as
    one tensor, stacked on the channel axis, and are taken apart afterwards: one pass over the windows, in declaration
    order, buffered or not. A task with one vector per image, such as a class, gets the mean of its windows' vectors
    (logits): a choice that no paper makes, and the network's own output where the window is the whole image.

    Example:
        >>> inferer = MultiTaskSlidingWindowInferer(roi_size=(96, 96, 96), sw_batch_size=2, overlap=0.5)
        >>> inferer(volume, network)["segment"]  # (B, C, *spatial of the volume)
    """

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
            ValueError: When a dense head is not at its input's resolution.
        """
        channels: dict[str, int] = {}  # of dense heads
        vectors: dict[str, list[Tensor]] = {}  # of the other heads, per call of the network
        order: list[str] = []

        def stacked(window: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            predictions = network(window, *args, **kwargs)
            order[:] = predictions
            dense = {name: prediction for name, prediction in predictions.items() if prediction.ndim > 2}
            for name in predictions.keys() - dense.keys():
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


def _check_resolution(predictions: dict[str, Tensor], window: Tensor) -> None:
    for name, prediction in predictions.items():
        if prediction.shape[2:] != window.shape[2:]:
            raise ValueError(
                f"Task {name!r} predicts {tuple(prediction.shape)} for a window {tuple(window.shape)}: "
                "sliding windows need every dense head at the input's resolution."
            )
