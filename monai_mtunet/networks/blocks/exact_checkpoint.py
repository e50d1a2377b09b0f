"""Activation checkpointing that leaves a network's running statistics as one forward pass does."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import Tensor, nn
from torch._compile import _disable_dynamo
from torch.utils.checkpoint import checkpoint


# The compiler takes no checkpoint with contexts of its own; what is around it compiles. `torch.compiler.disable` would
# load the compiler when this is imported.
@_disable_dynamo
def checkpoint_exactly(module: nn.Module, function: Callable[..., Any], *args: Any) -> Any:
    """Compute ``function(*args)`` without keeping what its backward pass needs, which is computed again there.

    Plain checkpointing updates the running statistics of batch normalization twice per step, once in each
    computation. Here the second one works on copies of the module's buffers, which are thrown away; random states are
    those of the first. In training, where normalization takes the batch's statistics, outputs, gradients and states
    are therefore those without checkpointing.

    Args:
        module: whose buffers `function` changes.
        function: what to compute, of the module's parameters and `args`.
        args: tensors, and lists of them.

    Returns:
        What `function` returns.

    """

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _OnCopiedBuffers(module)

    return checkpoint(function, *args, use_reentrant=False, context_fn=contexts)


class _OnCopiedBuffers(AbstractContextManager[None]):
    """Copies of a module's buffers, at each entry: a graph that is kept is entered once per backward pass."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.kept: list[tuple[nn.Module, str, Tensor]] = []

    def __enter__(self) -> None:
        for owner in self.module.modules():
            for name, buffer in list(owner.named_buffers(recurse=False)):
                self.kept.append((owner, name, buffer))
                setattr(owner, name, buffer.clone())

    def __exit__(self, *exception: object) -> None:
        # Recomputation ends with an exception as soon as it has all that it needs.
        while self.kept:
            setattr(*self.kept.pop())
