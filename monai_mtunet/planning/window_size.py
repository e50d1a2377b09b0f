"""The largest windows that fit into a given memory."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from torch import nn

from .inference_memory import inference_memory
from .large_window import large_window

MARGIN = 1.05
KEPT = 200 * 2**20  # bytes that the C library's allocator keeps of what is freed, in blocks below 32 MiB


class Window(NamedTuple):
    """Windows of an image.

    Args:
        size: voxels per axis.
        batch: windows per call of the network.
    """

    size: tuple[int, ...]
    batch: int


def window_for(
    network: nn.Module,
    in_channels: int,
    image_size: Sequence[int],
    memory: int,
    batch: int = 4,
    smallest: int = 64,
    largest: int | None = None,
) -> Window:
    """The largest windows whose prediction fits into the given memory.

    An image that fits is one window, unless it is longer than ``largest``. Else windows are as long along all axes, in
    voxels. An axis that is shorter is taken whole; along the others the window's length is a multiple of all strides
    together, so that it is pooled without remainder. Batches are of four windows, since a convolution of a single small
    volume takes several times as long, and smaller only where windows of the smallest size do not fit otherwise.

    What :func:`inference_memory` tells is what a network asks for. With an allocator that gives back what is freed,
    processes grew by 1.00 to 1.07 of it and at most 12 MiB, in 2D and 3D, with batches of 1 to 4. The C library's keeps
    some, most where tensors are little smaller than 32 MiB: up to 185 MiB were measured, which vary from run to run. So
    5 % and 200 MiB are added here. What convolutions take for themselves on a GPU is not known: leave room for it.

    Args:
        network: in the memory format that it predicts in; a module, as `NetworkEnsemble` and `FlippedWindows` are.
        in_channels: channels of the image.
        image_size: voxels of the image per spatial axis.
        memory: bytes for the network's pass. The caller takes off what it holds itself: weights, parts of the image,
            sums of windows.
        batch: windows per call of the network, at most.
        smallest: length below which batches are made smaller instead of windows, in voxels; rounded up to what pools.
        largest: length that no window exceeds, in voxels; None for as long as fits.

    Returns:
        The windows' size and the number of windows per batch.

    Raises:
        ValueError: When not even one window of the smallest size fits, or the network cannot run without data.

    Example:
        >>> network = UMC(3, 1, {"denoise": 1, "segment": 3}, features=(8, 16, 32, 64))
        >>> window_for(network, 1, (512, 512, 300), memory=2 * 2**30)
        Window(size=(112, 112, 112), batch=4)
    """
    whole = tuple(image_size)
    longest = max(whole) if largest is None else min(largest, max(whole))
    large = large_window(network, in_channels, len(whole))
    sizes = _sizes(whole, large.pooled, min(smallest, longest), longest)

    def guess(window: Window) -> float:
        return MARGIN * large.bytes_per_voxel * window.batch * prod(window.size) + KEPT

    def need(window: Window) -> float:
        return MARGIN * inference_memory(network, (window.batch, in_channels, *window.size)).windows + KEPT

    for windows in (batch, *(fewer for fewer in (2, 1) if fewer < batch)):
        for size in reversed(sizes):
            window = Window(size, 1 if size == whole else windows)
            # Only what may fit is looked at closely.
            if guess(window) <= memory and need(window) <= memory:
                return window
    least = Window(sizes[0], 1)
    raise ValueError(
        f"A window of {' x '.join(map(str, least.size))} takes {need(least) / 2**20:.0f} MiB in "
        f"the network, and {memory / 2**20:.0f} MiB are left for it: give more memory, or smaller windows."
    )


def _sizes(whole: tuple[int, ...], pooled: tuple[int, ...], smallest: int, longest: int) -> list[tuple[int, ...]]:
    """Sizes that windows can have, smallest first."""
    start = -(-smallest // max(pooled)) * max(pooled)
    sizes: dict[tuple[int, ...], None] = {}
    for length in range(start, max(start, longest) + 1):
        sizes[tuple(n if n <= length else length // step * step for n, step in zip(whole, pooled, strict=True))] = None
    return list(sizes)
