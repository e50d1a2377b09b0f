"""What transforms need to know about tasks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol

from torch import Tensor

__all__ = ["MISSING_MASK", "DeclaredTasks", "missing_fills"]

MISSING_MASK = 255  # in masks of boxes, where it is not known what is inside


class DeclaredTasks(Protocol):
    """The part of :class:`monai_mtunet.tasks.TaskList` that transforms ask: names of tasks, and what is missing."""

    @property
    def names(self) -> tuple[str, ...]:
        """The active tasks, in declaration order."""

    @property
    def declared(self) -> DeclaredTasks:
        """All declared tasks, of which the active ones were selected."""

    @property
    def dense_names(self) -> tuple[str, ...]:
        """Tasks whose targets are (C, *spatial)."""

    @property
    def spatial_names(self) -> tuple[str, ...]:
        """Dense tasks, and boxes, which are masks from `PaintBoxd` to `BoxOfMaskd`."""

    @property
    def box_names(self) -> tuple[str, ...]:
        """Tasks whose targets are boxes."""

    @property
    def direction_names(self) -> tuple[str, ...]:
        """Dense tasks whose values are vectors in space, such as surface normals."""

    @property
    def depth_names(self) -> tuple[str, ...]:
        """Tasks whose values are depth."""

    @property
    def disparity_names(self) -> tuple[str, ...]:
        """Tasks whose values are disparity."""

    @property
    def label_classes(self) -> dict[str, int]:
        """``{name: number of classes}`` of dense tasks whose targets are class numbers."""

    @property
    def class_of_label(self) -> dict[str, Mapping[int, int]]:
        """``{name: {number in its files: class number}}`` of tasks whose files hold others than class numbers."""

    @property
    def image_classes(self) -> dict[str, int]:
        """``{name: number of classes}`` of tasks with one class per image."""

    @property
    def missing_values(self) -> dict[str, Tensor]:
        """``{name: a voxel without a target (C,)}``; of tasks that are not dense a sample's whole target."""


def missing_fills(tasks: DeclaredTasks) -> dict[Hashable, float]:
    """What fills new voxels of targets that take part in spatial transforms.

    Args:
        tasks: the tasks.

    Returns:
        ``{name: value}`` of `spatial_names`: NaN, or the number of missing labels; of boxes that of their masks.
    """
    values = tasks.missing_values
    return {
        name: MISSING_MASK if name in tasks.box_names else values[name].flatten()[0].item()
        for name in tasks.spatial_names
    }
