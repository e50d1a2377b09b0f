"""Which images are held out together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from ..data.fold_datalist import FOLD_KEY
from .data.case import DataCase, FoundData
from .rules.choice import Choice

__all__ = ["deal_folds", "list_cases"]


def deal_folds(cases: Sequence[DataCase], folds: int) -> tuple[dict[str, int | None], Choice]:
    """Deal images to folds, those of a group together, and labeled ones as evenly as all.

    Where the data say what validates, there is one fold, of that.

    Args:
        cases: images for training and validation.
        folds: how many, fewer where there are fewer groups.

    Returns:
        By name the fold that an image is held out in, None where in none; and the reason.

    Raises:
        ValueError: When there are fewer than two groups.
    """
    if any(case.section == "val" for case in cases):
        given: dict[str, int | None] = {case.name: 0 if case.section == "val" else None for case in cases}
        count = sum(fold == 0 for fold in given.values())
        return given, Choice("folds", "1", f"the data say what validates: {count} of {len(cases)} images")
    groups: dict[str, list[DataCase]] = {}
    for case in cases:
        groups.setdefault(case.group or f"image {case.name}", []).append(case)
    if len(groups) < 2:
        raise ValueError(
            f"{cases[0].images[0]} is the only image, or all are of one group: nothing can be held out to choose the "
            "best network by. Give a second one, cut it into two files, or name several groups."
        )
    count = min(folds, len(groups))
    # Labeled ones first, and each group to the fold that has least: folds are alike in both.
    order = sorted(groups, key=lambda name: (-_labeled(groups[name]), -len(groups[name]), name))
    held: list[list[DataCase]] = [[] for _ in range(count)]
    for name in order:
        min(held, key=lambda fold: (_labeled(fold), len(fold))).extend(groups[name])
    dealt: dict[str, int | None] = {case.name: fold for fold, some in enumerate(held) for case in some}
    together = (
        f"{len(groups)} groups, each in one fold" if len(groups) < len(cases) else "no groups are known: by image"
    )
    sizes = ", ".join(str(len(some)) for some in held)
    return dealt, Choice("folds", str(count), f"{together}; {sizes} images are held out")


def _labeled(cases: Sequence[DataCase]) -> int:
    return sum(any(target is not None for target in case.targets.values()) for case in cases)


def list_cases(data: FoundData, folds: dict[str, int | None], tasks: Sequence[str], base: str) -> list[dict[str, Any]]:
    """The entries of a data list, as `fold_datalist` reads it.

    Args:
        data: all cases, of which those with a fold are listed.
        folds: by name.
        tasks: targets to list.
        base: folder that paths are relative to, where they lie in it.
    """
    entries = []
    for case in data.cases:
        if case.name not in folds:
            continue
        images = [_relative(file, base) for file in case.images]
        targets = {name: _target(case, name, base) for name in tasks}
        image = images if len(images) > 1 else images[0]
        entries.append({"image": image, **targets, FOLD_KEY: folds[case.name]})
    return entries


def _target(case: DataCase, name: str, base: str) -> Any:
    files = [_relative(file, base) for file in case.files_of(name)]
    if files:
        return files if len(files) > 1 else files[0]
    value = case.targets.get(name)
    return list(value) if isinstance(value, tuple) else value


def _relative(file: str, base: str) -> str:
    return os.path.relpath(file, base) if os.path.commonpath([file, base]) == base else file
