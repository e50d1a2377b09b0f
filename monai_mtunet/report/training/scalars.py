"""What TensorBoard's files hold of every epoch."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

__all__ = ["Scalars", "read_scalars"]

_OF_ITERATIONS = "iteration/"
_MOST = 10_000  # values of a scalar; of iterations, which are not shown, a million would take much memory

Curve = Mapping[int, float]  # by epoch


@dataclass(frozen=True)
class Scalars:
    """Values over the epochs.

    Args:
        curves: by name.
        times: when an epoch was logged, in seconds since 1970.
    """

    curves: Mapping[str, Curve] = field(default_factory=dict)
    times: Curve = field(default_factory=dict)

    @property
    def last_epoch(self) -> int:
        """0 where nothing is logged."""
        return max((epoch for curve in self.curves.values() for epoch in curve), default=0)

    def seconds_per_epoch(self) -> float | None:
        """The median, which the pause before a resumed run does not touch; None of fewer than two epochs."""
        epochs = sorted(self.times)
        lengths = sorted((self.times[later] - self.times[epoch]) / (later - epoch) for epoch, later in pairwise(epochs))
        return lengths[len(lengths) // 2] if lengths else None


def read_scalars(folder: Path) -> Scalars:
    """Read the scalars of epochs; those of iterations, and pictures, are left.

    Args:
        folder: of TensorBoard's files. Where a resumed run repeats an epoch, the later value is taken.
    """
    if not any(folder.glob("*tfevents*")):
        return Scalars()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), {"scalars": _MOST, "images": 1, "tensors": 1, "histograms": 1})
    logging.getLogger("tensorboard").setLevel(logging.WARNING)  # it tells that there is no further file
    events.Reload()
    curves: dict[str, Curve] = {}
    times: dict[int, float] = {}
    for tag in events.Tags()["scalars"]:
        if not tag.startswith(_OF_ITERATIONS):
            found = events.Scalars(tag)
            curves[tag] = dict(sorted({event.step: event.value for event in found}.items()))
            times |= {event.step: event.wall_time for event in found}
    return Scalars(curves, dict(sorted(times.items())))
