"""Which target belongs to which image, by their names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Matched", "match_names"]

_SEPARATED = re.compile(r"[_\-. ](?=[^_\-. ]+)")
_MEANINGFUL = re.compile(r"(?:[_\-. ](?:\w*[A-Za-z]\w*|0000))+")  # never a number of the image: "_001"


class Matched(NamedTuple):
    """Files of a target by their images' names, and those that have no image."""

    by_image: dict[str, str]
    alone: list[str]


def match_names(
    image_folder: Path, images: Mapping[str, str], target_folder: Path, targets: Mapping[str, str]
) -> Matched:
    """Find each image's target.

    Args:
        image_folder: of the images, for messages.
        images: files by name.
        target_folder: of the targets, for messages.
        targets: files by name.

    Returns:
        Files by the names of images that are theirs, or, where no name is in both, are so without the endings that all
        names of a folder share, "_mask" or "_leftImg8bit".

    Raises:
        ValueError: When no name is in both.
    """
    endings = [(i, t) for i in _shared_endings(images) for t in _shared_endings(targets)]
    for of_images, of_targets in sorted(endings, key=lambda pair: len(pair[0]) + len(pair[1])):
        there = {name.removesuffix(of_targets): file for name, file in targets.items()}
        found = {name: there.pop(stem) for name in images if (stem := name.removesuffix(of_images)) in there}
        if found:
            return Matched(found, list(there.values()))
    raise ValueError(
        f"{image_folder} and {target_folder} have no name in common: {len(images)} image(s) such as "
        f"{_shown(images, image_folder)}, {len(targets)} file(s) such as {_shown(targets, target_folder)}. Name each "
        "target as its image, list them in a table (CSV, with a column for each), or move the folder away if it holds "
        "no targets."
    )


def _shown(files: Mapping[str, str], folder: Path) -> str:
    return os.path.relpath(min(files.values()), folder)


def _shared_endings(names: Iterable[str]) -> list[str]:
    """No ending, and those of all names that begin at a separator."""
    first, *others = names
    stem = os.path.basename(first)
    endings = [stem[found.start() :] for found in _SEPARATED.finditer(stem) if found.start()]
    return ["", *(end for end in endings if _MEANINGFUL.fullmatch(end) and all(name.endswith(end) for name in others))]
