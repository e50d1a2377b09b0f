"""A training as its folder keeps it, to predict its cases once more."""

from __future__ import annotations

from pathlib import Path

from monai.bundle import ConfigParser

from ...bundle.training_record import CONFIGURATION_FILE
from ...engines import MultiTaskEvaluator

__all__ = ["saved_evaluator"]

# Nothing is written, no other weights are read, and only the samples that are drawn.
_READ_ONLY = {
    "validate#handlers": [],
    "pretrained_network": "@network_def",
    "validate#dataset#cache_rate": 0.0,
    "num_workers": 0,
}


def saved_evaluator(folder: Path) -> MultiTaskEvaluator:
    """Make the evaluator of a training from its ``configuration.json``, which is code, as every configuration.

    Args:
        folder: ``output_dir`` of the training. Relative paths in its configuration are those of the present folder.

    Raises:
        FileNotFoundError: When the folder keeps no configuration.
    """
    file = folder / CONFIGURATION_FILE
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist, so that the data are not known: train anew, or do without.")
    config = ConfigParser()
    config.read_config(str(file))
    config.update({**_READ_ONLY, "output_dir": str(folder)})
    evaluator: MultiTaskEvaluator = config.get_parsed_content("validate#evaluator")
    return evaluator
