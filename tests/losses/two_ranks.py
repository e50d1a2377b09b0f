"""Runs a function in two processes that are joined by gloo."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def _process(rank: int, function: Callable[[int], Any], folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    torch.save(function(rank), f"{folder}/result{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


def on_two_ranks(function: Callable[[int], Any], folder: Path) -> list[Any]:
    """What the function, of module level, returns on each rank."""
    mp.spawn(_process, args=(function, str(folder)), nprocs=2)
    return [torch.load(folder / f"result{rank}.pt") for rank in (0, 1)]
