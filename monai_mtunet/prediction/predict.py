"""Files in, predictions out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tqdm import tqdm

from ..bundle.plain_errors import root_cause
from .image_ledger import begin, is_done, note, open_ledger
from .inputs import PredictionInput
from .ledger_names import LEDGER
from .predictor import Predictor
from .unwritable import telling_unwritable, unwritable

logger = logging.getLogger(__name__)

__all__ = ["PredictionReport", "predict_inputs"]


@dataclass
class PredictionReport:
    """What became of each image, by its first file.

    Args:
        done: the files that were written.
        kept: whose predictions were there already, made with the same.
        failed: why others have none.
    """

    done: dict[str, list[Path]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def summary(self, output_dir: Path) -> str:
        """In words, what failed last."""
        counts = f"{len(self.done)} predicted, {len(self.kept)} there already, {len(self.failed)} failed"
        failures = [f"  {name}: {reason}" for name, reason in self.failed.items()]
        return "\n".join([f"{output_dir}: {counts}.", *failures])


def predict_inputs(
    predictor: Predictor,
    inputs: Iterable[PredictionInput],
    output_dir: Path,
    panels: bool = False,
    ledger_name: str = LEDGER,
) -> PredictionReport:
    """Predict images one after another. One that fails does not stop the others, and none is predicted twice.

    Args:
        predictor: what predicts them.
        inputs: the images.
        output_dir: folder of the predictions.
        panels: whether to draw input and predictions side by side, of images that fit into memory.
        ledger_name: of the file in that folder that tells which images are done, and with what.

    Raises:
        ValueError: When predictions in the folder were made with something else.
        OSError: When the folder is full or read-only, which ends it; what is done is kept. When another process is at
            work there, unless it has another part of the same images.
    """
    report, tasks = PredictionReport(), predictor.parts.saved_names
    with (
        telling_unwritable(output_dir, report.done),
        open_ledger(output_dir, ledger_name, predictor.parts.identity) as ledger,
    ):
        # On terminals only.
        for item in tqdm(inputs, unit="image", disable=None):
            name = item.files[0]
            if is_done(ledger, tasks, item, output_dir):
                report.kept.append(name)
                continue
            try:
                source = begin(ledger, tasks, item, output_dir)
                files = predictor.predict(item.files, output_dir / item.stem, panels)
            except Exception as error:  # whatever is wrong with one image
                if unwritable(error):
                    raise
                report.failed[name] = reason_of(error)
                logger.error("%s failed: %s", name, report.failed[name])
                continue
            note(ledger, item, source, files, output_dir)
            report.done[name] = files
    return report


def reason_of(error: Exception) -> str:
    cause = root_cause(error)
    return " ".join(str(cause).split()) or type(cause).__name__
