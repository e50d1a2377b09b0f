"""What an image is called, in the names of its predictions and in tables."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

from monai.utils import ensure_tuple

__all__ = ["check_predictions_differ", "relative_stems", "stem_of", "stems_below"]


# ".nii.gz", ".ome.tif"; what begins with a digit is no ending but a part of a name, such as "1.2.840.6".
_ENDING = re.compile(r"(?<=.)(\.ome)?\.[a-z]\w*(\.gz)?$", re.IGNORECASE)


def stem_of(source: str) -> str:
    """A file's name without what tells its format, ``.nii.gz`` included; folders, but for zarr's, have no format."""
    name = Path(source).name
    if os.path.isdir(source) and not name.lower().endswith(".zarr"):
        return name
    return _ENDING.sub("", name)


def stems_below(sources: Iterable[str], roots: Iterable[str] = ()) -> dict[str, str]:
    """What files are called: by their stems, and where they lie in several folders by what is below their common one.

    Args:
        sources: paths of files, or names of images that are in no file.
        roots: folders that are kept as well, though all files may lie in one below.

    Returns:
        ``{absolute path: its name}``. Two that differ in their ending alone have one name.
    """
    files = list(dict.fromkeys(map(os.path.abspath, sources)))
    if not files:
        return {}
    root = os.path.commonpath([*map(os.path.abspath, roots), *map(os.path.dirname, files)])
    return {
        file: os.path.normpath(os.path.join(os.path.relpath(os.path.dirname(file), root), stem_of(file)))
        for file in files
    }


def relative_stems(
    data: Iterable[Mapping[str, Any]], image_key: str = "image", roots: Iterable[str] = ()
) -> dict[str, str]:
    """The names of all predictions, known before the first is made.

    Where images lie in several folders, what is below their common one is kept: in BIDS the files of all subjects have
    the same names.

    Args:
        data: the data list; of several files per image the first names the prediction.
        image_key: key of the image's file. Entries without one, such as seeds, have names of their own.
        roots: folders that were searched for the images: all below them is kept too.

    Returns:
        ``{absolute path of the image: path of the prediction without its ending}``.

    Raises:
        ValueError: When two images would give their predictions one name.
    """
    files = [ensure_tuple(entry[image_key])[0] for entry in data if entry.get(image_key) is not None]
    stems = stems_below([os.fspath(file) for file in files if isinstance(file, str | os.PathLike)], roots)
    owners: dict[str, str] = {}
    for source, stem in stems.items():
        if (other := owners.setdefault(stem, source)) != source:
            raise ValueError(
                f"{source} and {other} would both be saved as {stem}: give them different names, or "
                "predict them into different folders."
            )
    return stems


def check_predictions_differ(stems: Mapping[str, str], tasks: Sequence[str]) -> None:
    """Refuse images and tasks whose names together are one: ``a`` with ``fine_segment``, ``a_fine`` with ``segment``.

    Args:
        stems: the names of images by their sources, as `relative_stems` gives them.
        tasks: names of the tasks whose predictions are saved.

    Raises:
        ValueError: When two predictions would have one name.
    """
    sources = {stem: source for source, stem in stems.items()}
    for longer, shorter in permutations(tasks, 2):
        if not longer.endswith(f"_{shorter}"):
            continue
        between = longer.removesuffix(f"_{shorter}")
        for stem, source in sources.items():
            if (other := sources.get(f"{stem}_{between}")) is not None:
                raise ValueError(
                    f"Task {longer!r} of {source} and task {shorter!r} of {other} would both be saved as "
                    f"{stem}_{longer}: give one of the images another name, or predict them into different folders."
                )
