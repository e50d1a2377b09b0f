"""Predictions of earlier runs among images, known by their ledgers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from ..files.ledger import identity_in, notes_in
from .ledger_names import ledgers

__all__ = ["EarlierPredictions"]


class EarlierPredictions:
    """Tells images from what this package predicted of them, and remembers what it leaves out.

    Attributes:
        left_out: predictions and panels, finished or not.
    """

    def __init__(self) -> None:
        self.left_out: list[Path] = []
        self._known: dict[Path, set[str]] = {}

    def without(self, images: Iterable[tuple[str, ...]], root: Path, below: bool = False) -> list[tuple[str, ...]]:
        """Leave predictions out.

        Args:
            images: the files of each.
            root: folder whose ledger counts, and those of the folders in it.
            below: whether the ledger of ``root`` itself does not count.
        """
        kept = []
        for files in images:
            if self._is_known(Path(files[0]), root, below):
                self.left_out.append(Path(files[0]))
            else:
                kept.append(files)
        return kept

    def _is_known(self, path: Path, root: Path, below: bool) -> bool:
        # A prediction is named after its task, then a point: what follows says only of what kind it is.
        names = [path.name, *(path.name[: end + 1] for end, letter in enumerate(path.name) if letter == ".")]
        candidates = {str(path.parent / name) for name in names}
        folders = (folder for folder in path.parents if folder.is_relative_to(root) and not (below and folder == root))
        return any(not candidates.isdisjoint(self._of(folder)) for folder in folders)

    def _of(self, folder: Path) -> set[str]:
        """Files, and beginnings of names, of the predictions that a folder's ledgers tell of."""
        if folder not in self._known:
            self._known[folder] = {str(folder / name) for ledger in ledgers(folder) for name in _names(ledger)}
        return self._known[folder]


def _names(ledger: Path) -> Iterator[str]:
    with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # it is damaged, or no ledger
        tasks: Sequence[str] = (identity_in(ledger) or {}).get("tasks", ())
        for stem, note in notes_in(ledger).items():
            yield from note.get("files", ())
            yield from (f"{stem}_{task}." for task in (*tasks, "panel"))
