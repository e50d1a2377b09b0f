"""Check that it is declared how predictions are averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...tasks import Task


def check_declared(predictions: Iterable[str], tasks: Mapping[str, Task]) -> None:
    """Check that every prediction is of a declared task.

    Args:
        predictions: names of what a network predicts.
        tasks: the declared tasks by name.

    Raises:
        ValueError: When one is not.
    """
    unknown = [name for name in predictions if name not in tasks]
    if unknown:
        raise ValueError(
            f"The network predicts {unknown}, but the declared tasks are {list(tasks)}: "
            "how predictions are averaged is declared by the task."
        )
