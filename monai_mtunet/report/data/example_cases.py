"""Some images of a data set with their targets over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...files import open_image
from ...pictures import distinct_colors
from ...pictures.instance_colors import instance_colors
from ...pictures.middle_slice import middle_slice
from ...pictures.picture import Picture, draw_intensities
from ...planning.data.case import DataCase, FoundData, TargetKind
from ...planning.fingerprint import DataFingerprint
from ..picture_bytes import encode_picture
from ..pictured_case import PicturedCase, some_slices

__all__ = ["Examples", "draw_examples"]

Values = NDArray[Any]  # (C, *spatial)

_COUNT = 4
_MOST_VOXELS = 2**27  # of an image that is read whole for a picture
_MOST_CHANNELS = 4
_LONGEST = {2: 512, 3: 256}
_OPACITY = 0.45
_MISSING = 255
_SAMPLED = 20_000  # voxels of each image
_LABELS = (TargetKind.SEGMENTATION, TargetKind.INSTANCES, TargetKind.EDGES)


@dataclass
class Examples:
    """Pictures, and what was seen while they were made.

    Attributes:
        cases: the pictured ones.
        intensities: by channel, some of all voxels' values.
        colors: by target the color of each label.
        left_out: why images are not drawn.
    """

    cases: list[PicturedCase] = field(default_factory=list)
    intensities: dict[str, list[float]] = field(default_factory=dict)
    colors: dict[str, dict[int, tuple[int, int, int]]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def draw_examples(data: FoundData, found: DataFingerprint) -> Examples:
    """Draw some images, spread over the data set: those that have no problem, and of these the ones with most targets.

    Args:
        data: what was found.
        found: its fingerprint, of the same cases.
    """
    examples = Examples()
    for name, kind in data.targets.items():
        if kind is TargetKind.SEGMENTATION:
            labels = sorted(int(label) for label in found.label_counts(name) if int(label) != _MISSING)
            examples.colors[name] = dict(zip(labels, distinct_colors(len(labels)), strict=True))
    for number in _chosen(data, found):
        case = data.cases[number]
        try:
            examples.cases.append(_draw(case, data, examples))
        except Exception as error:  # of a file, since it was looked at
            examples.left_out.append(f"{case.name} is not drawn: {' '.join(str(error).split())}")
    return examples


def _chosen(data: FoundData, found: DataFingerprint) -> list[int]:
    def usable(number: int) -> bool:
        voxels = int(np.prod(found.cases[number].shape, dtype=np.int64))
        return 0 < voxels <= _MOST_VOXELS and not any(problem.stops for problem in found.cases[number].problems)

    numbers = [number for number in range(len(data.cases)) if usable(number)]
    targets = [sum(target is not None for target in data.cases[number].targets.values()) for number in numbers]
    best = [number for number, count in zip(numbers, targets, strict=True) if count == max(targets)]
    places = np.linspace(0, len(best) - 1, min(_COUNT, len(best))).round().astype(int)
    return [best[place] for place in places]


def _draw(case: DataCase, data: FoundData, examples: Examples) -> PicturedCase:
    image = _read(case.images)
    files = {name: files for name in data.targets if (files := case.files_of(name))}
    targets = {name: _read(paths) for name, paths in files.items()}
    _sample(image, data.channels, examples)
    is_volume = image.ndim == 4
    count = image.shape[-1] if is_volume else 1
    limits = [_limits(channel) for channel in image]
    result = PicturedCase("", case.name, [], some_slices(count), count)
    for number in result.numbers:
        planes = [_plane(values, number) for values in (image, *targets.values())]
        row = _row(planes[0], limits, data.channels, dict(zip(targets, planes[1:], strict=True)), data, examples)
        result.columns = list(row)
        result.pictures.append(
            [encode_picture(picture, _LONGEST[image.ndim - 1], exact=False) for picture in row.values()]
        )
    return result


def _read(files: Sequence[str]) -> Values:
    values: Values = open_image(files if len(files) > 1 else files[0]).read()
    return values


def _sample(image: Values, channels: Sequence[str], examples: Examples) -> None:
    for name, values in zip(channels, image, strict=False):
        flat = values.reshape(-1)[:: max(1, values.size // _SAMPLED)].astype(float)
        examples.intensities.setdefault(name, []).extend(flat[np.isfinite(flat)].tolist())


def _limits(channel: Values) -> tuple[float, float]:
    finite = channel[np.isfinite(channel)]
    low, high = np.percentile(finite, (0.5, 99.5)) if finite.size else (0.0, 1.0)
    return float(low), float(high) if high > low else float(low) + 1


def _plane(values: Values, number: int) -> Values:
    """The slice of a volume as pictures show it (C, H, W)."""
    values = values[..., number : number + 1] if values.ndim == 4 else values
    return middle_slice(torch.from_numpy(np.ascontiguousarray(values.astype(np.float64)))).numpy()


def _row(
    image: Values,
    limits: Sequence[tuple[float, float]],
    channels: Sequence[str],
    targets: Mapping[str, Values],
    data: FoundData,
    examples: Examples,
) -> dict[str, Picture]:
    row = {}
    if len(image) == 3 and image.dtype.kind == "f" and _is_color(limits):
        row["image"] = draw_intensities(torch.from_numpy(image), 0, 255)
    else:
        for place, name in list(enumerate(channels))[:_MOST_CHANNELS]:
            caption = "image" if len(channels) == 1 else f"image, {name}"
            row[caption] = draw_intensities(torch.from_numpy(image[place : place + 1]), *limits[place])
    base = next(iter(row.values()))
    for name, values in targets.items():
        row[f"{name} over the image" if data.targets[name] in _LABELS else name] = _target(
            values, base, data.targets[name], examples.colors.get(name, {})
        )
    return row


def _is_color(limits: Sequence[tuple[float, float]]) -> bool:
    """Whether three channels are the colors of a picture, which has 8 bits."""
    return all(low >= 0 and high <= 255 for low, high in limits) and max(high for _, high in limits) > 1


def _target(values: Values, base: Picture, kind: TargetKind, colors: Mapping[int, tuple[int, int, int]]) -> Picture:
    if kind not in _LABELS:
        bounds = (0.0, 255.0) if len(values) == 3 and values.max() > 1 else _limits(values)
        return draw_intensities(torch.from_numpy(values), *bounds)
    numbers = np.nan_to_num(values[0]).round().astype(np.int64)
    if kind is TargetKind.INSTANCES:
        painted: Picture = instance_colors(numbers)[np.maximum(numbers, 0)]
    else:
        painted = np.zeros((*numbers.shape, 3), np.uint8)
        for label, color in (colors or dict.fromkeys(np.unique(numbers), (255, 0, 0))).items():
            painted[numbers == label] = color
    seen = (numbers > 0) & (numbers != _MISSING if kind is TargetKind.SEGMENTATION else numbers > 0)
    if base.shape != painted.shape:
        return painted
    mixed: Values = np.where(seen[..., None], (1 - _OPACITY) * base + _OPACITY * painted, base)
    over: Picture = mixed.round().astype(np.uint8)
    return over
