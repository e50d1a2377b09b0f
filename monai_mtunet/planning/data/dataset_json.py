"""What the ``dataset.json`` of nnU-Net and the Medical Segmentation Decathlon declares."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["DATASET_JSON", "DeclaredLabels", "declared_channels", "declared_labels", "read_dataset_json"]

DATASET_JSON = "dataset.json"
_IGNORE = "ignore"  # nnU-Net's word for voxels of which nothing is known


class DeclaredLabels(NamedTuple):
    """Numbers in label files, by class, and those that mean nothing is known."""

    classes: dict[str, int | tuple[int, ...]]
    ignored: tuple[int, ...]


def read_dataset_json(folder: Path) -> dict[str, Any] | None:
    """Read a folder's ``dataset.json``; None where there is none.

    Raises:
        ValueError: When it cannot be read.
    """
    file = folder / DATASET_JSON
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file} is no JSON: {error}. Correct it.") from error
    if not isinstance(content, dict):
        raise ValueError(f'{file} must hold braces, {{"labels": ...}}, got a {type(content).__name__}: correct it.')
    return content


def declared_channels(folder: Path, content: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The names of the channels, in their order.

    Args:
        folder: that holds the file.
        content: of the file.
        key: "channel_names" or "modality".

    Raises:
        ValueError: When channels are not numbered from 0 on.
    """
    names = content.get(key)
    try:
        numbered = {int(number): str(name) for number, name in names.items()}  # type: ignore[union-attr]
    except (AttributeError, TypeError, ValueError):
        numbered = {}
    if not numbered or sorted(numbered) != list(range(len(numbered))):
        raise ValueError(
            f'{folder / DATASET_JSON}: "{key}" must name the channels by number, {{"0": "CT"}}, got '
            f"{names!r}: correct it."
        )
    return tuple(numbered[number] for number in range(len(numbered)))


def declared_labels(folder: Path, content: Mapping[str, Any]) -> DeclaredLabels:
    """The classes, which nnU-Net 2 names by ``{"background": 0}`` and all others by ``{"0": "background"}``.

    nnU-Net's regions overlap, classes do not: each number that regions hold is a class, named by all its regions,
    ``"tumor+core"``, and numbers of the same regions are one class.

    Raises:
        ValueError: When labels are missing or have other numbers.
    """
    labels = content.get("labels")
    try:
        given = {str(name): _numbers(number) for name, number in _by_name(labels).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f'{folder / DATASET_JSON}: "labels" must give each class its number, {{"background": 0, "tumor": 1}}, '
            f"got {labels!r}: correct it."
        ) from error
    ignored = given.pop(_IGNORE, ())
    regions: dict[int, list[str]] = {}
    for name, numbers in sorted(given.items(), key=lambda entry: -len(entry[1])):
        for number in numbers:
            regions.setdefault(number, []).append(name)
    classes: dict[str, tuple[int, ...]] = {}
    for number in sorted(regions):
        name = "+".join(regions[number])
        classes[name] = (*classes.get(name, ()), number)
    return DeclaredLabels({name: of[0] if len(of) == 1 else of for name, of in classes.items()}, ignored)


def _by_name(labels: Any) -> dict[Any, Any]:
    if not labels:
        raise ValueError("no labels")
    names = labels.values()
    if all(isinstance(name, str) and not name.isdigit() for name in names):
        if len(set(names)) < len(labels):
            raise ValueError("two classes of one name")
        return {name: number for number, name in labels.items()}
    return dict(labels)


def _numbers(number: Any) -> tuple[int, ...]:
    return tuple(int(one) for one in number) if isinstance(number, list) else (int(number),)
