"""What happens to files of every format."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from numpy.random import Generator

Mutation = Callable[[Path, Generator], None]


def truncated(path: Path, rng: Generator) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(1, len(content)))])


def emptied(path: Path, rng: Generator) -> None:
    path.write_bytes(b"")


def flipped(path: Path, rng: Generator, first: int = 0, last: int | None = None) -> None:
    """Flip 1 to 8 bits, of bytes in a range."""
    content = bytearray(path.read_bytes())
    end = len(content) if last is None else min(last, len(content))
    for position in rng.integers(min(first, end - 1), end, int(rng.integers(1, 9))):
        content[position] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def noise(path: Path, rng: Generator) -> None:
    path.write_bytes(rng.bytes(int(rng.integers(1, 4000))))


def zeros_at_the_end(path: Path, rng: Generator) -> None:
    """What a crash leaves of a file whose last blocks were not written."""
    content = path.read_bytes()
    kept = int(rng.integers(1, len(content)))
    path.write_bytes(content[:kept] + bytes(len(content) - kept))


def more_at_the_end(path: Path, rng: Generator) -> None:
    path.write_bytes(path.read_bytes() + rng.bytes(int(rng.integers(1, 200))))


def text(path: Path, rng: Generator) -> None:
    """A web page or a pointer of Git LFS in place of the file."""
    page = "<!DOCTYPE html><html>404 Not Found</html>\n"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    path.write_text(page if rng.integers(2) else pointer)


def folder(path: Path, rng: Generator) -> None:
    path.unlink()
    path.mkdir()
    if rng.integers(2):
        (path / "notes.txt").write_text("nothing")


def missing(path: Path, rng: Generator) -> None:
    path.unlink()


def broken_link(path: Path, rng: Generator) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone"))


def of_another_format(path: Path, rng: Generator, others: tuple[Path, ...] = ()) -> None:
    """Another file under this one's name."""
    shutil.copyfile(others[int(rng.integers(len(others)))], path)


ANY_FILE: dict[str, Mutation] = {
    "truncated": truncated,
    "empty": emptied,
    "flipped bits": flipped,
    "noise": noise,
    "zeros at the end": zeros_at_the_end,
    "more at the end": more_at_the_end,
    "text": text,
    "folder": folder,
    "missing": missing,
    "broken link": broken_link,
}
