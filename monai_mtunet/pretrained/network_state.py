"""A network's tensors under its own names, whatever wrapped it when they were saved."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, TypeVar

from torch import nn
from torch.nn.parallel import DistributedDataParallel

__all__ = ["own_names", "unwrapped", "without_prefixes"]

# DistributedDataParallel and DataParallel, torch.compile, and the attribute that other trainers keep a network in.
_PREFIXES = ("module.", "_orig_mod.", "network.", "model.")
Value = TypeVar("Value")


def unwrapped(thing: Any) -> Any:
    """The network within wrappers for several processes or compilation; all else as it is."""
    while isinstance(thing, nn.Module):
        inner = thing.module if isinstance(thing, DistributedDataParallel | nn.DataParallel) else None
        inner = getattr(thing, "_orig_mod", inner)
        if inner is None:
            break
        thing = inner
    return thing


def without_prefixes(state: Mapping[str, Value], wanted: Iterable[str]) -> Mapping[str, Value]:
    """A state dict without the prefixes that a wrapper gave all of its names.

    Args:
        state: tensors by name.
        wanted: the names that the network has; a prefix that one of them has stays.
    """
    names = list(wanted)
    while state:
        common = [prefix for prefix in _PREFIXES if all(name.startswith(prefix) for name in state)]
        common = [prefix for prefix in common if not any(name.startswith(prefix) for name in names)]
        if not common:
            break
        state = {name.removeprefix(common[0]): value for name, value in state.items()}
    return state


def own_names(state: Mapping[str, Value], wanted: Iterable[str]) -> Mapping[str, Value]:
    """The same, and without prefixes that only some names have, as the network's beside the loss in a trainer's state.

    Args:
        state: tensors by name.
        wanted: the names that the network has; such a prefix goes where what is left is one of them.
    """
    names = set(wanted)
    state = without_prefixes(state, names)
    return {_own_name(name, names, state): value for name, value in state.items()}


def _own_name(name: str, wanted: Container[str], given: Container[str]) -> str:
    own = name
    while own not in wanted:
        prefix = next((prefix for prefix in _PREFIXES if own.startswith(prefix)), None)
        if prefix is None:
            return name
        own = own.removeprefix(prefix)
    return name if own in given else own
