"""What a rule chose, and why."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Choice", "listed"]


class Choice(NamedTuple):
    """One thing that was chosen.

    Args:
        what: such as "patch".
        value: as a reader says it.
        reason: the rule, with the numbers that decided.
    """

    what: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what}: {self.value} ({self.reason})"


def listed(values: object) -> str:
    """Numbers along axes, as "32 x 40 x 24"."""
    return " x ".join(f"{value:g}" for value in values)  # type: ignore[attr-defined]
