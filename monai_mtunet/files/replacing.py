"""A file that bears its name only when it is complete."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["beside", "naming_written", "remove_leftovers", "replacing"]

_HIDDEN = re.compile(r"\.[0-9a-f]{12}\.")  # how names begin that `beside` gives
_LOCK = ".partial.lock"  # of a store that several processes write


def beside(path: Path) -> Path:
    """A hidden name of the same ending."""
    return path.with_name(f".{uuid.uuid4().hex[:12]}.{path.name}")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    r"""Write a file under another name, and give it its own at the end; after an error there is none of it.

    Args:
        path: the final file, whose earlier content stays until the new one is complete.

    Yields:
        The path to write to, of the same ending.

    Raises:
        OSError: When it cannot be written, with the path of the final file.

    Example:
        >>> with replacing(folder / "metrics.csv") as path:
        ...     path.write_text("segment_miou,0.71\n")
    """
    made = beside(path)
    try:
        with naming_written(path):
            yield made
            with made.open("rb+") as written:
                os.fsync(written.fileno())  # else a failing machine may leave an empty file of that name
            os.replace(made, path)
    finally:
        made.unlink(missing_ok=True)


@contextmanager
def naming_written(path: Path) -> Iterator[None]:
    """Errors name the file that is written, of which a full disk says nothing."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def remove_leftovers(folder: Path, names: re.Pattern[str]) -> None:
    """Remove what killed processes left hidden of files and stores, and locks. What goes on later stays.

    Args:
        folder: where they are.
        names: of the final files, that nobody else is writing.
    """
    for path in list(folder.iterdir()) if folder.is_dir() else []:
        hidden = _HIDDEN.match(path.name)
        if (hidden or path.name.endswith(_LOCK)) and names.fullmatch(path.name[hidden.end() if hidden else 0 :]):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
