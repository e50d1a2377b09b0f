"""A data list from a file of one's own."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.utils import ensure_tuple

from .datalist_file import FILE_NAME, IMAGE_KEY, sections_of
from .dataset_files import absent_files

logger = logging.getLogger(__name__)

__all__ = ["read_datalist"]

_SYNONYMS = {"training": "train", "validation": "val", "testing": "test"}


def read_datalist(
    list_file: str | os.PathLike[str],
    section: str | None = None,
    keys: Sequence[str] | str | None = None,
    rename: Mapping[str, str] | None = None,
    base_dir: str | os.PathLike[str] | None = None,
) -> list[dict[str, Any]]:
    """Read a data list from a JSON or CSV file, whose paths are relative to the folder that the file lies in.

    JSON holds sections of samples, ``{"train": [{"image": "a.png", "segment": "a_labels.png"}, ...], "val": [...]}``,
    as the Medical Segmentation Decathlon's and MONAI's lists do, or is one list of samples. CSV has a line per sample
    and names the keys in its first line; its column "section", if it has one, tells the sections apart.

    Several files of one key are the channels of one image: ``"image": ["t1.nii.gz", "t2.nii.gz"]``, in CSV as many
    columns of that name. A target that a sample lacks is ``null``, or an empty cell. All files must be there.

    Args:
        list_file: the file, ``.json``, ``.csv`` or ``.tsv``.
        section: which samples: "train", "val", "test" or another name of a section; "training", "validation" and
            "testing" are the same. ``None`` where the file has no sections, or only one.
        keys: what to take of a sample; ``None`` for all. For prediction ``"image"``, so that targets need not be there.
        rename: names of keys in the file, and what they are here: ``{"label": "segment"}``.
        base_dir: the folder that paths are relative to, instead.

    Returns:
        ``[{"image": ..., "segment": ...}, ...]``, files as absolute paths. Numbers, lists of numbers, and text that
        names no file, such as a subject, stay as they are.

    Raises:
        FileNotFoundError: When the list or files that it names do not exist.
        ValueError: When the list cannot be read, has no such section or no sample in it, or a sample has no image or
            occurs twice. The message names list, entry and key.

    Example:
        >>> train = read_datalist("mine.json", "train")
        >>> unlabeled = read_datalist("mine.csv", keys="image")
    """
    file = Path(list_file).expanduser().absolute()
    if not file.is_file():
        raise FileNotFoundError(f"The data list {file} does not exist: give its path, from {Path.cwd()} or in full.")
    folder = file.parent if base_dir is None else Path(base_dir).expanduser().absolute()
    sections = sections_of(file)
    name, entries = _section(file, sections, section)
    where = str(file) if name is None else f'{file}, section "{name}"'
    samples = []
    for number, entry in enumerate(entries, start=1):
        sample = _as_sample(f"{where}, entry {number}", entry, rename or {})
        wanted = [key for key in sample if keys is None or key in ensure_tuple(keys)]
        samples.append({key: _resolved(key, sample[key], folder) for key in wanted})
    _check_files(where, samples)
    _check_twice(where, samples)
    _warn_of_leaks(where, entries, [entry for other in sections if other != name for entry in sections[other]])
    return samples


def _section(file: Path, sections: Mapping[str | None, list[Any]], name: str | None) -> tuple[str | None, list[Any]]:
    """The section's name in the file, and its entries."""
    there = ", ".join(f'"{section}"' for section in sections if section is not None) or "none"
    if name is None:
        found = list(sections)
        if len(found) > 1:
            raise ValueError(f"The data list {file} has the sections {there}: say which.")
    else:
        found = [section for section in sections if _SYNONYMS.get(section or "", section) == _SYNONYMS.get(name, name)]
        if len(found) > 1:
            raise ValueError(f"The data list {file} has the sections {there}, of which two are {name!r}: rename one.")
        if not found and None in sections:
            raise ValueError(
                f"The data list {file} has no sections, so that none is {name!r}: leave the section out, or write "
                f'{{"{name}": [...]}} (JSON), or a column "section" (CSV).'
            )
        if not found:
            raise ValueError(f"The data list {file} has no section {name!r}; there are: {there}. Correct its name.")
    if not found or not sections[found[0]]:
        place = "" if name is None else f" in section {name!r}"
        raise ValueError(f"The data list {file} has no sample{place}: add some.")
    return found[0], sections[found[0]]


def _as_sample(where: str, entry: Any, rename: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(entry, str) or (isinstance(entry, list) and entry and all(isinstance(one, str) for one in entry)):
        entry = {IMAGE_KEY: entry}  # as "test" of decathlon lists
    if not isinstance(entry, dict):
        raise ValueError(f'{where}: {entry!r} is no sample: write {{"image": "a.png", "segment": "a_labels.png"}}.')
    sample = {rename.get(key, key): value for key, value in entry.items()}
    if len(sample) < len(entry):
        raise ValueError(f"{where}: {sorted(entry)} are renamed to one key; change rename, {dict(rename)}.")
    files = sample.get(IMAGE_KEY)
    if not isinstance(files, str | list) or not files or not all(isinstance(f, str) and f for f in ensure_tuple(files)):
        raise ValueError(
            f'{where}: "image" must name a file, or several as a list of channels, got '
            f"{files!r}; the entry holds {sorted(sample)}."
        )
    return sample


def _resolved(key: str, value: Any, folder: Path) -> Any:
    """Files as absolute paths, all else as it is."""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return [_resolved(key, one, folder) for one in value]
    if not isinstance(value, str):
        return value
    path = os.path.normpath(folder / Path(value).expanduser())
    return path if key == IMAGE_KEY or FILE_NAME.fullmatch(value) or os.path.exists(path) else value


def _files(value: Any) -> list[str]:
    return [one for one in ensure_tuple(value) if isinstance(one, str) and os.path.isabs(one)]


def _check_files(where: str, samples: Sequence[Mapping[str, Any]]) -> None:
    named = [(n, key, file) for n, sample in enumerate(samples, 1) for key in sample for file in _files(sample[key])]
    absent = set(absent_files([Path(file) for _, _, file in named]))
    missing = [f'entry {number}, "{key}": {file}' for number, key, file in named if Path(file) in absent]
    if missing:
        some = "; ".join(missing[:3]) + ("; ..." if len(missing) > 3 else "")
        raise FileNotFoundError(
            f"{where}: {len(missing)} of {len(named)} files do not exist: {some}. Correct them: they are "
            "relative to the list's own folder, and a target that a sample lacks is null (JSON) or an empty cell (CSV)."
        )


def _check_twice(where: str, samples: Sequence[Mapping[str, Any]]) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for number, sample in enumerate(samples, start=1):
        files = tuple(ensure_tuple(sample.get(IMAGE_KEY, number)))
        if (first := seen.setdefault(files, number)) != number:
            raise ValueError(f'{where}: entries {first} and {number} have the same "image", {files[0]}: keep one.')


def _warn_of_leaks(where: str, entries: Sequence[Any], others: Sequence[Any]) -> None:
    """Say so where another section has the same images: what is trained on measures nothing."""
    here, there = ({name for entry in some if (name := _image_of(entry))} for some in (entries, others))
    if shared := here & there:
        logger.warning("%s: %d image(s) are in another section as well, such as %s.", where, len(shared), min(shared))


def _image_of(entry: Any) -> str | None:
    image = entry.get(IMAGE_KEY) if isinstance(entry, dict) else entry
    first = image[0] if isinstance(image, list) and image else image
    return os.path.normpath(first) if isinstance(first, str) else None
