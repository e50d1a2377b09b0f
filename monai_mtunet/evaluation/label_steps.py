"""The steps of a bundle's ``load`` that make class numbers of what label files hold."""

from __future__ import annotations

import copy
from typing import Any

from monai.transforms import Compose, MapLabelValued, MapTransform

from ..transforms import ColorsToClassesd

__all__ = ["label_steps"]


def label_steps(preprocessing: Compose, task: str) -> Compose | None:
    """Take those of one task: MONAI's ``MapLabelValued`` and `ColorsToClassesd`, which see each voxel by itself.

    Args:
        preprocessing: the bundle's.
        task: name of the task, which is the key of its targets.

    Returns:
        What takes ``{task: labels}``; ``None`` where there is no such step.
    """
    steps: list[Any] = preprocessing.flatten().transforms
    own = [_of_key(step, task) for step in steps if isinstance(step, MapLabelValued | ColorsToClassesd)]
    found = [step for step in own if step is not None]
    return Compose(found) if found else None


def _of_key(step: MapTransform, key: str) -> MapTransform | None:
    if key not in step.keys:
        return None
    alone = copy.copy(step)
    alone.keys = (key,)
    return alone
