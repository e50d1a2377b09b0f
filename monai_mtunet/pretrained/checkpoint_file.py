"""Files of weights: tensors and plain values only, with errors that name the file."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch


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
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise CheckpointError(
            f"The checkpoint {path} ({path.stat().st_size} bytes) is truncated, corrupt or holds more than tensors and "
            f"plain values: {error}"
        ) from error
    if not isinstance(checkpoint, dict):
        raise CheckpointError(
            f"The checkpoint {path} holds a {type(checkpoint).__name__}, where states by name are expected: save "
            "state_dict() of the network, not the network or its weights alone."
        )
    return checkpoint
