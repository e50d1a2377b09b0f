"""Starting from the weights of another training."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..networks import SUNet
from .checkpoint_file import CheckpointError, read_checkpoint
from .network_state import without_prefixes
from .sunet_authors_names import from_authors_names

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class LoadedWeights:
    """What of a checkpoint went where.

    Args:
        loaded: names of the network's tensors that took the checkpoint's values.
        kept: names of the tensors of the part that the checkpoint lacks, which keep their values: only counters of
            batches, which checkpoints of 2018 did not have.
        unused: names of the checkpoint's tensors that are outside of the part, such as other heads.
    """

    loaded: list[str]
    kept: list[str]
    unused: list[str]


def load_pretrained(network: Network, path: str | Path | None, part: str = "trunk") -> Network:
    """Load a part of a network from a checkpoint, and log exactly what was loaded and what not.

    Names and shapes must match, so a classifier's trunk goes into a dense network of any output stride. `SUNet` also
    takes checkpoints with the names of its authors' implementation.

    Args:
        network: its tensors are changed in place.
        path: a file of :class:`ResumableCheckpoint`, a state dict, or a dict with one under ``"network"`` or
            ``"state_dict"``; empty or None to leave the network as it is.
        part: name of the module that is loaded; ``""`` for the whole network, heads included.

    Returns:
        The network.

    Raises:
        CheckpointError: When the file is missing or corrupt, or holds tensors of the part that the network lacks, of
            another shape or not at all.
        ValueError: When the network has no such part.

    Example:
        >>> load_pretrained(network, "outputs/classifier/checkpoints/best.pt")
    """
    if not path:
        return network
    state = _state_of_network(read_checkpoint(path, map_location="cpu"), path)
    report = copy_weights(network, state, part, f"The checkpoint {path}")
    logger.info(
        "Loaded %d tensors of %s from %s; not in it: %s; not taken: %s.",
        len(report.loaded),
        repr(part) if part else "the network",
        path,
        report.kept or "none",
        report.unused or "none",
    )
    return network


def copy_weights(
    network: nn.Module, state: Mapping[str, Tensor], part: str, source: str = "The state"
) -> LoadedWeights:
    """Copy the tensors of a part of a network from a state dict.

    Args:
        network: its tensors are changed in place.
        state: tensors by name. For a `SUNet`, names may be those of its authors' implementation; their linear layer
            becomes the head of the first vector task.
        part: name of a module, or ``""`` for the network.
        source: what the state is, for error messages.

    Returns:
        What went where.

    Raises:
        CheckpointError: see :func:`load_pretrained`.
        ValueError: When the network has no such part.
    """
    given = _in_names_of(network, without_prefixes(state, network.state_dict()))
    prefix = f"{part}." if part else ""
    wanted = {name: tensor for name, tensor in network.state_dict().items() if name.startswith(prefix)}
    if not wanted:
        names = [name for name, _ in network.named_children()]
        raise ValueError(f"{type(network).__name__} has no part {part!r} with weights; its parts are {names}.")
    absent = [name for name in wanted if name not in given]
    kept = [name for name in absent if name.endswith(".num_batches_tracked")]
    loaded = {name: given[name] for name in wanted if name in given}
    wrong = {
        "lacks": sorted(set(absent) - set(kept)),
        "has, but the network has not": [name for name in given if name.startswith(prefix) and name not in wanted],
        "has in another shape": [
            f"{name} {tuple(tensor.shape)} for {tuple(wanted[name].shape)}"
            for name, tensor in loaded.items()
            if tensor.shape != wanted[name].shape
        ],
    }
    _check(wrong, source, type(network).__name__)
    network.load_state_dict(loaded, strict=False)
    return LoadedWeights(list(loaded), kept, [name for name in given if not name.startswith(prefix)])


def _in_names_of(network: nn.Module, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if not isinstance(network, SUNet):
        return state
    return from_authors_names(state, next(iter(network.out_features), "classify"))


def _check(wrong: Mapping[str, list[str]], source: str, network: str) -> None:
    problems = [
        f"{what}: {', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
        for what, names in wrong.items()
        if names
    ]
    if problems:
        raise CheckpointError(
            f"{source} does not fit the {network}; it {'; it '.join(problems)}. Build the network with the widths, "
            "modules and dimensions that the checkpoint was trained with."
        )


def _state_of_network(checkpoint: Mapping[str, object], path: str | Path) -> dict[str, Tensor]:
    for key in ("network", "state_dict"):
        if isinstance(inner := checkpoint.get(key), Mapping):
            checkpoint = inner
    state = {name: value for name, value in checkpoint.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise CheckpointError(
            f"The checkpoint {path} holds {sorted(checkpoint)[:10]}, but no tensors by name: a state dict, or one "
            "under 'network' or 'state_dict', is expected."
        )
    return state
