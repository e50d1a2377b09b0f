"""Memory that a convolution takes for itself on the CPU, beyond its input and its result."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch._C import _ConvBackend, _select_conv_backend  # type: ignore[attr-defined]
from torch._prims_common import suggest_memory_format

BLOCK = 16  # channels that oneDNN keeps together, with AVX-512; half of it with AVX2
# PyTorch's own ways, which write neighborhoods out: of the whole batch, and of one sample after the other.
WHOLE_BATCH = (_ConvBackend.Slow2d, _ConvBackend.Slow3d)
BY_SAMPLE = (_ConvBackend.SlowDilated2d, _ConvBackend.SlowDilated3d)
TRANSPOSED = (_ConvBackend.SlowTranspose2d, _ConvBackend.SlowTranspose3d)
# All others return channels_last where input or weight are in it.
CONTIGUOUS = (_ConvBackend.Slow3d, _ConvBackend.SlowDilated3d, _ConvBackend.SlowTranspose3d)


def convolution_workspace(args: Sequence[Any], result: Tensor) -> int:
    """Bytes that ``aten::convolution`` takes at its peak, beyond input, weight and result.

    Which way a convolution is computed is PyTorch's own choice, which is asked for. oneDNN computes on blocks of
    channels: it takes copies of input, weight and result in its layout, unless they are in channels_last. PyTorch's own
    way for small volumes in a batch of one writes every voxel's neighborhood out, 27 times the input.

    Args:
        args: of ``aten::convolution``: input, weight, bias, stride, padding, dilation, whether it is transposed, output
            padding, groups.
        result: what it returned; all may be without data.

    Returns:
        Bytes, on the CPU: other devices' libraries do not tell.
    """
    x: Tensor = args[0]
    weight: Tensor = args[1]
    transposed, backend = args[6], _backend(*args)
    kernel, voxels = prod(weight.shape[2:]), prod(result.shape[2:])
    if backend in WHOLE_BATCH:
        return len(x) * x.shape[1] * kernel * voxels * x.element_size() if kernel > 1 else 0
    if backend in BY_SAMPLE:
        return x.shape[1] * kernel * voxels * x.element_size()
    if backend in TRANSPOSED:
        return result.shape[1] * kernel * prod(x.shape[2:]) * x.element_size()
    return _bytes(weight) + _blocked(x, weight, result, transposed)


def convolved(x: Tensor, weight: Tensor, *args: Any) -> Tensor:
    """What ``aten::convolution`` returns on the CPU, in the memory format that it has there, without data."""
    result: Tensor = torch.ops.aten.convolution.default(x, weight, *args)
    formats = {suggest_memory_format(x), suggest_memory_format(weight)} - {torch.contiguous_format}
    kept = formats and _backend(x, weight, *args) not in CONTIGUOUS
    return result.contiguous(memory_format=formats.pop() if kept else torch.contiguous_format)


def _backend(x: Tensor, weight: Tensor, bias: Tensor | None, *args: Any) -> _ConvBackend:
    given = None if bias is None else _on_cpu(bias)
    shape = None if bias is None else list(bias.shape)
    return _select_conv_backend(_on_cpu(x), _on_cpu(weight), given, *args, shape)


def _on_cpu(x: Tensor) -> Tensor:
    """A tensor of that shape and type on the CPU, of one value in memory."""
    return torch.empty((), dtype=x.dtype).expand(x.shape)


def _blocked(x: Tensor, weight: Tensor, result: Tensor, transposed: bool) -> int:
    """Bytes of copies in oneDNN's layout: the input's goes before the result's is copied back."""
    plain = torch.contiguous_format
    if suggest_memory_format(x) is not plain:
        return 0
    if suggest_memory_format(weight) is not plain:
        return _bytes(x)
    # With few channels the input stays as it is.
    of_input = _in_blocks(x) if x.shape[1] >= BLOCK else 0
    of_result = _in_blocks(result)
    return of_result + (max(of_input, _bytes(result)) if transposed else max(of_input - _bytes(result), 0))


def _in_blocks(x: Tensor) -> int:
    return len(x) * -(-x.shape[1] // BLOCK) * BLOCK * prod(x.shape[2:]) * x.element_size()


def _bytes(x: Tensor) -> int:
    return x.numel() * x.element_size()
