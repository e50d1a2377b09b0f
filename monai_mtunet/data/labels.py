"""What the numbers of a label map mean: names, colors, and the ids that a data set's files hold."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["IGNORED", "LabelSet"]

IGNORED = 255  # the class number of what no class is given to


@dataclass(frozen=True)
class LabelSet:
    """The classes of a data set, and how its files number them.

    Files are brought to class numbers by MONAI's ``MapLabelValued(orig_labels=labels, target_labels=class_of_label,
    dtype="int16")``. Where they hold class numbers already there is nothing to map.

    Args:
        classes: names, by class number.
        palette: RGB per class, 0..255.
        labels: the ids in the files. Default: the class numbers.
        class_of_label: of every id its class number, 255 where it has none. Default: the class numbers.
        thing_labels: those of the ids whose objects are told apart, for `DecodeInstancesd`.

    Raises:
        ValueError: When a table has another length than the one it belongs to, or an id is not one of ``labels``.

    Example:
        >>> pets = LabelSet(("background", "pet"), ((0, 0, 0), (230, 159, 0)), (1, 2, 3), class_of_label=(1, 0, 255))
        >>> pets.ignored_labels, pets.label_of_class
        ((3,), (2, 1))
    """

    classes: tuple[str, ...]
    palette: tuple[tuple[int, int, int], ...]
    labels: tuple[int, ...] = ()
    class_of_label: tuple[int, ...] = ()
    thing_labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for table in ("labels", "class_of_label"):
            object.__setattr__(self, table, getattr(self, table) or tuple(range(len(self.classes))))
        if len(self.palette) != len(self.classes):
            raise ValueError(f"There are {len(self.classes)} classes, but {len(self.palette)} colors.")
        if len(self.class_of_label) != len(self.labels):
            raise ValueError(f"There are {len(self.labels)} labels, but classes of {len(self.class_of_label)}.")
        if not set(self.class_of_label) <= {*range(len(self.classes)), IGNORED}:
            raise ValueError(
                f"Labels have classes 0..{len(self.classes) - 1}, or {IGNORED} for none, got {self.class_of_label}."
            )
        if not set(self.thing_labels) <= set(self.labels):
            raise ValueError(f"thing_labels must be some of {self.labels}, got {self.thing_labels}.")

    @property
    def ignored_labels(self) -> tuple[int, ...]:
        """The ids that have no class."""
        return tuple(label for label, number in self._pairs() if number == IGNORED)

    @property
    def label_of_class(self) -> tuple[int, ...]:
        """The way back, for servers that want ids: of every class its first one."""
        first = {number: label for label, number in reversed(self._pairs())}
        return tuple(first[number] for number in range(len(self.classes)))

    @property
    def things(self) -> tuple[str, ...]:
        """Names of the classes whose objects are told apart, in the order of ``thing_labels``."""
        class_of = dict(self._pairs())
        return tuple(self.classes[class_of[label]] for label in self.thing_labels)

    def _pairs(self) -> list[tuple[int, int]]:
        return list(zip(self.labels, self.class_of_label, strict=True))
