"""Starting from the weights of another training."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard, TypeVar

import torch
from torch import Tensor, nn

from ..networks import SUNet
from .checkpoint_file import CheckpointError, check_weights, read_checkpoint
from .fitting_weights import FittingWeights, fitting_weights
from .listed_tensors import listed, listed_with_reasons
from .network_state import own_names
from .sunet_authors_names import from_authors_names

logger = logging.getLogger(__name__)

Network = TypeVar("Network", bound=nn.Module)


FITS = ("all", "exact")
# Of the kernels that both sides could share, the part that must fit: below, it is another network's checkpoint.
_LEAST_SHARE = 0.1
# Below this part, it may be a mistake, as other widths with some layers of the same shape.
_USUAL_SHARE = 0.5
_REMEDY = (
    "Build the network with the class, widths and dimensions that the checkpoint was trained with, or give the "
    "checkpoint of such a network."
)
_REMEDY_FOR_VGG16 = "VGG-16's weights are read by load_vgg16, in the mtan bundle --vgg16_source with the overlay vgg16."
# Where trainers keep a network's state.
_KEYS = ("network", "state_dict", "model", "model_state_dict", "net")


@dataclass(frozen=True)
class LoadedWeights:
    """What of a checkpoint went where.

    Args:
        loaded: names of the network's tensors that took the checkpoint's values, adapted ones included.
        kept: names of the tensors of the part that keep their values, with the reason. Where all must fit, these are
            only counters of batches, which checkpoints of 2018 did not have.
        unused: names of the checkpoint's tensors that have no place in the part, such as other heads.
        adapted: names of the loaded tensors that were changed to fit, with what was done.
        share: of the kernels that both sides could share, the part that was loaded, 0..1.
    """

    loaded: list[str]
    kept: dict[str, str]
    unused: list[str]
    adapted: dict[str, str] = field(default_factory=dict)
    share: float = 1.0


def load_pretrained(network: Network, path: str | Path | None, part: str = "", fit: str | None = None) -> Network:
    """Load what fits of a checkpoint, and log what was taken, adapted and left, as a warning where it is little.

    Tensors find each other by name, whatever prefix a wrapper gave them. `SUNet` also takes checkpoints with the names
    of its authors' implementation. A classifier's trunk goes into a dense network of any output stride.

    With ``fit="all"`` what does not fit stays as it was initialized: heads of other classes, pathways of new tasks. A
    first convolution is adapted to an image of more or fewer channels. With ``fit="exact"`` names and shapes of the
    part must match.

    Args:
        network: its tensors are changed in place.
        path: a file of :class:`ResumableCheckpoint`, a state dict, or a dict with one under ``"network"``,
            ``"state_dict"`` or ``"model"``; of the network, or of the part alone. Empty or None leaves the network as
            it is.
        part: name of the module that is loaded, as ``"encoder"``; ``""`` for the whole network, heads included.
        fit: ``"all"`` that fits, or ``"exact"``. By default a part that is named must fit exactly, and the whole
            network takes all that fits.

    Returns:
        The network.

    Raises:
        CheckpointError: When the file is missing or corrupt, when next to nothing of it fits, or, where all must fit,
            when something does not. It names examples of both sides, and nothing has changed.
        ValueError: When the network has no such part, or `fit` is none of the two.

    Example:
        >>> load_pretrained(network, "outputs/umc/checkpoints/best.pt")
        >>> load_pretrained(network, "outputs/umc/checkpoints/best.pt", part="encoder")
    """
    if not path:
        return network
    state = _state_of_network(read_checkpoint(path, map_location="cpu"), path)
    report = copy_weights(network, state, part, fit, f"The checkpoint {path}")
    own = network.state_dict()
    little = report.share < _USUAL_SHARE
    logger.log(
        logging.WARNING if little else logging.INFO,
        "%sLoaded %d of %d tensors of %s from %s; adapted: %s; left as initialized: %s; of the file not taken: %s.",
        f"Only {report.share:.0%} of the kernels fit: was it trained with other features? " if little else "",
        len(report.loaded),
        len(report.loaded) + len(report.kept),
        repr(part) if part else "the network",
        path,
        listed_with_reasons(report.adapted, own),
        listed_with_reasons(report.kept, own),
        listed(report.unused, own),
    )
    return network


def copy_weights(
    network: nn.Module, state: Mapping[str, Tensor], part: str = "", fit: str | None = None, source: str = "The state"
) -> LoadedWeights:
    """Copy the tensors of a part of a network from a state dict.

    Args:
        network: its tensors are changed in place.
        state: tensors by name. For a `SUNet`, names may be those of its authors' implementation; their linear layer
            becomes the head of the first vector task.
        part: name of a module, or ``""`` for the network.
        fit: ``"all"`` or ``"exact"``; see :func:`load_pretrained`.
        source: what the state is, for error messages.

    Returns:
        What went where.

    Raises:
        CheckpointError: see :func:`load_pretrained`.
        ValueError: see :func:`load_pretrained`.
    """
    fit = fit or ("exact" if part else "all")
    if fit not in FITS:
        raise ValueError(f"fit must be one of {FITS}, got {fit!r}.")
    prefix = f"{part}." if part else ""
    own = network.state_dict()
    wanted = {name: tensor for name, tensor in own.items() if name.startswith(prefix)}
    if not wanted:
        names = [name for name, _ in network.named_children()]
        raise ValueError(f"{type(network).__name__} has no part {part!r} with weights; its parts are {names}.")
    given = _in_names_of(network, own_names(state, own))
    if not any(name in wanted for name in given) and any(f"{prefix}{name}" in wanted for name in given):
        given = {f"{prefix}{name}": tensor for name, tensor in given.items()}  # of the part alone
    check_weights(given, wanted, source)
    if fit == "exact":
        _check_exact(given, wanted, prefix, source, type(network).__name__)
    found = fitting_weights(network, given, wanted)
    share = _checked_share(found, given, wanted, source, type(network).__name__) if fit == "all" else 1.0
    network.load_state_dict(found.taken, strict=False)
    unused = [name for name in given if name not in wanted]
    return LoadedWeights(list(found.taken), found.kept, unused, found.adapted, share)


def _in_names_of(network: nn.Module, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    if not isinstance(network, SUNet):
        return state
    return from_authors_names(state, next(iter(network.out_features), "classify"))


def _check_exact(
    given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], prefix: str, source: str, network: str
) -> None:
    """Refuse a state that lacks a tensor of the part, counters of batches aside, or has others or other shapes."""
    wrong = {
        "lacks": sorted(name for name in wanted if name not in given and not name.endswith(".num_batches_tracked")),
        "has, but the network has not": [name for name in given if name.startswith(prefix) and name not in wanted],
        "has in another shape": [
            f"{name} {tuple(given[name].shape)} for {tuple(tensor.shape)}"
            for name, tensor in wanted.items()
            if name in given and given[name].shape != tensor.shape
        ],
    }
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


def _checked_share(
    found: FittingWeights, given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], source: str, network: str
) -> float:
    """What fits, of all that could. Refuse next to nothing. Kernels count: vectors fit other dimensions too."""
    least = min(2, max(tensor.dim() for tensor in wanted.values()))  # a normalization alone has no kernels
    ours, theirs, taken = (
        [name for name, tensor in tensors.items() if tensor.dim() >= least] for tensors in (wanted, given, found.taken)
    )
    share = len(taken) / max(1, min(len(ours), len(theirs)))
    if taken and share >= _LEAST_SHARE:
        return share
    remedy = _REMEDY_FOR_VGG16 if "features.0.weight" in given else _REMEDY
    raise CheckpointError(
        f"{source} does not fit the {network}: {len(taken)} of its {len(theirs)} kernels have a place among "
        f"{len(ours)}. It has {_examples(given, theirs, taken)}; the network has {_examples(wanted, ours, taken)}. "
        f"{remedy}"
    )


def _examples(tensors: Mapping[str, Tensor], kernels: list[str], taken: list[str]) -> str:
    names = [name for name in kernels or tensors if name not in taken][:3]
    return ", ".join(f"{name} {tuple(tensors[name].shape)}" for name in names) + ", ..."


def _state_of_network(checkpoint: Mapping[str, object], path: str | Path) -> dict[str, Tensor]:
    for key in _KEYS:
        if isinstance(inner := checkpoint.get(key), Mapping):
            checkpoint = inner
    inside = [value for value in checkpoint.values() if _has_tensors(value)]
    if len(inside) == 1 and not _has_tensors(checkpoint):
        checkpoint = inside[0]  # under another name
    state = {name: value for name, value in checkpoint.items() if isinstance(value, Tensor) and isinstance(name, str)}
    if not state:
        raise CheckpointError(
            f"The checkpoint {path} holds {sorted(map(str, checkpoint))[:10]}, but no tensors by name: a state "
            "dict, or one under 'network' or 'state_dict', is expected. Save state_dict() of the network."
        )
    return state


def _has_tensors(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping) and any(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in value.items()
    )
