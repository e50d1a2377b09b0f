"""Nothing that was computed is overwritten by accident."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["make_output_folder", "prepare_output_dir"]

_OF_TRAINING = (
    "checkpoints", "tensorboard", "panels", "validation", "loss_weights.csv", "loss_weights.png",
    "report.html",
)  # fmt: skip
# Bytes of the version and the writer, with which TensorBoard's files begin; a scalar has 40 and more.
_TENSORBOARD_HEADER = 100


def prepare_output_dir(
    output_dir: str | Path, parts: str | tuple[str, ...] = _OF_TRAINING, resume: bool = False, overwrite: bool = False
) -> None:
    """Refuse a folder that holds an earlier run's files, unless it is continued or may be replaced.

    Call it in ``initialize``, before anything writes.

    Args:
        output_dir: where the run's files go.
        parts: names of the files and folders there that the run writes.
        resume: whether the run goes on from them.
        overwrite: whether to remove them first.

    Raises:
        FileExistsError: When there are such files and neither is said.
        ValueError: When the folder's name is empty, or holds ``::``, which MONAI makes of ``#``.
    """
    if not str(output_dir).strip():
        raise ValueError(f'output_dir is {str(output_dir)!r}: name a folder, "." for the current one.')
    if "::" in str(output_dir):
        raise ValueError(
            f'output_dir is {str(output_dir)!r}: MONAI makes "::" of every "#" in a configuration. Choose a folder '
            "without either."
        )
    folder = Path(output_dir)
    names = [parts] if isinstance(parts, str) else parts
    found = [folder / name for name in names if (folder / name).is_file() or _holds_files(folder / name)]
    if not found or resume:
        return
    if not overwrite:
        raise FileExistsError(
            f"{folder} holds {', '.join(path.name for path in found)} of an earlier run: choose another --output_dir, "
            "go on with --resume true (training), or replace them with --overwrite true."
        )
    for path in found:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def make_output_folder(folder: Path) -> None:
    """Make a folder of results before anything is computed, and say plainly why nothing can be written to it.

    Raises:
        OSError: When it is a file, cannot be made, or may not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise FileExistsError(f"{folder} is a file, where a folder is needed: choose another --output.") from None
    except OSError as error:
        raise OSError(f"The folder {folder} cannot be made: {error.strerror}. Choose another --output.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"Nothing may be written to {folder}: permit it, or choose another --output.")


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(path.is_file() and not _is_without_events(path) for path in folder.rglob("*"))


def _is_without_events(path: Path) -> bool:
    """Whether it is a TensorBoard file of a run that failed before anything was logged."""
    return "tfevents" in path.name and path.stat().st_size <= _TENSORBOARD_HEADER
