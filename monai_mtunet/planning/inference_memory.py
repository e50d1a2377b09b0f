"""The memory that a network takes to predict windows, told without computing."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .convolution_workspace import convolution_workspace
from .without_data import observe_without_data


class InferenceMemory(NamedTuple):
    """Bytes that a network takes.

    Args:
        weights: parameters and buffers, there before and after.
        windows: what a pass takes beyond them at its peak: windows, maps, predictions, and convolutions' workspaces.
    """

    weights: int
    windows: int


def inference_memory(network: nn.Module, shape: Sequence[int]) -> InferenceMemory:
    """The memory that ``network(windows)`` takes at its peak in inference.

    The network runs on tensors without data, and what is alive at a time is counted. To it comes what convolutions
    take for themselves, where that is known: on the CPU. That needs a fraction of a second for any size. An allocator
    takes more than is asked of it: see :func:`window_for`.

    Args:
        network: in the memory format that it predicts in; a module, as `NetworkEnsemble` and `FlippedWindows` are.
        shape: (B, C, *window).

    Returns:
        Bytes of weights, and bytes of windows.

    Raises:
        ValueError: When the network reads values, as `ClassicalDenoiser` does, so that it cannot run without data.

    Example:
        >>> network = UMC(3, 1, {"denoise": 1, "segment": 3}, features=(8, 16, 32, 64))
        >>> inference_memory(network, (4, 1, 96, 96, 96)).windows / 2**20  # MiB
        1095.20068359375
    """
    live = observe_without_data(network, shape, LiveStorage)
    return InferenceMemory(live.weights, live.peak)


class LiveStorage(TorchDispatchMode):
    """Counts the bytes of all tensors that operations return, for as long as they are alive.

    Args:
        windows: the network's input, which is counted.
        weights: what is not.

    Attributes:
        weights: bytes of the weights.
        peak: the most bytes at a time, workspaces of convolutions included.
    """

    def __init__(self, windows: Tensor, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self._left_out = {tensor.untyped_storage() for tensor in weights}
        self._bytes = {id(storage): 0 for storage in self._left_out}  # of the storages that are alive
        self._now = 0
        self._count(windows)
        self.weights = sum(storage.nbytes() for storage in self._left_out)
        self.peak = self._now

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if id(storage) not in self._bytes:
            self._bytes[id(storage)] = storage.nbytes()
            self._now += storage.nbytes()
            weakref.finalize(storage, self._gone, id(storage)).atexit = False

    def _gone(self, storage: int) -> None:
        self._now -= self._bytes.pop(storage)

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Run an operation, and count what it returns."""
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor)
        workspace = convolution_workspace(args, result) if func is torch.ops.aten.convolution.default else 0
        self.peak = max(self.peak, self._now + workspace)
        return result
