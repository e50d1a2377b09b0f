"""Ratios of runs that are measured side by side."""

import argparse
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import monai
import torch

Run = Callable[[], object]


def paired_times(runs: Mapping[str, Run], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of every run in every round.

    A round holds each run once, so that drift hits all of them; every other round goes backwards, so that none always
    follows the same one. A first round warms up and is not counted. With one thread CPU time is what a clock on the
    wall would show on an idle machine, and other processes hardly disturb it.

    Args:
        runs: what to measure, by name.
        rounds: how many rounds.

    Returns:
        ``{name: [seconds of each round]}``.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for i in range(rounds + 1):
        for name in list(runs) if i % 2 else reversed(runs):
            start = time.process_time()
            runs[name]()
            if i:
                times[name].append(time.process_time() - start)
    return times


def arguments(description: str) -> argparse.Namespace:
    """The command line of a benchmark; sets the number of threads and the seed."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="tiny sizes and few pairs: shows that it runs")
    parser.add_argument("--pairs", type=int, default=0, help="pairs per ratio (default: 9; with --quick 1)")
    args = parser.parse_args()
    args.pairs = args.pairs or (1 if args.quick else 9)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return args


def print_environment() -> None:
    """One line on what the numbers depend on, and the head of the table."""
    cpu = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), cpu)
    threads, simd = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
    print(f"torch {torch.__version__}, MONAI {monai.__version__}, {threads} thread, {cpu} ({simd}), float32\n")
    print("| ratio | of | min | median | max | pairs | target |\n|---|---|---|---|---|---|---|", flush=True)


def print_ratio(name: str, of: str, a: Sequence[float], b: Sequence[float], target: float | None = None) -> None:
    """One row of the table: how many times more of something `a` takes than `b`, over their pairs.

    Args:
        name: what is compared, "a / b".
        of: what is measured: time, memory ...
        a: the numerators.
        b: the denominators, pair by pair.
        target: what the median should not exceed.
    """
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    spread = " | ".join(f"{value:.3f}" for value in (min(ratios), median(ratios), max(ratios)))
    print(f"| {name} | {of} | {spread} | {len(ratios)} | {'' if target is None else f'{target:.2f}'} |", flush=True)
