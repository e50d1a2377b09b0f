"""Which tasks a network learns from what is there."""

from __future__ import annotations

from collections.abc import Sequence

from ..data.case import FoundData, TargetKind
from ..fingerprint import DataFingerprint
from . import label_tasks, value_tasks
from .choice import Choice
from .declared import Declared
from .intensities import Intensities

__all__ = ["DENOISE", "choose_tasks", "in_order", "without_reference"]

DENOISE = "denoise"
"""Name of the task that restores images for which there is no clean reference."""

# From the image to what it means: in a cascade a task sees the features of those before it.
_ORDER = ("RestorationTask", "QuantityTask", "DepthTask", "NormalsTask", "DistanceTask", "EdgeTask", "SegmentationTask",
          "InstanceTask", "BoundingBoxTask", "ClassificationTask")  # fmt: skip
_NOISY = 0.03  # of the range of intensities: what is seen easily


def choose_tasks(
    data: FoundData, found: DataFingerprint, intensities: Intensities, wanted: Sequence[str], spatial_dims: int
) -> tuple[list[Declared], list[Choice]]:
    """Declare a task for each target, in the order in which the data have them.

    Args:
        data: what is there.
        found: what it is like.
        intensities: of the images.
        wanted: names of targets; all if empty.
        spatial_dims: 2 or 3.

    Returns:
        The tasks, and why they are what they are. Numbers of whole images are left out, with the reason.
    """
    declared, choices = [], []
    for name, kind in data.targets.items():
        if wanted and name not in wanted:
            choices.append(Choice(f"task {name}", "left out", "it is not among the tasks that were asked for"))
            continue
        if kind is TargetKind.NUMBER:
            reason = "one number per image is no task of these networks: classes, boxes and values of voxels are"
            choices.append(Choice(f"task {name}", "left out", reason))
            continue
        one = _declare(name, kind, data, found, intensities, spatial_dims)
        declared.append(one)
        choices.append(Choice(f"task {name}", kind.value, one.reason))
    return declared, choices


def in_order(tasks: Sequence[Declared]) -> tuple[list[Declared], str, Choice]:
    """Put restorations first and classes last, and find the metric that chooses the best checkpoint.

    UMC's pathways see those before them, and its paper denoises before it segments.

    Args:
        tasks: at least one.

    Returns:
        The tasks in order, the metric's name, and why.
    """
    ordered = sorted(tasks, key=lambda one: _ORDER.index(one.tasks[-1]["_target_"]))
    decisive = next((one for one in ordered if one.classes or one.tasks[-1]["_target_"] == "InstanceTask"), ordered[0])
    names = ", ".join(one.name for one in ordered)
    reason = (
        f"a cascade's later tasks see the features of earlier ones; {decisive.key_metric} chooses the best checkpoint"
    )
    return ordered, decisive.key_metric, Choice("order of tasks", names, reason)


def without_reference(
    intensities: Intensities, channels: int, sigma: float | None, asked: bool
) -> tuple[Declared | None, Choice]:
    """Denoise images without clean references, where they are noisy or it is asked for.

    Args:
        intensities: of the images.
        channels: their number.
        sigma: noise that is added to images that are clean, in the scaled unit; None where they are noisy themselves.
        asked: whether denoising was named.
    """
    name, level = DENOISE, f"the images' own noise is {intensities.noise:.1%} of their range"
    if sigma is not None:
        reason = f"noise of {sigma:g} is added to the images, which are taken for clean ({level})"
        one = value_tasks.restoration(name, intensities, channels, reason=reason)
        return one, Choice(f"task {name}", "restoration", one.reason)
    if not asked and intensities.noise < _NOISY:
        reason = f"{level}, less than {_NOISY:.0%}; --tasks {name} learns it by blind spots, --noise by added noise"
        return None, Choice(f"task {name}", "left out", reason)
    reason = (
        f"{level}, and there is no clean version: single voxels are hidden, and told from those around (blind spots)"
    )
    one = value_tasks.restoration(name, intensities, channels, clean=False, reason=reason)
    return one, Choice(f"task {name}", "restoration without clean references", one.reason)


def _declare(
    name: str, kind: TargetKind, data: FoundData, found: DataFingerprint, intensities: Intensities, spatial_dims: int
) -> Declared:
    match kind:
        case TargetKind.SEGMENTATION:
            return label_tasks.segmentation(name, data, found)
        case TargetKind.COLORED_SEGMENTATION:
            return label_tasks.colored_segmentation(name, found)
        case TargetKind.INSTANCES:
            return label_tasks.instances(name, taken=[*data.targets])
        case TargetKind.EDGES:
            return label_tasks.edges(name, found)
        case TargetKind.CLASS:
            return label_tasks.classification(name, data, found)
        case TargetKind.RESTORATION:
            return value_tasks.restoration(name, intensities, len(data.channels))
        case TargetKind.QUANTITY:
            return value_tasks.quantity(name, found)
        case TargetKind.DEPTH:
            return value_tasks.depth(name, found)
        case TargetKind.DISPARITY:
            return value_tasks.disparity(name, found)
        case TargetKind.DISTANCE:
            return value_tasks.distance(name, found)
        case TargetKind.NORMALS:
            return value_tasks.normals(name)
        case TargetKind.BOX:
            return value_tasks.box(name, found, spatial_dims)
        case TargetKind.NUMBER:
            raise AssertionError("left out above")
