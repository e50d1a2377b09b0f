"""Compressed volumes, unpacked once to be read by parts."""

from __future__ import annotations

import glob
import gzip
import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ...files.ledger import source_state

__all__ = ["remove_unpacked", "unpacked"]

_PACKED = ".nii.gz"
_PIECE = 2**22  # bytes


@contextmanager
def unpacked(files: Sequence[str], output: Path) -> Iterator[list[str]]:
    """The files of an image, compressed NIfTI replaced by copies that are not, beside the predictions.

    gzip has no random access: a part of the volume is read only by reading all before it. A copy survives a kill and
    serves the next run, unless the file has changed; it is removed when the predictions are complete.

    Args:
        files: of the image; several are its channels.
        output: path of the predictions, without the task's name and the ending.

    Yields:
        The files to read.

    Raises:
        OSError: When a file is damaged, or the disk is full.
    """
    copies = {
        file: output.with_name(f"{output.name}.unpacked-{number}-{_digest(file)}.nii")
        for number, file in enumerate(files) if file.lower().endswith(_PACKED)
    }  # fmt: skip
    for old in output.parent.glob(f"{glob.escape(output.name)}.unpacked-*"):
        if old not in copies.values():
            old.unlink()
    for file, copy in copies.items():
        if not copy.exists():
            _unpack(file, copy)
    yield [str(copies.get(file, file)) for file in files]
    for copy in copies.values():
        copy.unlink()


def remove_unpacked(output: Path) -> None:
    """Remove the copies beside complete predictions, which a kill has left."""
    for copy in output.parent.glob(f"{glob.escape(output.name)}.unpacked-*"):
        copy.unlink()


def _digest(file: str) -> str:
    """Of path, size and time: a file that takes another's place may be older than the copy of that one."""
    return hashlib.sha256(repr(source_state([file])).encode()).hexdigest()[:12]


def _unpack(file: str, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    partial = copy.with_name(copy.name + ".partial")
    try:
        with gzip.open(file) as source, partial.open("wb") as target:
            shutil.copyfileobj(source, target, _PIECE)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        partial.unlink(missing_ok=True)
        raise OSError(
            f"{file} cannot be unpacked to {copy.parent}: {error}. Is it truncated, or the disk full?"
        ) from error
    time = Path(file).stat().st_mtime_ns
    os.utime(partial, ns=(time, time))  # a copy that is made again is the same source
    partial.replace(copy)
