"""On which grid a network sees images: axes, orientation and spacing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fingerprint.case_fingerprint import CaseFingerprint
from .choice import Choice, listed

__all__ = ["Grid", "choose_grid"]

_SAME = 0.02  # relative difference of spacings below which nothing is resampled
_ANISOTROPIC = 3.0  # of lengths of a voxel, as nnU-Net has it
_SHORT = 10  # percentile of sizes
_MICROSCOPY = 0.05  # mm: what has shorter voxels is no body
_THIN = 10  # percentile of the spacing across thick slices
_LABELS = [["L", "R"], ["P", "A"], ["I", "S"]]  # of the axes' ends, as nibabel and MONAI have them
_AXES = {"L": 0, "R": 0, "A": 1, "P": 1, "S": 2, "I": 2}


@dataclass(frozen=True)
class Grid:
    """The images as the network sees them.

    Args:
        sizes: voxels per axis of each image, (images, axes).
        spacing: length of a voxel along each axis; 1 where files do not say it.
        steps: transforms of ``load`` that bring images there.
        choices: what was chosen.
        left_right: of bodies the axis from left to right, the only one along which they are alike; None where images
            have no upper side, or it is not known.
    """

    sizes: NDArray[np.int64]
    spacing: tuple[float, ...]
    steps: tuple[dict[str, Any], ...]
    choices: tuple[Choice, ...]
    left_right: int | None = None

    @property
    def spatial_dims(self) -> int:
        """2 or 3."""
        return len(self.spacing)

    @property
    def median(self) -> tuple[int, ...]:
        """The median size along each axis."""
        return tuple(int(size) for size in np.median(self.sizes, axis=0))

    @property
    def usual(self) -> tuple[int, ...]:
        """A size along each axis that nine of ten images have at least."""
        return tuple(int(size) for size in np.percentile(self.sizes, _SHORT, axis=0, method="lower"))


def choose_grid(cases: Sequence[CaseFingerprint]) -> Grid:
    """Choose the axes' order and direction that most volumes have, and one length of a voxel for all.

    The spacing is the median along each axis. Where voxels are three times as long along one axis as along another,
    and spacings differ along it, it is the tenth percentile there: the median would blur the volumes with thinner
    slices (nnU-Net's rule). Nothing is resampled where all spacings agree within 2 %.

    Args:
        cases: images that could be read, of as many axes.
    """
    spatial_dims = len(cases[0].shape)
    sizes = np.array([case.shape for case in cases])
    if spatial_dims == 2 or any(case.spacing is None for case in cases):
        why = "pixels are taken as they are" if spatial_dims == 2 else "not all files say the length of a voxel"
        return Grid(sizes, (1.0,) * spatial_dims, (), (Choice("spacing", "as in the files", why),))
    spacings = np.array([case.spacing for case in cases])
    codes, turn = _orientation(cases)
    known = all(case.orientation for case in cases) and spacings.min() >= _MICROSCOPY
    left_right = next((axis for axis, code in enumerate(codes) if code in "LR"), None) if known else None
    if turn is not None:
        order = [_order(case.orientation or codes, codes) for case in cases]
        sizes, spacings = (np.take_along_axis(values, np.array(order), axis=1) for values in (sizes, spacings))
    target = np.median(spacings, axis=0)
    reason = "the median"
    worst = int(target.argmax())
    if target[worst] > _ANISOTROPIC * target.min():
        target[worst] = max(np.percentile(spacings[:, worst], _THIN), np.delete(target, worst).max())
        reason = f"the median; across the thick slices the {_THIN}th percentile, so that thinner ones are not blurred"
    steps = [] if turn is None else [{"_target_": "Orientationd", "keys": "$@active_tasks.spatial_keys",
                                      "axcodes": codes, "labels": _LABELS,
                                      "allow_missing_keys": True}]  # fmt: skip
    choices = [] if turn is None else [turn]
    far = np.abs(spacings / target - 1).max()
    if far <= _SAME:
        choices.append(Choice("spacing", listed(target.round(4)), "all volumes have it, within 2 %: none is resampled"))
        return Grid(sizes, tuple(target.tolist()), tuple(steps), tuple(choices), left_right)
    rounded = [float(f"{length:.4g}") for length in target]
    steps.append({"_target_": "SpaceSampled", "tasks": "@active_tasks", "spacing": rounded})
    low, high = spacings.min(axis=0), spacings.max(axis=0)
    reason += f"; volumes have {listed(low.round(4))} to {listed(high.round(4))}. Predictions are saved on their grids"
    choices.append(Choice("spacing", listed(rounded), reason))
    spaced = np.maximum(1, np.rint(sizes * spacings / target)).astype(np.int64)
    return Grid(spaced, tuple(rounded), tuple(steps), tuple(choices), left_right)


def _orientation(cases: Sequence[CaseFingerprint]) -> tuple[str, Choice | None]:
    """The axes' codes that most volumes have; a choice where volumes differ."""
    counts = Counter(case.orientation for case in cases if case.orientation)
    if len(counts) < 2:
        return next(iter(counts), "RAS"), None
    (codes, most), *_ = counts.most_common()
    others = ", ".join(f"{code} ({count})" for code, count in counts.items() if code != codes)
    return codes, Choice("orientation", codes, f"{most} of {len(cases)} volumes have it; others are turned: {others}")


def _order(own: str, codes: str) -> list[int]:
    """Which of a volume's own axes comes first, second, third when it is turned."""
    places = [_AXES[code] for code in own]
    return [places.index(_AXES[code]) for code in codes]
