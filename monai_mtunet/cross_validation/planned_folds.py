"""The folds of an overlay that a plan wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser
from monai.config import PathLike

from ..data.datalist_file import sections_of
from ..data.fold_datalist import FOLD_KEY

__all__ = ["PlannedFolds"]


class PlannedFolds:
    """Reads an overlay with folds, and the bundle that it belongs to.

    Args:
        overlay: JSON file that ``plan`` wrote, or one like it: it names its bundle (``bundle_root``), its data list
            (``data_list``), whose entries have a fold, and a ``run_name`` or ``output_dir`` that differs by ``fold``.

    Attributes:
        overlay: the file.
        train: the bundle's ``train.json`` and the overlay.
        evaluate: the bundle's overlay that measures the best checkpoint.
        folds: numbers of all folds.

    Raises:
        FileNotFoundError: When the overlay, the bundle or the data list is not there.
        ValueError: When an item is missing; it names the item.
    """

    def __init__(self, overlay: PathLike) -> None:
        self.overlay = Path(overlay)
        if not self.overlay.is_file():
            raise FileNotFoundError(f"{overlay} does not exist: write it by python -m monai_mtunet plan.")
        content = ConfigParser.load_config_file(str(self.overlay))
        for item in ("bundle_root", "data_list", FOLD_KEY):
            if item not in content:
                raise ValueError(f"{overlay} has no {item!r}, so that its folds are not known: plan writes it.")
        self.bundle = Path(content["bundle_root"])
        folder = next((one for one in (self.bundle, self.bundle / "configs") if (one / "train.json").is_file()), None)
        if folder is None:
            raise FileNotFoundError(
                f"{overlay}: {self.bundle} is no bundle (bundle_root): there is no train.json in it."
            )
        self.train = (str(folder / "train.json"), str(self.overlay))
        self.evaluate = str(folder / "evaluate.json")
        entries = [entry for section in sections_of(Path(content["data_list"])).values() for entry in section]
        self.folds = sorted({entry[FOLD_KEY] for entry in entries if entry.get(FOLD_KEY) is not None})

    def output_dir(self, fold: int) -> Path:
        """Where the run of a fold writes its files."""
        return Path(self._content(fold, "output_dir"))

    def checkpoint(self, fold: int) -> Path:
        """The best checkpoint of a fold."""
        return self.output_dir(fold) / "checkpoints" / "best.pt"

    def checkpoints(self) -> list[Path]:
        """The best checkpoints of the folds that were trained, to be averaged.

        Raises:
            FileNotFoundError: When none was.
        """
        found = [path for fold in self.folds if (path := self.checkpoint(fold)).is_file()]
        if not found:
            raise FileNotFoundError(
                f"No fold of {self.overlay} was trained: {self.checkpoint(self.folds[0])} does not exist. Train by "
                f"python -m monai_mtunet train {self.overlay} --folds all."
            )
        return found

    def key_metric(self) -> str:
        """Name of the metric that chooses checkpoints."""
        return str(self._content(self.folds[0], "key_metric_name"))

    def error_metrics(self) -> frozenset[str]:
        """Names of the metrics of which less is better."""
        errors: frozenset[str] = self._content(self.folds[0], "active_tasks").error_metrics
        return errors

    def _content(self, fold: int, item: str) -> Any:
        config = ConfigParser()
        config.read_config(list(self.train))
        config.update({FOLD_KEY: fold})
        return config.get_parsed_content(item)
