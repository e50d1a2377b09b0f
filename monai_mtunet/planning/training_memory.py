"""The memory that a network takes to learn from a batch, told without computing."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from .inference_memory import LiveStorage

__all__ = ["training_memory"]

_ADAM = 2  # moments that Adam keeps of each parameter


def training_memory(network: nn.Module, shape: Sequence[int], optimizer_copies: int = _ADAM) -> int:
    """The memory that a step of training takes at its peak: forward, losses, backward and the optimizer.

    The network runs forward and backward on tensors without data, as in :func:`inference_memory`, and what is alive at
    a time is counted: activations that the backward pass needs, gradients, and convolutions' workspaces where those are
    known, on the CPU. To it come weights, their gradients and the optimizer's state.

    Args:
        network: in the memory format that it learns in; stays as it is.
        shape: (B, C, *patch).
        optimizer_copies: how many copies of the parameters the optimizer keeps: 2 for Adam, 1 for SGD with momentum.

    Returns:
        Bytes.

    Raises:
        ValueError: When the network reads values, so that it cannot run without data.

    Example:
        >>> network = UMC(3, 1, {"denoise": 1, "segment": 3}, features=(8, 16, 32, 64))
        >>> training_memory(network, (2, 1, 64, 64, 64)) / 2**20  # MiB
    """
    network = copy.deepcopy(network).train()  # normalization counts batches, and gradients are left behind
    state = list(chain(network.parameters(), network.buffers()))
    device = state[0].device if state else torch.device("cpu")
    try:
        with FakeTensorMode(allow_non_fake_inputs=True) as fake:
            weights = [fake.from_tensor(values) for values in state]
            patches = torch.empty(*shape, device=device)
            with LiveStorage(patches, weights) as live:
                predictions = network(patches)
                losses = [_as_loss(values) for values in predictions.values()]
                torch.stack(losses).sum().backward()
    except RuntimeError as error:
        raise ValueError(
            f"{type(network).__name__} cannot be trained without data on patches of {list(shape)}, so that what it "
            f"needs is not known beforehand. The reason: {error}"
        ) from error
    learned: int = sum(values.numel() * values.element_size() for values in network.parameters())
    return int(live.weights + live.peak + optimizer_copies * learned)


def _as_loss(prediction: Tensor) -> Tensor:
    """As losses do, it keeps a copy in float for the backward pass."""
    return prediction.float().log_softmax(dim=1).square().mean()
