"""A data list whose entries say which fold they are held out in."""

from __future__ import annotations

import os
from typing import Any, Literal

from .read_datalist import read_datalist

__all__ = ["FOLD_KEY", "fold_datalist"]

FOLD_KEY = "fold"


def fold_datalist(
    list_file: str | os.PathLike[str],
    section: Literal["train", "val"],
    fold: int = 0,
    base_dir: str | os.PathLike[str] | None = None,
) -> list[dict[str, Any]]:
    """Read the training or the validation samples of a fold.

    The list is one that `read_datalist` reads, without sections. An entry's ``"fold"`` is the number of the fold that
    validates on it, in which it is not trained on; ``null`` for what is always trained on. ``plan`` writes such lists.

    Args:
        list_file: JSON or CSV.
        section: "train" or "val".
        fold: from 0 on.
        base_dir: the folder that paths are relative to; by default the list's own.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, without the fold.

    Raises:
        FileNotFoundError: When the list or files that it names do not exist.
        ValueError: When the section is another, an entry has no fold, there is no such fold, or nothing is left to
            train on.

    Example:
        >>> held_out = fold_datalist("mine.cases.json", "val", fold=2)
    """
    if section not in ("train", "val"):
        raise ValueError(f"section must be 'train' or 'val', got {section!r}.")
    samples = read_datalist(list_file, base_dir=base_dir)
    if without := [number for number, sample in enumerate(samples, start=1) if FOLD_KEY not in sample]:
        raise ValueError(f'{list_file}, entry {without[0]}, has no "{FOLD_KEY}": give its number, or null.')
    folds = sorted({sample[FOLD_KEY] for sample in samples} - {None})
    if fold not in folds:
        raise ValueError(f"{list_file} has the folds {folds}, got {fold}.")
    chosen = [sample for sample in samples if (sample[FOLD_KEY] == fold) == (section == "val")]
    if not chosen:
        raise ValueError(f"{list_file}: all entries are of fold {fold}, so that nothing is left to train on.")
    return [{key: value for key, value in sample.items() if key != FOLD_KEY} for sample in chosen]
