"""A network's pass without data: what happens is known, and nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeVar

import torch
from monai.networks.utils import eval_mode
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

Observer = TypeVar("Observer", bound=TorchDispatchMode)


def observe_without_data(
    network: nn.Module, shape: Sequence[int], observer: Callable[[Tensor, Sequence[Tensor]], Observer]
) -> Observer:
    """Run a network in eval mode on windows that have a shape, a type and a device, but no memory.

    Args:
        network: a module; stays as it is.
        shape: (B, C, *window), of any size.
        observer: makes of the windows and the network's weights (parameters and buffers, without memory, too) the mode
            that sees all operations.

    Returns:
        The mode, after the pass.

    Raises:
        ValueError: When the network reads values, as `ClassicalDenoiser` does.
    """
    state = list(chain(network.parameters(), network.buffers()))
    device = state[0].device if state else torch.device("cpu")
    try:
        with FakeTensorMode(allow_non_fake_inputs=True) as fake, torch.no_grad(), eval_mode(network):
            # Each is converted once: the same is there when the network takes it.
            weights = [fake.from_tensor(values) for values in state]
            windows = torch.empty(*shape, device=device)
            mode = observer(windows, weights)
            with mode:
                network(windows)
    except RuntimeError as error:
        raise ValueError(
            f"{type(network).__name__} cannot run without data on windows of {list(shape)}, so that what it needs is "
            f"not known beforehand: give the windows' size. The reason: {error}"
        ) from error
    return mode
