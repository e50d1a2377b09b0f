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
    order, buffered or not.

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
            network: returns ``{task name: (B, C', *window)}``.
            args: further arguments of the network.
            kwargs: further arguments of the network.

        Returns:
            ``{task name: (B, C', *spatial)}`` in the network's order.

        Raises:
            ValueError: When a head is not at its input's resolution.
        """
        channels: dict[str, int] = {}

        def stacked(window: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            predictions = network(window, *args, **kwargs)
            for name, prediction in predictions.items():
                if prediction.shape[2:] != window.shape[2:]:
                    raise ValueError(
                        f"Task {name!r} predicts {tuple(prediction.shape)} for a window {tuple(window.shape)}: "
                        "sliding windows need every head at the input's resolution."
                    )
                channels[name] = prediction.shape[1]
            return torch.cat(list(predictions.values()), dim=1)

        # Windows of a MetaTensor would carry its meta data through the network.
        inputs = inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
        merged = cast(Tensor, super().__call__(inputs, stacked, *args, **kwargs))
        return dict(zip(channels, merged.split(list(channels.values()), dim=1), strict=True))
