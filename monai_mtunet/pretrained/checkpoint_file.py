"""Files of weights: tensors and plain values only, with errors that name the file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

__all__ = ["CheckpointError", "check_weights", "first_sentence", "read_checkpoint"]


class CheckpointError(RuntimeError):
    """A checkpoint is missing, corrupt or of another network."""


def read_checkpoint(
    path: str | Path, map_location: str | torch.device | dict[str, str] | None = None
) -> dict[str, Any]:
    """Read a file of states by name: tensors and plain values only, since others could run code.

    Args:
        path: the file.
        map_location: device to load to.

    Raises:
        CheckpointError: When the file is missing, corrupt, or holds something else; it names the file and the remedy.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint {path}: train first, or give its path.")
    try:
        _check_sums(path)
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # of archives, of pickles and of what they hold
        raise CheckpointError(
            f"The checkpoint {path} ({path.stat().st_size} bytes) is truncated, corrupt or holds more than tensors and "
            "plain values: take another copy or an earlier epoch's, or save state_dict() alone. The reader said: "
            f"{first_sentence(error)}"
        ) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f"The checkpoint {path} holds a {type(checkpoint).__name__}, where states by name are expected: save "
            "state_dict() of the network, not the network or its weights alone."
        )
    return checkpoint


def _check_sums(path: Path) -> None:
    """Raise for a file whose checksums are not those of its content, which torch does not look at."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            if (damaged := file.testzip()) is not None:
                raise ValueError(f"the checksum of {damaged} is wrong")


def check_weights(state: Mapping[str, Any], own: Mapping[str, Tensor], source: str) -> None:
    """Check that tensors may become a network's: finite, and numbers of the same kind.

    Args:
        state: what the file holds for the network.
        own: the network's tensors.
        source: what the state is, for the message.

    Raises:
        CheckpointError: When a tensor is none, not finite, or of integers where the network has fractions.
    """
    for name in state.keys() & own.keys():
        given = state[name]
        if not isinstance(given, Tensor):
            what = f"is a {type(given).__name__}, no tensor"
        elif given.is_floating_point() != own[name].is_floating_point():
            what = f"is {given.dtype}, where the network has {own[name].dtype}"
        elif not given.isfinite().all():
            what = "is not finite: the training had diverged"
        else:
            continue
        raise CheckpointError(f"{source} cannot be used, its {name} {what}. Take an earlier or another one.")


def first_sentence(error: Exception) -> str:
    """What a library says of a file, without torch's long advice on how to trust it nevertheless."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".partition(". ")[0][:300]
