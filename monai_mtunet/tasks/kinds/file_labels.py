"""What numbers the files of a label map hold for its classes."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["FileLabels"]

_LARGEST = 65535


class FileLabels:
    """The numbers of the classes in files, both ways.

    Args:
        task: the task's name, for messages.
        labels: of each class its number in files, or several, of which the first is written; None for 0, 1, 2, ...
        ignored_labels: further numbers that files hold where there is no class.
        classes: how many classes there are.
        ignore_index: the class number of what is missing. Files may hold it too, unless it is one of ``labels``.

    Attributes:
        of_class: of each class the number that is written.
        class_of: of each number in files its class, or ``ignore_index``; empty where files hold the class numbers.

    Raises:
        ValueError: When there is not one entry per class, a number is not whole, occurs twice, or one to be written is
            not in 0..65535.

    Example:
        >>> labels = FileLabels("segment", [0, [1, 2], 4], [9], classes=3, ignore_index=255)
        >>> labels.of_class
        (0, 1, 4)
        >>> labels.class_of
        {0: 0, 1: 1, 2: 1, 4: 2, 9: 255, 255: 255}
    """

    def __init__(
        self,
        task: str,
        labels: Sequence[int | Sequence[int]] | None,
        ignored_labels: Sequence[int],
        classes: int,
        ignore_index: int,
    ) -> None:
        given = [tuple(entry) if isinstance(entry, Sequence) else (entry,) for entry in labels or ()]
        if len(given) != classes and labels is not None:
            raise ValueError(f"Task {task!r}: labels must have one entry for each of {classes} classes, got {labels}.")
        numbers = [*(number for entry in given for number in entry), *ignored_labels]
        if any(number != int(number) for number in numbers) or len(set(numbers)) < len(numbers):
            raise ValueError(
                f"Task {task!r}: labels and ignored_labels must be whole numbers, each given once, got {labels} and "
                f"{tuple(ignored_labels)}."
            )
        if not all(entry and 0 <= entry[0] <= _LARGEST for entry in given):
            raise ValueError(
                f"Task {task!r}: the first number of a class is written to files, and must be in 0..{_LARGEST}, got "
                f"{labels}."
            )
        if labels is None:
            given = [(number,) for number in range(classes)]
        self.of_class = tuple(int(entry[0]) for entry in given)
        self.class_of: dict[int, int] = {}
        if labels is not None or ignored_labels:
            self.class_of = {int(number): index for index, entry in enumerate(given) for number in entry}
            for number in (*ignored_labels, ignore_index):
                self.class_of.setdefault(int(number), ignore_index)
