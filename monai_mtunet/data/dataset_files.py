"""Missing data are found before training starts, and the message says what to do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["absent_files", "check_files", "dataset_folder"]


def dataset_folder(dataset_dir: str | os.PathLike[str] | None, dataset: str, source: str) -> Path:
    """Return the folder of a data set, or say how to get and name it.

    Args:
        dataset_dir: what the user gave.
        dataset: name of the data set, for the message.
        source: where to get the data set, for the message.

    Raises:
        ValueError: When no folder was given.
        FileNotFoundError: When it does not exist.
    """
    if not dataset_dir:
        raise ValueError(
            f"No folder was given for {dataset}: set --dataset_dir, or the environment variable MONAI_DATA_DIRECTORY "
            f"to the folder that holds your data sets. {dataset} is available from {source}."
        )
    folder = Path(dataset_dir).expanduser().absolute()
    if not folder.is_dir():
        raise FileNotFoundError(f"{dataset} was not found: {folder} is no folder. {_remedy(dataset, source)}")
    return folder


def check_files(datalist: Sequence[Mapping[str, str]], folder: Path, dataset: str, source: str) -> None:
    """Check that a datalist has samples and that all their files exist.

    Args:
        datalist: samples, dicts of absolute paths.
        folder: folder of the data set.
        dataset: name of the data set, for the message.
        source: where to get the data set, for the message.

    Raises:
        ValueError: When the list is empty.
        FileNotFoundError: When files are missing.
    """
    if not datalist:
        raise ValueError(f"{dataset}: the data list read from {folder} has no samples.")
    files = [Path(file) for sample in datalist for file in sample.values()]
    if missing := [str(file) for file in absent_files(files)]:
        some = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise FileNotFoundError(
            f"{dataset} is incomplete: {len(files) - len(missing)} of {len(files)} files were found in {folder}; "
            f"missing: {some}. {_remedy(dataset, source)}"
        )


def absent_files(files: Sequence[Path]) -> list[Path]:
    """Those of the files that do not exist."""
    # Listing each folder once is much faster than asking for every file, on network disks above all.
    present = {parent: set(os.listdir(parent)) if parent.is_dir() else set() for parent in {f.parent for f in files}}
    return [file for file in files if file.name not in present[file.parent]]


def _remedy(dataset: str, source: str) -> str:
    return f"Get {dataset} from {source} and give its folder by --dataset_dir."
