"""The configuration of a bundle that predicts, and the overlays that go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from monai.bundle import ConfigParser
from monai.config import PathLike

from .overrides import check_overlays

__all__ = ["configuration_files"]


def configuration_files(folder: PathLike, overlays: Sequence[PathLike] = ()) -> list[str]:
    """``inference.json`` of a bundle and overlays, looked at before anything is made of them.

    Args:
        folder: the bundle's, as in the repository, copied or packed.
        overlays: further configuration files.

    Raises:
        FileNotFoundError: When there is no such bundle or overlay.
        ValueError: When an overlay cannot be read, is for training alone, or has an item that is mistyped; it names
            the file.
    """
    candidates = [Path(folder) / "inference.json", Path(folder) / "configs" / "inference.json"]
    first = next((file for file in candidates if file.is_file()), None)
    if first is None:
        raise FileNotFoundError(
            f"{folder} is no bundle: there is neither inference.json nor configs/inference.json in it."
        )
    files = [str(first)]
    for overlay in map(_readable, overlays):
        files.append(overlay)
        _check_its_place(files)
    check_overlays(files)
    return files


def _check_its_place(files: Sequence[str]) -> None:
    try:
        ConfigParser().read_config(files)
    except KeyError as error:
        name = str(error.args[0]).removeprefix("query key: ")
        raise ValueError(
            f"The configuration {files[-1]} changes {name!r}, which {files[0]} has not: leave it out where it is for "
            "training or evaluation alone."
        ) from None


def _readable(overlay: PathLike) -> str:
    if not Path(overlay).is_file():
        raise FileNotFoundError(f"The configuration {overlay} does not exist.")
    try:
        content = ConfigParser.load_config_file(str(overlay))
    except ValueError as error:  # a YAML file is named by its own errors
        raise ValueError(
            f"The configuration {overlay} is neither JSON nor YAML: correct it. The reader said: {error}"
        ) from None
    if not isinstance(content, Mapping):
        raise ValueError(f'The configuration {overlay} holds no items: write {{"name": value, ...}}.')
    return str(overlay)
