"""What cases and targets are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ...data.file_names import stem_of, stems_below

__all__ = ["case_names", "target_name", "target_names"]


def case_names(images: Sequence[Sequence[str]], channel: str = "") -> list[str]:
    """Name cases by their first files' stems, or, where two have one stem, by what is below their common folder.

    Args:
        images: the files of each case.
        channel: how the first file's name ends, which is no part of the case's.

    Raises:
        ValueError: When two cases differ in the ending of their files alone.
    """
    files = [case[0] for case in images]
    names = [stem_of(file) for file in files]
    if len(set(names)) < len(names):
        below = stems_below(files)
        names = [below[file] for file in files]
    owners: dict[str, str] = {}
    for name, file in zip(names, files, strict=True):
        if (other := owners.setdefault(name, file)) != file:
            raise ValueError(f"{other} and {file} would be one case, {name!r}: rename one of them.")
    return [name.removesuffix(channel) for name in names]


def target_name(name: str) -> str:
    """A name as tasks have them, Python identifiers: "ground truth" is "ground_truth"."""
    return re.sub(r"\W|^(?=\d)", "_", name.strip())


def target_names(names: Iterable[str], place: str) -> dict[str, str]:
    """Of each name the target's.

    Args:
        names: of folders or columns.
        place: where they are, for the message.

    Raises:
        ValueError: When two become one.
    """
    given: dict[str, str] = {}
    for name in names:
        if (other := given.setdefault(target_name(name), name)) != name:
            raise ValueError(
                f'{place}: "{other}" and "{name}" are one name, {target_name(name)}, for a task: rename one.'
            )
    return {name: target for target, name in given.items()}
