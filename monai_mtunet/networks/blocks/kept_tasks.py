"""Leaving the modules of tasks out that nobody asked for."""

from collections.abc import Collection

from torch import nn


def keep_tasks(modules: nn.ModuleDict, tasks: Collection[str]) -> None:
    """Remove the modules of all tasks but the given ones, in place.

    Args:
        modules: one module per task; not every task needs to have one.
        tasks: names of the tasks whose modules stay.

    """
    for task in list(modules):
        if task not in tasks:
            del modules[task]
