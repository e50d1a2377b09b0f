"""What is to be predicted, from what a user names."""

from __future__ import annotations

import glob
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monai.utils import ensure_tuple

from ..data import read_datalist
from ..data.file_names import relative_stems
from ..files.folder_search import FolderSearch
from ..files.open_image import IMAGE_ENDINGS
from .earlier_predictions import EarlierPredictions

logger = logging.getLogger(__name__)

__all__ = ["PredictionInput", "find_inputs"]

_LISTS = (".json", ".csv", ".tsv")


@dataclass(frozen=True)
class PredictionInput:
    """One image to predict.

    Attributes:
        files: its files, absolute paths: one, or one per channel. A DICOM series or a zarr store is one.
        stem: path of its predictions below the output folder, without task and ending.
        source: what named it: a path, a pattern or a data list.
    """

    files: tuple[str, ...]
    stem: str
    source: str


@dataclass(frozen=True)
class _Found:
    """The images of one argument, and the folder that was searched for them."""

    source: str
    images: list[tuple[str, ...]]
    root: str | None = None


def find_inputs(
    paths: Sequence[str | os.PathLike[str]],
    channels: Sequence[str] = (),
    output: str | os.PathLike[str] | None = None,
) -> list[PredictionInput]:
    """Find the images to predict, and name their predictions.

    In a folder and its folders are found: files by their ending, DICOM by its content, and zarr stores. What is left
    out is counted and named by the log, predictions of earlier runs too, which are known by their ledgers; a pattern
    takes those that lie where its fixed part ends. Predictions lie as their images do, below the folder that was
    searched.

    Args:
        paths: files of any known format, folders, patterns with ``*``, ``?``, ``[...]`` or ``**``, and data lists as
            `read_datalist` reads them, of several sections as ``list.json#test``.
        channels: how the names of an image's files end, where the channels lie in a file each: ``("_0000", "_0001")``
            or ``("_t1", "_t2")``. It is for folders; lists name the files of each image themselves.
        output: folder of the predictions, left out where it lies in a folder that is searched.

    Returns:
        One per image, in the order of ``paths``; what is named twice counts once.

    Raises:
        FileNotFoundError: When a path does not exist, or an image lacks a channel.
        ValueError: When a path holds no image, or two images would give their predictions one name.

    Example:
        >>> find_inputs(["scans"])
        [PredictionInput(files=('/data/scans/sub1/t1.nii.gz',), stem='sub1/t1', source='scans')]
    """
    search, earlier = FolderSearch(channels, output), EarlierPredictions()
    found = [_find(os.fspath(path), search, earlier) for path in paths]
    _tell_left_out(search, earlier)
    sources: dict[tuple[str, ...], str] = {}
    for argument in found:
        for files in argument.images:
            sources.setdefault(tuple(map(os.path.abspath, files)), argument.source)
    _check_first_files(list(sources))
    roots = [argument.root for argument in found if argument.root is not None]
    stems = relative_stems(({"image": files} for files in sources), roots=roots)
    return [PredictionInput(files, stems[files[0]], source) for files, source in sources.items()]


def _find(source: str, search: FolderSearch, earlier: EarlierPredictions) -> _Found:
    path = Path(source).expanduser()
    listed, _, section = source.rpartition("#")
    if path.is_dir():
        return _searched(source, path, search, earlier)
    if path.exists():
        if path.suffix.lower() in _LISTS:
            return _Found(source, list(_listed(source, None)))
        return _Found(source, [(str(path),)])
    if listed.lower().endswith(_LISTS):
        return _Found(source, list(_listed(listed, section)))
    if glob.has_magic(source):
        return _matched(source, str(path), search, earlier)
    raise FileNotFoundError(f"{source} does not exist: give a file, a folder, a pattern or a data list.")


def _searched(source: str, folder: Path, search: FolderSearch, earlier: EarlierPredictions) -> _Found:
    before, hidden = len(search.left_out), search.hidden
    found = search.images(folder)
    images = earlier.without(found, folder)
    if found and not images:
        first = Path(found[0][0])
        raise ValueError(
            f"{source} holds no image to predict, but {len(found)} predicted by earlier runs: to predict from these, "
            f"name them by a pattern, such as '{first.parent}/*{first.name[first.name.index('.') :]}'."
        )
    if not images:
        there = [_described(search.left_out[before:])] if search.left_out[before:] else []
        there += [f"{search.hidden - hidden} hidden"] if search.hidden > hidden else []
        raise ValueError(
            f"{source} holds no image to predict, but {' and '.join(there) or 'nothing at all'}. Images are DICOM, "
            f"zarr stores, or end in {', '.join(IMAGE_ENDINGS)}."
        )
    return _Found(source, images, str(folder))


def _matched(source: str, pattern: str, search: FolderSearch, earlier: EarlierPredictions) -> _Found:
    matches = {Path(match) for match in glob.glob(pattern, recursive=True)}
    if not matches:
        raise FileNotFoundError(f"Nothing matches {source!r}, which is looked for in {Path.cwd()}.")
    before = len(search.left_out)
    # "scans/**" finds folders and all in them, which are images once; parts of zarr stores are none.
    found = search.among(sorted(match for match in matches if matches.isdisjoint(match.parents)))
    images = earlier.without(found, Path(_fixed_part(pattern)), below=True)
    if not images:
        there = _described(search.left_out[before:]) or "folders without any"
        there = f"{len(found)} predicted by earlier runs" if found else there
        raise ValueError(f"{source!r} matches no image to predict, but {there}.")
    return _Found(source, images, _fixed_part(pattern))


def _fixed_part(pattern: str) -> str:
    """The folder before the first part with a wildcard."""
    parts = Path(pattern).parts
    first = next(number for number, part in enumerate(parts) if glob.has_magic(part))
    return str(Path(*parts[:first])) if first else os.curdir


def _listed(file: str, section: str | None) -> Iterator[tuple[str, ...]]:
    try:
        samples = read_datalist(file, section, keys="image")
    except ValueError as error:
        if section is None and "say which" in str(error):
            raise ValueError(f"{str(error).removesuffix('.')}, as {file}#test.") from None
        raise
    for sample in samples:
        yield tuple(ensure_tuple(sample["image"]))


def _check_first_files(images: Sequence[tuple[str, ...]]) -> None:
    """The first of several files names the prediction."""
    seen: dict[str, tuple[str, ...]] = {}
    for files in images:
        if (other := seen.setdefault(files[0], files)) != files:
            raise ValueError(
                f"{files[0]} is the first file of two images, {list(other)} and {list(files)}, whose predictions would "
                "have one name: predict them into different folders."
            )


def _tell_left_out(search: FolderSearch, earlier: EarlierPredictions) -> None:
    told = [_described(search.left_out)] if search.left_out else []
    if earlier.left_out:
        told.append(f"{len(earlier.left_out)} predicted by earlier runs: {_some(earlier.left_out)}")
    if search.hidden:
        told.append(f"{search.hidden} hidden")
    if told:
        logger.warning("Left out: %s.", "; ".join(told))


def _described(files: Sequence[Path]) -> str:
    """``3 files that are no images: a.txt, b.log, c.xml``."""
    if not files:
        return ""
    return f"{len(files)} that {'is no image' if len(files) == 1 else 'are no images'}: {_some(files)}"


def _some(files: Sequence[Path]) -> str:
    return ", ".join(str(file) for file in files[:3]) + (", ..." if len(files) > 3 else "")
