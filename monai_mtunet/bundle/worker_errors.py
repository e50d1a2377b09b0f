"""What failed in a worker process of a data loader, which torch tells as the text of a whole traceback."""

from __future__ import annotations

import os
import re

__all__ = ["cause_in_worker"]

_IN_WORKER = re.compile(r"Caught \w+ in \w+ worker process \d+\.\n(?:Original )?Traceback \(most recent call last\):\n")
_NEXT_IN_CHAIN = re.compile(
    r"\n\n(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\n\n"
)
_FRAME = re.compile(r'^  File "(?P<file>[^"]+)", line \d+, in .*\n(?:    .*\n)*', re.MULTILINE)


def cause_in_worker(message: str) -> str | None:
    """Find the error that a worker's traceback ends for, with its type, as the last line of a traceback is.

    Args:
        message: of an error that torch raised for a worker's.

    Returns:
        The first error of the chain, or the first that a line of this package raised in place of a library's own;
        ``None`` when the message is of no worker.
    """
    if not _IN_WORKER.match(message):
        return None
    told = None
    for part in _NEXT_IN_CHAIN.split(message):
        frames = list(_FRAME.finditer(part))
        if not frames:
            continue
        error = part[frames[-1].end() :].strip()
        is_ours = f"{os.sep}monai_mtunet{os.sep}" in frames[-1]["file"]
        if told is None or is_ours:
            told = error
        if is_ours:
            break
    return told
