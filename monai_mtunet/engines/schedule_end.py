"""Learning rates of a training that goes on for longer, or shorter, than it was planned."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch.optim.lr_scheduler import LRScheduler

logger = logging.getLogger(__name__)

__all__ = ["keeping_ends"]

_ENDS = ("T_max", "total_iters")  # what torch's schedules call their length


@contextmanager
def keeping_ends(objects: Iterable[Any]) -> Iterator[None]:
    """Load states within it: schedules then end where they were made to end, and stand where their states say.

    A state holds the length that was planned at first. Past that, the cosine would rise again. Where the lengths
    differ, the rate becomes that of the new schedule; where they are the same, nothing changes.

    Args:
        objects: what is loaded; schedules with a length are looked for among them.
    """
    schedules = [thing for thing in objects if isinstance(thing, LRScheduler)]
    made = [{name: vars(schedule)[name] for name in _ENDS if name in vars(schedule)} for schedule in schedules]
    yield
    for schedule, ends in zip(schedules, made, strict=True):
        loaded = {name: vars(schedule)[name] for name in ends}
        if loaded == ends:
            continue
        vars(schedule).update(ends)
        rates = schedule._get_closed_form_lr()  # type: ignore[attr-defined]
        for group, rate in zip(schedule.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        schedule._last_lr = rates
        logger.info("%s: %s instead of %s, so that the rate is %s.", type(schedule).__name__, ends, loaded, rates)
