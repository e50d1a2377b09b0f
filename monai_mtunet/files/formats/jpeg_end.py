"""Whether a JPEG is whole: it has no checksum, and what is cut off its end decodes as gray without an error."""

from __future__ import annotations

from pathlib import Path

__all__ = ["check_jpeg_end"]

_START_OF_SCAN, _END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"


def check_jpeg_end(path: Path) -> None:
    """Raise for a file whose image has no end.

    Raises:
        ValueError: When the end's marker is missing after the first scan.
    """
    content, at = path.read_bytes(), 2
    while content[at : at + 2] not in (_START_OF_SCAN, b""):  # segments, of which one may hold a whole thumbnail
        at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    if _END_OF_IMAGE not in content[at:]:
        raise ValueError("its image has no end")
