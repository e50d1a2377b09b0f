"""Names of tasks, as users give them."""

from __future__ import annotations

from collections.abc import Sequence


def known_names(given: Sequence[str] | str, declared: Sequence[str]) -> list[str]:
    """Check names of tasks.

    Args:
        given: names, as a list or separated by blanks.
        declared: names of the declared tasks.

    Returns:
        The given names as a list.

    Raises:
        ValueError: When one is of no declared task.
    """
    names = given.split() if isinstance(given, str) else list(given)
    unknown = sorted(set(names) - set(declared))
    if unknown:
        raise ValueError(f"Unknown task(s) {unknown}; the declared tasks are {list(declared)}.")
    return names


def check_unique(names: Sequence[str]) -> None:
    """Check the names of tasks that are declared together.

    Args:
        names: one per task.

    Raises:
        ValueError: When there is none, or a name occurs twice.
    """
    if not names:
        raise ValueError("Declare at least one task.")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"Task names must be unique; {repeated} occur more than once.")
