"""A case of a user's data, and all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

__all__ = ["DataCase", "FoundData", "Section", "Target", "TargetKind"]

Section = Literal["train", "val", "test"]

Target = str | tuple[str, ...] | float | tuple[float, ...] | None
"""A file, several files that are its channels, a number, a vector, or None where it is missing."""


class TargetKind(str, Enum):
    """What a target is, and so which task learns it."""

    SEGMENTATION = "segmentation"  # a label map of numbers
    COLORED_SEGMENTATION = "colored_segmentation"  # a label map of RGB colors
    INSTANCES = "instances"  # a map of objects' numbers
    EDGES = "edges"
    RESTORATION = "restoration"  # the image without noise or blur
    QUANTITY = "quantity"  # a number with a unit in every voxel
    DEPTH = "depth"  # in meters, or in 16 bits to be divided
    DISPARITY = "disparity"
    DISTANCE = "distance"
    NORMALS = "normals"
    CLASS = "class"  # of the whole image
    NUMBER = "number"  # of the whole image
    BOX = "box"  # of the whole image

    @property
    def is_dense(self) -> bool:
        """Whether there is a value in every voxel, in files; otherwise one per image."""
        return self not in (TargetKind.CLASS, TargetKind.NUMBER, TargetKind.BOX)


@dataclass(frozen=True)
class DataCase:
    """One image and its targets.

    Args:
        name: unique; where images lie in folders within, the path below their common one, "patient3/scan1".
        images: absolute paths: one file with all channels, or one per channel, in the order of `FoundData.channels`.
        targets: by name, each of `FoundData.targets`; files are absolute paths; None is a missing target. Classes are
            numbers, also where the data name them.
        group: what must not be divided between folds, such as a patient; None where that is not known.
        section: what the data say that the case is for; None where they say nothing.
    """

    name: str
    images: tuple[str, ...]
    targets: Mapping[str, Target]
    group: str | None = None
    section: Section | None = None

    def files_of(self, target: str) -> tuple[str, ...]:
        """A target's files, none where it is missing or a number."""
        found = self.targets.get(target)
        files = found if isinstance(found, tuple) else (found,)
        return tuple(file for file in files if isinstance(file, str))


@dataclass(frozen=True)
class FoundData:
    """All that was found.

    Args:
        cases: sorted by name.
        targets: the kind of each target by its name, which is a Python identifier. A reader of a layout fills in what
            the layout declares, and `find_data` the others.
        channels: names of the images' channels, "0", "1", ... where nothing names them.
        labels: of targets whose classes the layout declares the number of each class in the files, or several.
        ignored: of targets the numbers in the files that mean that nothing is known.
        layout: how the data are laid out, for messages.
        left_out: files that are no part of any case, each with the reason.
    """

    cases: tuple[DataCase, ...]
    targets: Mapping[str, TargetKind]
    channels: tuple[str, ...]
    layout: str
    labels: Mapping[str, Mapping[str, int | tuple[int, ...]]] = field(default_factory=dict)
    ignored: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()
