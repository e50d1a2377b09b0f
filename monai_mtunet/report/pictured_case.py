"""A case as pictures side by side, of a volume slice by slice."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["PicturedCase", "some_slices"]

_MOST_SLICES = 32


@dataclass
class PicturedCase:
    """A case as pictures.

    Attributes:
        role: what it is shown as, such as "worst".
        name: of the case.
        columns: what stands side by side, such as "input", "segment", "segment: target".
        numbers: of the slices that are drawn, counted from 0; one of an image.
        slice_count: how many slices there are.
        pictures: per slice a file for each column, (ending, content).
    """

    role: str
    name: str
    columns: list[str]
    numbers: list[int]
    slice_count: int
    pictures: list[list[tuple[str, bytes]]] = field(default_factory=list)

    @property
    def groups(self) -> list[list[int]]:
        """Places of the columns that belong together: the input, then each prediction with its target."""
        groups: list[list[int]] = []
        for place, column in enumerate(self.columns):
            if column.endswith(": target"):
                groups[-1].append(place)
            else:
                groups.append([place])
        return groups


def some_slices(count: int) -> list[int]:
    """The numbers of at most 32 of so many slices, the first and the last included."""
    return [int(number) for number in np.linspace(0, count - 1, min(count, _MOST_SLICES)).round()]
