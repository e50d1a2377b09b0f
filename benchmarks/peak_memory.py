"""Peak resident memory of a run in a process of its own. Needs Linux, and glibc's allocator for exact numbers."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

# Without these glibc keeps freed blocks of up to 32 MiB, and the peak depends on the order of allocations.
os.environ["MALLOC_MMAP_THRESHOLD_"] = os.environ["MALLOC_TRIM_THRESHOLD_"] = "65536"

# It imports once, and gives every run a process without a history. Optimizers import torch._dynamo when first used.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["monai_mtunet", "monai.networks.nets", "torch._dynamo"])


def peak_memory(run: Callable[[], object], warm_up: Callable[[], object]) -> float:
    """MiB that a run needs at its peak, beyond the process after a warm-up.

    Args:
        run: what to measure; picklable, such as a `functools.partial` of a module's function.
        warm_up: the same at a tiny size, so that the code which it loads is not counted.
    """
    with ProcessPoolExecutor(max_workers=1, mp_context=processes) as executor:
        return executor.submit(_measure, run, warm_up).result()


def _measure(run: Callable[[], object], warm_up: Callable[[], object]) -> float:
    warm_up()
    before = _status("VmRSS")
    # `resource.getrusage` would not do: its maximum includes the parent's memory at the time of the fork.
    run()
    return _status("VmHWM") - before


def _status(field: str) -> float:
    """A field of this process's status, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))
