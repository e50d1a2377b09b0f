"""An output folder that nothing can be written to, which is no failure of one image."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sized
from contextlib import contextmanager
from pathlib import Path

from ..bundle.plain_errors import root_cause

__all__ = ["telling_unwritable", "unwritable"]

_ERRORS = {errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows has no quota of that name


def unwritable(error: BaseException) -> OSError | None:
    """What says that a disk is full or read-only, if an error does: every other image would fail, computed in vain."""
    cause = root_cause(error)
    return cause if isinstance(cause, OSError) and cause.errno in _ERRORS else None


@contextmanager
def telling_unwritable(folder: Path, done: Sized) -> Iterator[None]:
    """Tell in one sentence that a folder is full or read-only, and what is kept.

    Args:
        folder: of the predictions.
        done: the images that were predicted, counted when it ends.

    Raises:
        OSError: Instead of one that says that a disk is full or read-only.
    """
    try:
        yield
    except Exception as error:
        cause = unwritable(error)
        if cause is None:
            raise
        raise OSError(
            f"Nothing more can be written to {folder}: {cause.strerror}. {len(done)} predicted image(s) are kept. Make "
            "room and give the same command again, which goes on, or choose another output folder."
        ) from error
