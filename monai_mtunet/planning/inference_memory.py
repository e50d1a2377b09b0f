"""The memory that a network takes to predict windows, told without computing."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._prims_common import suggest_memory_format
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from .convolution_workspace import convolution_workspace, convolved
from .without_data import observe_without_data

aten = torch.ops.aten


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
        device: where windows and weights are meant to be.

    Attributes:
        weights: bytes of the weights.
        peak: the most bytes at a time, workspaces of convolutions included.
    """

    def __init__(self, windows: Tensor, weights: Sequence[Tensor], device: torch.device) -> None:
        super().__init__()
        self._device = device
        self._left_out = {tensor.untyped_storage() for tensor in weights}
        self._bytes = {id(storage): 0 for storage in self._left_out}  # of the storages that are alive
        self._now = 0
        self._count(windows)
        self.weights = sum(storage.nbytes() for storage in self._left_out)
        self.peak = self._now

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Whether PyTorch wraps the mode against its compiler, which it would load for that."""
        return False

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
        result = RESULTS.get(func, func)(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor)
        workspace = 0
        if func is aten.convolution.default and self._device.type == "cpu":
            workspace = convolution_workspace(args, result)
        self.peak = max(self.peak, self._now + workspace)
        return result


def _normalized(x: Tensor, *args: Any) -> tuple[Tensor, Tensor, Tensor]:
    statistics = x.new_empty(x.shape[1] if args[4] else 0)  # there in training
    return torch.empty_like(x), statistics, statistics.clone()


def _resized(x: Tensor, size: Sequence[int], *args: Any) -> Tensor:
    return x.new_empty(*x.shape[:2], *size).contiguous(memory_format=suggest_memory_format(x))


# What these return on the CPU. PyTorch's own rules for tensors without data know no memory format of convolutions, and
# compute the others step by step; for that they load its compiler, which takes longer than all else here.
RESULTS: dict[Any, Callable[..., Any]] = {
    aten.convolution.default: convolved,
    aten.native_batch_norm.default: _normalized,
    aten.upsample_linear1d.default: _resized,
    aten.upsample_bilinear2d.default: _resized,
    aten.upsample_trilinear3d.default: _resized,
}
