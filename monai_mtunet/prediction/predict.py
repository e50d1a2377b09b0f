"""Files in, predictions out."""

from __future__ import annotations

import glob
import json
import logging
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..bundle.plain_errors import root_cause
from ..files.ledger import Ledger, SourceState, identity_in, source_state
from .inputs import PredictionInput
from .parts import PredictionParts
from .predictor import Predictor
from .unwritable import telling_unwritable, unwritable

logger = logging.getLogger(__name__)

__all__ = ["LEDGER", "PredictionReport", "predict_inputs"]

LEDGER = "predictions.jsonl"  # in the folder of predictions: which images are done, and with what


def ledgers(output_dir: Path) -> list[Path]:
    """All of a folder of predictions: one, or those of processes that share the images."""
    return sorted(output_dir.glob(f"{Path(LEDGER).stem}*.jsonl"))


def open_ledger(output_dir: Path, name: str, identity: Mapping[str, Any]) -> Ledger:
    """The ledger of that name, which knows what all others of the folder have noted.

    Raises:
        ValueError: When predictions in the folder were made with something else.
    """
    path = output_dir / name
    return Ledger(path, identity, beside=[other for other in ledgers(output_dir) if other != path])


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
        OSError: When the folder is full or read-only, which ends it; what is done is kept.
    """
    report = PredictionReport()
    with (
        telling_unwritable(output_dir, report.done),
        open_ledger(output_dir, ledger_name, predictor.parts.identity) as ledger,
    ):
        # On terminals only.
        for item in tqdm(inputs, unit="image", disable=None):
            name = item.files[0]
            if is_done(ledger, item, output_dir):
                report.kept.append(name)
                continue
            try:
                source = begin(ledger, predictor.parts.saved_names, item, output_dir)
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


def is_done(ledger: Ledger, item: PredictionInput, output_dir: Path) -> bool:
    """Whether an image's predictions are there, of the image as it is now."""
    noted = ledger.done.get(item.stem)
    if noted is None or "files" not in noted:
        return False
    try:
        same = noted["source"] == source_state(item.files)
    except OSError:  # it is told when the image is read
        return False
    return same and all((output_dir / file).exists() for file in noted["files"])


def note(ledger: Ledger, item: PredictionInput, source: SourceState, files: Sequence[Path], output_dir: Path) -> None:
    """Note that an image's predictions are there, of the image as it was when they were begun."""
    written = [file.relative_to(output_dir).as_posix() for file in files]
    ledger.mark(item.stem, source=source, files=written)


def begin(ledger: Ledger, tasks: Sequence[str], item: PredictionInput, output_dir: Path) -> SourceState:
    """Note that an image is begun: whatever bears its name is ours from now on, also after a kill.

    Returns:
        The state of its files, before any is read.

    Raises:
        OSError: When a file is no longer there.
        FileExistsError: When there are files of that name already, of unknown origin.
    """
    source, stem = source_state(item.files), output_dir / item.stem
    found = [path for task in tasks for path in stem.parent.glob(f"{glob.escape(stem.name)}_{task}.*")]
    if found and item.stem not in ledger.done:
        raise FileExistsError(
            f"{found[0]} is there already: choose another output folder, or replace with --overwrite."
        )
    ledger.mark(item.stem)
    return source


def remove_predictions(inputs: Iterable[PredictionInput], parts: PredictionParts, output_dir: Path) -> None:
    """Remove what earlier runs left of these images, finished or not, for ``--overwrite``.

    Ledgers of the same predictions stay: they tell what is done of other images, and other processes may be at work.
    """
    identity = json.loads(json.dumps(parts.identity))
    for ledger in ledgers(output_dir):
        with suppress(ValueError):  # of a damaged one
            if identity_in(ledger) == identity:
                continue
        ledger.unlink()
    for item in inputs:
        stem = output_dir / item.stem
        for pattern in (*(f"_{task}.*" for task in parts.saved_names), "_panel.png", ".blocks*.jsonl", ".unpacked-*"):
            for path in stem.parent.glob(glob.escape(stem.name) + pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def reason_of(error: Exception) -> str:
    cause = root_cause(error)
    return " ".join(str(cause).split()) or type(cause).__name__
