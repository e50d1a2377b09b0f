"""A task as an overlay declares it, with the transforms that its targets take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Declared"]


@dataclass(frozen=True)
class Declared:
    """What one target adds to an overlay.

    Args:
        tasks: declarations; several where one is made of others.
        reader: how its files are loaded, where that differs from other targets.
        decode: transforms right after loading.
        make: transforms that make targets of others.
        unmake: transforms right before the network, such as from a painted box to its numbers.
        key_metric: name of the metric that says best how good it is.
        reason: why it is learned so.
        classes: of segmentations how many there are.
        has_vector: whether it is one vector per image.
    """

    tasks: list[dict[str, Any]]
    key_metric: str
    reason: str
    reader: dict[str, Any] | None = None
    decode: list[dict[str, Any]] = field(default_factory=list)
    make: list[dict[str, Any]] = field(default_factory=list)
    unmake: list[dict[str, Any]] = field(default_factory=list)
    classes: int = 0
    has_vector: bool = False

    @property
    def name(self) -> str:
        """Of the task that is declared last, which the others serve."""
        return str(self.tasks[-1]["name"])
