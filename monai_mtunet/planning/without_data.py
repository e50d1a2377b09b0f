"""A network's pass without data: what happens is known, and nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

import torch
from monai.networks.utils import eval_mode
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode

Observer = TypeVar("Observer", bound=TorchDispatchMode)


def observe_without_data(
    network: nn.Module, shape: Sequence[int], observer: Callable[[Tensor, Sequence[Tensor], torch.device], Observer]
) -> Observer:
    """Run a network in eval mode on windows that have a shape and a type, but no memory.

    These are tensors on PyTorch's device ``meta``. Its fake tensors know their device as well, but load its compiler.

    Args:
        network: a module; stays as it is.
        shape: (B, C, *window), of any size.
        observer: makes of the windows, the network's weights (parameters and buffers, without memory, too) and the
            device that they are on the mode that sees all operations.

    Returns:
        The mode, after the pass.

    Raises:
        ValueError: When the network reads values, as `ClassicalDenoiser` does.
    """
    state = dict(chain(network.named_parameters(), network.named_buffers()))
    device = next((values.device for values in state.values()), torch.device("cpu"))
    try:
        with torch.no_grad(), eval_mode(network):
            weights = {name: values.to("meta") for name, values in state.items()}
            windows = torch.empty(*shape, device="meta")
            mode = observer(windows, list(weights.values()), device)
            with mode:
                functional_call(network, weights, (windows,))
    except RuntimeError as error:
        raise ValueError(
            f"{type(network).__name__} cannot run without data on windows of {list(shape)}, so that what it needs is "
            f"not known beforehand: give the windows' size. The reason: {error}"
        ) from error
    return mode
