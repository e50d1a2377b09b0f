"""Errors of a run as its user needs them: the cause, last and once."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
import traceback
from multiprocessing.dummy import DummyProcess
from types import TracebackType

from .command_line import is_bundle_run
from .config_place import place_in_config
from .worker_errors import cause_in_worker

__all__ = ["plain_errors", "report_error", "root_cause"]

_LONGEST_WAIT = 9.0  # seconds


def plain_errors() -> None:
    """From now on an error that ends ``python -m monai.bundle run`` is told by its cause alone, on the last lines.

    MONAI wraps what happens inside a configuration, so that the last line of the traceback would be about an
    expression, and the cause hundreds of lines above. The whole traceback goes to a file, which is named. Call it first
    in ``initialize``. Runs that are started from Python raise as ever.
    """
    if is_bundle_run():
        sys.excepthook = _tell


def root_cause(error: BaseException) -> BaseException:
    """What an error was raised for: the first of the chain."""
    while (earlier := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        # A clearer error that replaces a library's own says more than that.
        if type(earlier).__module__.partition(".")[0] != "monai_mtunet" and _is_ours(error):
            return error
        error = earlier
    return error


def _is_ours(error: BaseException) -> bool:
    """Whether a line of this package raised an error with a message of its own."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or f"{os.sep}monai_mtunet{os.sep}" not in frames[-1].filename:
        return False
    return (frames[-1].line or "raise").startswith("raise")


def report_error(error: Exception) -> None:
    """Tell an error by its cause alone, on the last line, after the name of the file that has the whole traceback.

    Args:
        error: what ends the process; a chain of errors is told by its :func:`root_cause`.
    """
    with tempfile.NamedTemporaryFile("w", prefix="monai_mtunet_", suffix="_traceback.txt", delete=False) as file:
        traceback.print_exception(error, file=file)
    print(f"\nThe whole traceback is in {file.name}\n{_told(error)}", file=sys.stderr)
    _let_pools_end()


def _told(error: BaseException) -> str:
    """The cause, on one line. Where it is a library's, the item of the configuration that it came up in, too."""
    cause = root_cause(error)
    told = cause_in_worker(str(cause))
    if told is None:
        place = None if _is_ours(cause) else place_in_config(error)
        told = f"{type(cause).__name__}: {cause}" + (f" ({place})" if place else "")
    return " ".join(told.split())


def _let_pools_end() -> None:
    """Wait for threads that fill a cache: those that still compute when the interpreter ends would abort it."""
    end = time.monotonic() + _LONGEST_WAIT
    for thread in threading.enumerate():
        if isinstance(thread, DummyProcess):
            thread.join(max(0.0, end - time.monotonic()))


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, Exception):
        report_error(error)
    else:
        sys.__excepthook__(kind, error, trace)
