"""Bundles that die as a killed process does, without cleaning up. One interpreter starts them all.

Usage: `python killed_runs.py '[["saving 3", {... arguments of monai.bundle.run ...}], ["step 4", {...}]]'`
"""

import io
import json
import os
import signal
import sys
from typing import Any

import torch
from monai.bundle import run

import monai_mtunet  # noqa: F401 - what the runs need is imported once


def die_while_saving(fatal: int) -> None:
    """Write half of the checkpoint whose turn it is, then die."""
    count, real_save = 0, torch.save

    def dying_save(obj: object, file: Any, **kwargs: Any) -> None:
        nonlocal count
        count += 1
        if count == fatal:
            buffer = io.BytesIO()
            real_save(obj, buffer)
            file.write(buffer.getvalue()[: len(buffer.getvalue()) // 2])
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        real_save(obj, file, **kwargs)

    torch.save = dying_save


def die_at_a_step(fatal: int) -> None:
    """Die before the optimizer's step of this number."""
    count, real_step = 0, torch.optim.Adam.step

    def dying_step(self: torch.optim.Adam, *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return real_step(self, *args, **kwargs)

    torch.optim.Adam.step = dying_step


if __name__ == "__main__":
    for death, arguments in json.loads(sys.argv[1]):
        if (child := os.fork()) == 0:
            kind, _, number = death.partition(" ")
            {"saving": die_while_saving, "step": die_at_a_step}[kind](int(number))
            run(**arguments)
            sys.exit("The run did not die.")
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), death
        assert os.WTERMSIG(status) == signal.SIGKILL, death
