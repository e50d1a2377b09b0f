"""Windows through a network, in batches that are always full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor

from .heads import Heads

__all__ = ["predicted_windows"]

Place = TypeVar("Place")


def predicted_windows(
    network: Callable[..., dict[str, Tensor]],
    windows: Iterable[tuple[Place, Tensor]],
    heads: Heads,
    batch_size: int,
    device: torch.device,
) -> Iterator[tuple[Place, Tensor, dict[str, Tensor]]]:
    """Predict windows one batch after another.

    A last batch that is not full is filled up with zeros. Which convolution a library chooses depends on the size of
    the batch, and so would the last digit; in full batches a window's prediction depends on the window alone.

    Args:
        network: (B, C, *window) -> ``{task name: prediction}``.
        windows: (place, window (C, *window)), any number.
        heads: what stacks the predictions.
        batch_size: windows per batch.
        device: where the network is.

    Yields:
        For every window its place, its stacked dense predictions (C', *window), and its vectors by task.
    """
    places: list[Any] = []
    batch: Tensor | None = None
    for place, window in windows:
        if batch is None:
            batch = torch.zeros(batch_size, *window.shape, dtype=window.dtype, device=window.device)
        batch[len(places)] = window
        places.append(place)
        if len(places) == batch_size:
            yield from _predicted(network, places, batch, heads, device)
            places, batch = [], None
    if batch is not None:
        yield from _predicted(network, places, batch, heads, device)


def _predicted(
    network: Callable[..., dict[str, Tensor]], places: list[Any], batch: Tensor, heads: Heads, device: torch.device
) -> Iterator[tuple[Any, Tensor, dict[str, Tensor]]]:
    batch = batch.to(device)
    stacked, vectors = heads.stack(network(batch), batch)
    for index, place in enumerate(places):
        yield place, stacked[index], {name: rows[index] for name, rows in vectors.items()}
