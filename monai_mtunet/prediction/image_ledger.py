"""Which images of a folder of predictions are done, and what other processes and kills have left there."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..files.ledger import Ledger, SourceState, identity_in, is_at_work, source_state
from ..files.replacing import remove_leftovers
from .blocks.by_blocks import blocks_ledger
from .blocks.unpacked import remove_unpacked
from .inputs import PredictionInput
from .ledger_names import LEDGER, ledgers
from .parts import PredictionParts

__all__ = [
    "begin",
    "is_done",
    "note",
    "open_ledger",
    "remove_leftovers_of",
    "remove_predictions",
]


def open_ledger(output_dir: Path, name: str, identity: Mapping[str, Any]) -> Ledger:
    """The ledger of that name, which knows what all others of the folder have noted.

    Raises:
        ValueError: When predictions in the folder were made with something else.
        OSError: When another process is at work there, unless it has another part of the same images.
    """
    others = [other for other in ledgers(output_dir) if other.name != name]
    ledger = Ledger(output_dir / name, identity, beside=others)
    try:
        # After this one is locked, so that of two processes that begin at once one sees the other.
        for other in others:
            _refuse_at_work(other, unless=_deal(other.name) == _deal(name))
    except OSError:
        ledger.close()
        raise
    return ledger


def _deal(name: str) -> str:
    """What processes must have in common to share the images of a folder: the number of parts."""
    return Path(name).stem.rpartition("-of-")[2]


def _refuse_at_work(ledger: Path, unless: bool = False) -> None:
    if not unless and is_at_work(ledger):
        raise OSError(
            f"{ledger} is at work in another process, which may predict the same images: wait for its end, give both "
            "the same --parts, or choose another output folder."
        )


def is_done(ledger: Ledger, tasks: Sequence[str], item: PredictionInput, output_dir: Path) -> bool:
    """Whether an image's predictions are there, of the image as it is now."""
    noted = ledger.done.get(item.stem)
    if noted is None:
        return False
    try:
        source = source_state(item.files)
    except OSError:  # it is told when the image is read
        return False
    if noted.get("source") != source:
        return False
    if "files" in noted:
        return all((output_dir / file).exists() for file in noted["files"])
    stem = output_dir / item.stem
    files = [] if noted["replaces"] or blocks_ledger(stem).exists() else _named(stem, tasks)
    if not files:
        return False
    # A kill came between the last of their names and the note.
    remove_leftovers_of(stem, tasks)
    remove_unpacked(stem)
    note(ledger, item, source, files, output_dir)
    return True


def note(ledger: Ledger, item: PredictionInput, source: SourceState, files: Sequence[Path], output_dir: Path) -> None:
    """Note that an image's predictions are there, of the image as it was when they were begun."""
    written = [file.relative_to(output_dir).as_posix() for file in files]
    ledger.mark(item.stem, source=source, files=written)


def begin(ledger: Ledger, tasks: Sequence[str], item: PredictionInput, output_dir: Path) -> SourceState:
    """Note that an image is begun: whatever bears its name is ours from now on, also after a kill.

    What a kill has left of it is removed, but for what the prediction goes on with.

    Returns:
        The state of its files, before any is read.

    Raises:
        OSError: When a file is no longer there.
        FileExistsError: When there are files of that name already, of unknown origin.
    """
    source, stem = source_state(item.files), output_dir / item.stem
    earlier, found = ledger.done.get(item.stem), _files(stem, tasks)
    if found and earlier is None:
        raise FileExistsError(
            f"{found[0]} is there already: choose another output folder, or replace with --overwrite."
        )
    replaces = False
    if earlier is not None:
        remove_leftovers_of(stem, tasks)
        # Files of another source are no sign that this one is done.
        replaces = bool(found) and (earlier.get("source") != source or earlier.get("replaces", False))
    ledger.begin(item.stem, source=source, replaces=replaces)
    return source


def remove_predictions(
    inputs: Iterable[PredictionInput], parts: PredictionParts, output_dir: Path, name: str = LEDGER
) -> None:
    """Remove what earlier runs left of these images, finished or not, for ``--overwrite``.

    Ledgers of the same predictions stay: they tell what is done of other images, and other processes may be at work.

    Args:
        inputs: the images.
        parts: what they will be predicted with.
        output_dir: the folder.
        name: of the ledger that will be opened.

    Raises:
        OSError: When another process is at work there, unless it has another part of the same images.
    """
    identity = json.loads(json.dumps(parts.identity))
    for ledger in ledgers(output_dir):
        same = False
        with suppress(ValueError):  # of a damaged one
            same = identity_in(ledger) == identity
        _refuse_at_work(ledger, unless=same and ledger.name != name and _deal(ledger.name) == _deal(name))
        if not same:
            ledger.unlink()
    for item in inputs:
        stem = output_dir / item.stem
        remove_leftovers_of(stem, parts.saved_names)
        remove_unpacked(stem)
        others = [stem.with_name(stem.name + "_panel.png"), blocks_ledger(stem)]
        for path in [*_files(stem, parts.saved_names), *others]:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def remove_leftovers_of(stem: Path, tasks: Sequence[str]) -> None:
    """Remove what a kill has left of an image's predictions and of its panel, but for what goes on."""
    remove_leftovers(stem.parent, _names(stem, [*tasks, "panel"]))


def _names(stem: Path, tasks: Sequence[str]) -> re.Pattern[str]:
    """Of an image's predictions, finished or not."""
    return re.compile(rf"{re.escape(stem.name)}_({'|'.join(map(re.escape, tasks))})\..*")


def _files(stem: Path, tasks: Sequence[str]) -> list[Path]:
    """What bears the name of a prediction, finished or not."""
    names = _names(stem, tasks)
    found = os.listdir(stem.parent) if stem.parent.exists() else []
    return [stem.with_name(name) for name in sorted(found) if names.fullmatch(name)]


def _named(stem: Path, tasks: Sequence[str]) -> list[Path]:
    """The predictions of an image when all bear their final names, else none."""
    files = _files(stem, tasks)
    of_tasks = [[path for path in files if path.name.startswith(f"{stem.name}_{task}.")] for task in tasks]
    if any(len(paths) != 1 for paths in of_tasks):  # an unfinished file is one more
        return []
    named = [path for (path,) in of_tasks if not path.name.endswith(".partial")]
    return named if len(named) == len(tasks) else []
