"""What of a long work is done, so that it goes on after a kill."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from .replacing import naming_written

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["Ledger", "SourceState", "identity_in", "is_at_work", "notes_in", "source_state"]

SourceState = list[list[Any]]
"""Of each file its path, its size, and its time or a digest; JSON values."""


class Ledger:
    """A file beside results: what they are made with, then a line per finished part, a file or a block.

    A part is marked after its data are on the disk, so that what is marked is there whenever the process dies. Only
    one process writes a ledger, and another is refused: both would write the same files.

    Args:
        path: of the file, made when missing.
        identity: what the result depends on: source, checkpoint, configuration, windows; JSON values.
        beside: ledgers of other processes that share the work, of the same identity. What they have noted so far counts
            as noted here.

    Attributes:
        done: what was noted of the finished parts, by their name or number.

    Raises:
        ValueError: When a file is of another identity; it tells what differs.
        OSError: When another process writes this ledger.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], beside: Iterable[Path] = ()) -> None:
        self.path = path
        self.done: dict[str | int, dict[str, Any]] = {}
        self.identity: dict[str, Any] = json.loads(json.dumps(identity))
        for earlier in beside:
            self._take(earlier, _whole_lines(earlier))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")
        try:
            _lock(self._file, path)
            lines = _whole_lines(path)
            self._take(path, lines)
            _cut_off(path)
            if not lines:
                self._write(self.identity)
        except BaseException:
            self.close()
            raise

    def mark(self, part: str | int, **note: Any) -> None:
        """Note that a part is on the disk.

        Args:
            part: its name or number.
            note: what is to be known of it later; JSON values.
        """
        self.done[part] = note
        self._write({"part": part, **note})

    def begin(self, part: str | int, **note: Any) -> None:
        """Note that a part is begun, which may be done by another process.

        Args:
            part: its name or number.
            note: what is to be known of it after a kill; JSON values.
        """
        self.mark(part, begun=True, **note)

    def remove(self) -> None:
        """Remove the file: the predictions bear their final names."""
        self.close()
        self.path.unlink()

    def close(self) -> None:
        """Leave it to other processes."""
        self._file.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        with naming_written(self.path):
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _take(self, path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
        """Know what a ledger has noted. What one process has only begun may be done by another."""
        if lines:
            self._check(path, lines[0])
        notes = _notes(lines)
        self.done |= {part: note for part, note in notes.items() if "begun" not in note or part not in self.done}

    def _check(self, path: Path, earlier: Mapping[str, Any]) -> None:
        differing = sorted(
            key for key in {*earlier, *self.identity} if earlier.get(key) != self.identity.get(key)
        )  # fmt: skip
        if differing:
            changes = "; ".join(f"{key}: {earlier.get(key)} then, {self.identity.get(key)} now" for key in differing)
            raise ValueError(
                f"{path} is of predictions made with something else ({changes}). Go on as then, choose "
                "another output folder, or begin anew with --overwrite."
            )


def source_state(files: Sequence[str]) -> SourceState:
    """The files of an image, with sizes and times: whether it is the one of before.

    A folder, which is a zarr store or a series of slices, has those of all files in it.
    """
    return [_state(Path(file).absolute()) for file in files]


def _state(path: Path) -> list[Any]:
    if not path.is_dir():
        status = path.stat()
        return [str(path), status.st_size, status.st_mtime_ns]
    size, found = 0, []
    for folder, _, names in os.walk(path):
        for file in (Path(folder, name) for name in names):
            status = file.lstat()
            size += status.st_size
            found.append((file.relative_to(path).as_posix(), status.st_size, status.st_mtime_ns))
    return [str(path), size, hashlib.sha256(repr(sorted(found)).encode()).hexdigest()[:16]]


def identity_in(path: Path) -> dict[str, Any] | None:
    """What a ledger's predictions are made with; None when there is none yet."""
    return next(iter(_whole_lines(path)), None)


def notes_in(path: Path) -> dict[str | int, dict[str, Any]]:
    """What a ledger has noted of parts; nothing when there is none yet."""
    return _notes(_whole_lines(path))


def is_at_work(path: Path) -> bool:
    """Whether another process writes a ledger, as far as the file system tells."""
    if fcntl is None:
        return False
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # it is gone, or there are no locks
        pass
    return False


def _notes(lines: Sequence[Mapping[str, Any]]) -> dict[str | int, dict[str, Any]]:
    return {line["part"]: {key: value for key, value in line.items() if key != "part"} for line in lines[1:]}


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    """A ledger's lines; the last one may have been cut off by a kill."""
    lines: list[dict[str, Any]] = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            if not line.endswith("\n"):
                break
            lines.append(json.loads(line))
    return lines


def _cut_off(path: Path) -> None:
    """Remove a last line that a kill has cut off."""
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def _lock(file: TextIO, path: Path) -> None:
    """Keep other processes away until the file is closed; a kill closes it."""
    if fcntl is None:
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OSError(
            f"{path} is at work in another process: wait for its end, or let several processes share the images by "
            "--part and --parts."
        ) from None
    except OSError:  # no locks on this file system
        return
