"""One case in a process of its own, forked from one that has imported everything, with limits of time and memory."""

from __future__ import annotations

import json
import os
import resource
import runpy
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monai_mtunet.bundle.plain_errors import plain_errors, root_cause

from . import problem
from .cases import Made
from .oracle import is_acceptable

MEMORY = 6 * 2**30
SECONDS = 10  # of a processor: other processes beside the cases must not make them hang
LAST_RESORT = 120  # of a clock, for what waits without computing


@dataclass(frozen=True)
class Ended:
    """How a process ended.

    Args:
        status: of its exit; negative for the number of a signal.
        seconds: of a processor.
        waited: seconds of a clock.
        log: what it printed.
        told: what else it had to say.
    """

    status: int
    seconds: float
    waited: float
    log: str
    told: dict[str, Any]

    @property
    def last_line(self) -> str:
        lines = [line for line in self.log.strip().splitlines() if line.strip()]
        return lines[-1] if lines else ""


def in_a_child(call: Callable[[], dict[str, Any]], log: Path) -> Ended:
    """Fork, run, and wait; all that is printed goes to the log."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _child(call, log)
    started = time.monotonic()
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > started + LAST_RESORT:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
    told = log.with_suffix(".told")
    return Ended(
        os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, time.monotonic() - started,
        log.read_text(errors="replace"), json.loads(told.read_text()) if told.exists() else {},
    )  # fmt: skip


def _child(call: Callable[[], dict[str, Any]], log: Path) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (3 * SECONDS, 3 * SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir(log.parent)  # what is written beside an output folder is removed with the case
    with open(log, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    status = 0
    try:
        told = call()
    except SystemExit as error:
        status, told = (error.code if isinstance(error.code, int) else 1), {}
    except BaseException as error:
        status, told = 1, _about(error) | {"before": sys.excepthook.__module__ != plain_errors.__module__}
        sys.excepthook(type(error), error, error.__traceback__)
    log.with_suffix(".told").write_text(json.dumps(told))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _about(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(root_cause(error).__traceback__)
    return {"ours": f"{os.sep}monai_mtunet{os.sep}" in frames[-1].filename}


def run_bundle(arguments: list[str]) -> dict[str, Any]:
    """What `python -m monai.bundle` does with these arguments, in this process."""
    sys.argv = ["monai.bundle", *arguments]
    runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
    return {}


def load(made: Made) -> dict[str, Any]:
    """Load a sample as training does, and say whether it is what its file holds."""
    sys.argv = ["__main__.py", "run"]
    plain_errors()
    sample = problem.preprocessing(made.dims)(made.entry)
    loaded = torch.as_tensor(sample[made.role]).numpy()
    right = is_acceptable(loaded, Path(made.entry[made.role]), made.original)
    return {"right": right, "misses": made.role == "image" and bool(np.isnan(loaded).any())}
