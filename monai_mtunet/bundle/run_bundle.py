"""A run of a bundle in a process of its own, as its literal command does it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import IO, Any

__all__ = ["run_bundle"]

_POLL, _GRACE = 1.0, 30.0  # seconds between looks for an interrupt, and left to a run to end by itself after one


def run_bundle(
    configs: Sequence[str],
    overrides: Mapping[str, Any],
    log: Path | None = None,
    interrupted: Event | None = None,
) -> None:
    """Run ``python -m monai.bundle run --config_file [...]`` and wait for its end.

    Args:
        configs: configuration files in their order.
        overrides: items by id.
        log: file that its output is added to; by default it is shown.
        interrupted: when set, the run is left some time to end by itself, and then terminated.

    Raises:
        RuntimeError: When it ends with another exit status than 0, without an interrupt.
    """
    options = [option for name, value in overrides.items() for option in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", str(list(configs)), *options]
    if log is None:
        code = _execute(command, None, interrupted or Event())
    else:
        with open(log, "a") as file:
            code = _execute(command, file, interrupted or Event())
    if code:
        where = "its last line says why" if log is None else f"its output is in {log}"
        raise RuntimeError(f"A run ended with exit status {code}; {where}.")


def _execute(command: Sequence[str], log: IO[str] | None, interrupted: Event) -> int:
    process = subprocess.Popen(command, stdout=log, stderr=None if log is None else subprocess.STDOUT)
    try:
        while not interrupted.is_set():
            with suppress(subprocess.TimeoutExpired):
                return process.wait(_POLL)
    except KeyboardInterrupt:
        _end(process)
        raise
    return _end(process)


def _end(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_GRACE)  # Ctrl-C reaches it as well
    except subprocess.TimeoutExpired:
        process.terminate()
        return process.wait()
