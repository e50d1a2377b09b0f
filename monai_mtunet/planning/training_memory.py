"""The memory that a network takes to learn from a batch, told without computing."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .inference_memory import LiveStorage

__all__ = ["training_memory"]

_ADAM = 2  # moments that Adam keeps of each parameter


def training_memory(
    network: nn.Module, shape: Sequence[int], device: torch.device | None = None, optimizer_copies: int = _ADAM
) -> int:
    """The memory that a step of training takes at its peak: forward, losses, backward and the optimizer.

    The network runs forward and backward on tensors without data, as in :func:`inference_memory`, and what is alive at
    a time is counted: activations that the backward pass needs, gradients, and convolutions' workspaces where those are
    known, on the CPU. To it come weights, their gradients and the optimizer's state.

    Args:
        network: in the memory format that it learns in; stays as it is. It may be without data itself.
        shape: (B, C, *patch).
        device: where it will learn; by default where it is.
        optimizer_copies: how many copies of the parameters the optimizer keeps: 2 for Adam, 1 for SGD with momentum.

    Returns:
        Bytes.

    Raises:
        ValueError: When the network reads values, so that it cannot run without data.

    Example:
        >>> network = UMC(3, 1, {"denoise": 1, "segment": 3}, features=(8, 16, 32, 64))
        >>> training_memory(network, (2, 1, 64, 64, 64)) / 2**20  # MiB
    """
    place = device or next(network.parameters()).device
    network = copy.deepcopy(network).to("meta").train()  # normalization counts batches, and gradients are left behind
    try:
        patches = torch.empty(*shape, device="meta")
        with LiveStorage(patches, [*network.parameters(), *network.buffers()], place) as live:
            losses = [_as_loss(values) for values in network(patches).values()]
            torch.stack(losses).sum().backward()
    except RuntimeError as error:
        raise ValueError(
            f"{type(network).__name__} cannot be trained without data on patches of {list(shape)}, so that what it "
            f"needs is not known beforehand. The reason: {error}"
        ) from error
    learned = sum(values.numel() * values.element_size() for values in network.parameters())
    return int(live.weights + live.peak + optimizer_copies * learned)


def _as_loss(prediction: Tensor) -> Tensor:
    """As losses do, it keeps a copy in float for the backward pass."""
    return prediction.float().log_softmax(dim=1).square().mean()
