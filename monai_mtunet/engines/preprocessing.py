"""From an entry of a data list to a sample, in the order that all bundles share."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from monai.transforms import Compose, MapTransform, NormalizeIntensityd, SelectItemsd
from monai.utils import ensure_tuple

from ..tasks import TaskList
from ..transforms import CheckSampled, FillMissingTargetsd
from ..transforms.load.mark_non_finite import MarkNonFinited

__all__ = ["TaskPreprocessing"]

Transforms = Sequence[Callable[..., Any]]


class TaskPreprocessing(Compose):
    """The transforms of training, validation or inference, put together from slots that say what they hold.

    Voxels of the image that are not finite are NaN from loading on. After targets are made, those that a sample lacks
    are filled as missing, all but image and targets is dropped, and the sample is checked. Where there is a cache, all
    before the first random step is done once.

    Args:
        tasks: the tasks whose targets a sample needs; ``None`` for inference, where it is the image alone, and steps of
            ``load`` pass by the targets that are not there.
        spatial_dims: 2 or 3, as the network's.
        in_channels: channels of the image, as the network's.
        load: reads or paints image and targets, brings them to their grid, and scales intensities.
        targets: makes targets of the image and of other targets: a clean copy, edges, distances.
        degrade_once: makes the image worse, the same in every epoch, as a noisy image is.
        self_supervision: makes targets of the degraded image: blind spots.
        augment: crops, flips and the like.
        degrade: makes the image worse, anew in every epoch.
        normalize: brings the sample to the network's units.
        keep: keys beside image and targets that later steps need.

    Raises:
        ValueError: When a slot holds something else than transforms, or a step of ``normalize`` has another number of
            means or standard deviations than channels.

    Attributes:
        with_targets: the first part, up to `self_supervision`: whole samples with all targets.

    Example:
        >>> TaskPreprocessing(tasks, 2, 3, load=[LoadSampled(tasks=tasks)], augment=[RandFlipGeometryd(tasks, 0.5)])
    """

    def __init__(
        self,
        tasks: TaskList | None,
        spatial_dims: int,
        in_channels: int,
        load: Transforms,
        targets: Transforms = (),
        degrade_once: Transforms = (),
        self_supervision: Transforms = (),
        augment: Transforms = (),
        degrade: Transforms = (),
        normalize: Transforms = (),
        keep: Sequence[str] | str = (),
    ) -> None:
        self._same: dict[str, Any] = {
            "tasks": tasks, "spatial_dims": spatial_dims, "in_channels": in_channels, "load": load,
            "targets": targets, "normalize": normalize,
        }  # fmt: skip
        slots = {
            "load": load, "targets": targets, "degrade_once": degrade_once, "self_supervision": self_supervision,
            "augment": augment, "degrade": degrade, "normalize": normalize,
        }  # fmt: skip
        _check_slots(slots)
        for step in normalize:
            _check_normalization(step, in_channels)
        if tasks is None:
            load = [_passing_by_targets(step) for step in load]
        fill = [] if tasks is None else [FillMissingTargetsd(tasks)]
        keys = ("image",) if tasks is None else tasks.keys
        check = [*fill, SelectItemsd([*keys, *ensure_tuple(keep)]), CheckSampled(spatial_dims, in_channels, tasks)]
        self.with_targets = Compose(
            [*load, MarkNonFinited("image"), *targets, *check, *degrade_once, *self_supervision]
        )
        super().__init__([*self.with_targets.transforms, *augment, *degrade, *normalize])

    def for_validation(
        self, degrade_once: Transforms = (), self_supervision: Transforms = (), crop: Transforms = ()
    ) -> TaskPreprocessing:
        """The transforms of validation: what is deterministic stays, by construction.

        Args:
            degrade_once: makes the image worse, the same in every epoch.
            self_supervision: makes targets of the degraded image, the same in every epoch.
            crop: what is cut out of images that are too large or differ in size.
        """
        return TaskPreprocessing(
            **self._same, degrade_once=degrade_once, self_supervision=self_supervision, augment=crop
        )


def _check_slots(slots: dict[str, Transforms]) -> None:
    """What is no transform fails with the first sample only, and without a name."""
    for name, steps in slots.items():
        if isinstance(steps, str) or not isinstance(steps, Sequence):
            raise ValueError(f'"{name}" is {steps!r}: give a list of transforms, [] for none.')
        for index, step in enumerate(steps):
            if not callable(step):
                raise ValueError(
                    f'"{name}#{index}" is {step!r}, which is no transform: name its class, as in '
                    '{"_target_": "LoadSampled", ...}.'
                )


def _check_normalization(step: Callable[..., Any], channels: int) -> None:
    """MONAI's own message comes with the first batch, and names neither mean nor std."""
    if isinstance(step, NormalizeIntensityd) and "image" in step.keys and step.normalizer.channel_wise:
        for name, values in (("mean", step.normalizer.subtrahend), ("std", step.normalizer.divisor)):
            if values is not None and len(values) != channels:
                raise ValueError(
                    f'{name} has {len(values)} number(s), but images have {channels} channel(s) ("image_channels"): '
                    f"give {name} one number per channel, got {list(values)}."
                )


def _passing_by_targets(step: Callable[..., Any]) -> Callable[..., Any]:
    if not isinstance(step, MapTransform) or step.allow_missing_keys:
        return step
    step = copy.copy(step)  # the training's own step keeps its demands
    step.allow_missing_keys = True
    return step
