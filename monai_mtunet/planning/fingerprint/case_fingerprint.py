"""What the files of one image are like, and what is wrong with them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.utils import ImageMetaKey, MetaKeys
from nibabel.orientations import aff2axcodes
from numpy.typing import NDArray

from ...files import open_image
from ...transforms.grids import check_same_grid
from ..data.case import DataCase, TargetKind
from .intensity_statistics import intensity_statistics

__all__ = ["CaseFingerprint", "Problem", "fingerprint_case"]

_MOST_LABELS = 1000  # different numbers in a label map; more are ids, or no labels
_RESAMPLE = "Bring it onto the image's grid: ResampleSampled does, or write it anew."


@dataclass(frozen=True)
class Problem:
    """Something that is wrong.

    Args:
        file: the file, or the image's name where it is not of one file.
        what: in a sentence, with the values.
        remedy: what to do about it.
        stops: whether nothing can be trained before it is mended.
    """

    file: str
    what: str
    remedy: str
    stops: bool = True


@dataclass
class CaseFingerprint:
    """What the files of one image are like; JSON values.

    Attributes:
        name: of the image.
        shape: voxels per spatial axis, in the package's order.
        spacing: length of a voxel along each, in the file's unit; None where the file says none.
        orientation: where the axes point to, such as "RAS"; None where the file does not say.
        dtype: of the file's values.
        channels: statistics of each channel, see `intensity_statistics`.
        targets: by name: ``{"labels": {number: voxels}}``, of colored ones ``{"labels": {"red green blue": voxels}}``;
            or ``{"channels": statistics, "whole": whether all are whole numbers}``; a number; None if missing.
        digest: of the image's values.
        problems: what is wrong.
    """

    name: str
    shape: list[int] = field(default_factory=list)
    spacing: list[float] | None = None
    orientation: str | None = None
    dtype: str = ""
    channels: list[dict[str, float]] = field(default_factory=list)
    targets: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    problems: list[Problem] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> CaseFingerprint:
        """The way back."""
        return cls(**{**values, "problems": [Problem(**problem) for problem in values["problems"]]})


def fingerprint_case(case: DataCase, kinds: Mapping[str, TargetKind]) -> CaseFingerprint:
    """Read all files of an image. What is wrong with one does not stop the others.

    Args:
        case: the image's files.
        kinds: of the targets, by name.
    """
    found = CaseFingerprint(case.name)
    image = _read(case.images, found)
    values = {name: _read(files, found) for name in kinds if (files := case.files_of(name))}
    if image is not None:
        _describe(image, found)
    foreground = None
    for name, kind in kinds.items():
        target = values.get(name)
        if target is None:
            found.targets[name] = None if case.files_of(name) else case.targets.get(name)
            continue
        if image is not None:
            _compare(image, name, target, found)
        if kind is TargetKind.SEGMENTATION:
            labels = _labels(target, found)
            found.targets[name] = {"labels": labels}
            if image is not None and labels and target.shape[1:] == image.shape[1:]:
                foreground = target.numpy()[0] > 0 if foreground is None else foreground | (target.numpy()[0] > 0)
        elif kind is TargetKind.COLORED_SEGMENTATION:
            found.targets[name] = {"labels": _colors(target)}
        else:
            numbers = target.numpy()
            whole = bool((numbers[np.isfinite(numbers)] % 1 == 0).all())
            found.targets[name] = {"channels": intensity_statistics(numbers, None), "whole": whole}
    if image is not None:
        found.channels = intensity_statistics(image.numpy(), foreground)
        _check_intensities(image, found)
    return found


def _read(files: Sequence[str], found: CaseFingerprint) -> MetaTensor | None:
    try:
        image = open_image(files if len(files) > 1 else files[0])
        values = _signed(image.read())
    except Exception as error:  # whatever is wrong with a file
        reason = " ".join(str(error).split()) or type(error).__name__
        what, _, remedy = reason.rpartition(": ")
        if not what or not remedy.endswith(".") or Path(files[0]).name in remedy:  # a library's, which says none
            what, remedy = reason, "Write the file anew, or leave it out."
        found.problems.append(Problem(files[0], what, remedy))
        return None
    meta: dict[str, Any] = {ImageMetaKey.FILENAME_OR_OBJ: files[0], "header": image.header}
    if image.affine is not None:
        meta[MetaKeys.ORIGINAL_AFFINE] = image.affine
    affine = None if image.affine is None else torch.from_numpy(image.affine)
    return MetaTensor(torch.from_numpy(values), affine=affine, meta=meta)


def _signed(values: NDArray[Any]) -> NDArray[Any]:
    """As torch has it, which knows few unsigned types."""
    wider = {1: np.int16, 2: np.int32}.get(values.dtype.itemsize, np.int64)
    return values.astype(wider) if values.dtype.kind == "u" else np.ascontiguousarray(values)


def _describe(image: MetaTensor, found: CaseFingerprint) -> None:
    header = image.meta["header"]
    found.shape = [int(size) for size in image.shape[1:]]
    found.spacing = None if header.spacing is None else [float(length) for length in header.spacing]
    affine = image.meta.get(MetaKeys.ORIGINAL_AFFINE)
    if affine is not None and len(found.shape) == 3:
        found.orientation = "".join(str(code) for code in aff2axcodes(np.asarray(affine)))
    found.dtype = header.dtype
    found.digest = hashlib.sha256(np.ascontiguousarray(image.numpy()).tobytes()).hexdigest()[:16]


def _compare(image: MetaTensor, name: str, target: MetaTensor, found: CaseFingerprint) -> None:
    file = str(target.meta[ImageMetaKey.FILENAME_OR_OBJ])
    if target.shape[1:] != image.shape[1:]:
        sizes = " and ".join(" x ".join(map(str, values.shape[1:])) for values in (image, target))
        found.problems.append(Problem(file, f"the image and {name} have {sizes} voxels", _RESAMPLE))
        return
    try:
        check_same_grid("image", image, name, target, "")
    except ValueError as error:
        found.problems.append(Problem(file, str(error).strip(), _RESAMPLE))


def _labels(target: MetaTensor, found: CaseFingerprint) -> dict[str, int]:
    """How many voxels each label has."""
    file = str(target.meta[ImageMetaKey.FILENAME_OR_OBJ])
    numbers, counts = np.unique(target.numpy(), return_counts=True)
    whole = np.isfinite(numbers) & (np.abs(numbers - np.rint(numbers)) <= 1e-3)
    if not whole.all() or len(numbers) > _MOST_LABELS:
        some = ", ".join(f"{number:g}" for number in numbers[~whole][:5]) or f"{len(numbers)} different numbers"
        what = f"it holds {some}, and is no label map"
        found.problems.append(Problem(file, what, "Name its kind, or resample labels by nearest neighbor."))
        return {}
    found_labels: Counter[str] = Counter()  # a scaled header gives one label several numbers, such as 2 and 2.0001
    for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
        found_labels[str(round(number))] += count
    return dict(found_labels)


def _colors(target: MetaTensor) -> dict[str, int]:
    """How many pixels each color has."""
    colors, counts = np.unique(target.numpy()[:3].reshape(3, -1), axis=1, return_counts=True)
    return {" ".join(str(int(c)) for c in color): int(count) for color, count in zip(colors.T, counts, strict=True)}


def _check_intensities(image: MetaTensor, found: CaseFingerprint) -> None:
    file = str(image.meta[ImageMetaKey.FILENAME_OR_OBJ])
    wrong = int(sum(channel["not_finite"] for channel in found.channels))
    if wrong == image.numel():
        found.problems.append(Problem(file, "no voxel is finite", "Write the file anew, or leave it out."))
    elif wrong:
        what = f"{wrong} of {image.numel()} voxels are not finite"
        remedy = "They are filled with 0 where the network sees them, and are NaN in restored files."
        found.problems.append(Problem(file, what, remedy, stops=False))
    for number, channel in enumerate(found.channels):
        if channel.get("std") == 0:
            what = f"channel {number} is {channel['mean']:g} everywhere"
            found.problems.append(Problem(file, what, "Leave the image out, or give the right file."))
