"""How intensities become the network's input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fingerprint.case_fingerprint import CaseFingerprint
from .choice import Choice

__all__ = ["Intensities", "choose_intensities"]

_HOUNSFIELD = -500  # the darkest half percent of CT is air, of -1000
_CT = re.compile(r"\bct\b", re.IGNORECASE)


@dataclass(frozen=True)
class Intensities:
    """Intensities on their way into the network.

    Args:
        step: the transform of ``load`` that scales them; None where they stay as they are.
        mean: of each channel after that.
        std: likewise.
        data_range: lowest and highest intensity after that, percentiles of the brightest and darkest voxels.
        noise: standard deviation of the images' own noise, in parts of that range.
        choices: what was chosen.
    """

    step: dict[str, Any] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    data_range: tuple[float, float]
    noise: float
    choices: tuple[Choice, ...]


def choose_intensities(
    cases: Sequence[CaseFingerprint], channels: Sequence[str], restored: Sequence[str] = ()
) -> Intensities:
    """Choose how to scale: CT by one range for all volumes, pictures of 8 bits not at all, all else image by image.

    Args:
        cases: images that could be read, of as many channels.
        channels: their names.
        restored: targets that are versions of the image, and are scaled as it is.
    """
    found = {name: _of(cases, name) for name in ("mean", "std", "noise", "p0.5", "p99.5")}
    alike: dict[str, Any] = {"alike": list(restored)} if restored else {}
    if len(cases[0].shape) == 2 and all(case.dtype == "uint8" for case in cases):
        step, low, high = None, np.zeros(1), np.full(1, 255.0)
        data_range = (0.0, 255.0)
        choice = Choice("intensities", "as they are", "pictures of 8 bits share one scale, 0 to 255")
    elif any(map(_CT.search, channels)) or _is_hounsfield(cases, found["p0.5"]):
        low, high = (_foreground(cases, name, found).mean(axis=0) for name in ("p0.5", "p99.5"))
        ranges = [[float(f"{a:.4g}"), float(f"{b:.4g}")] for a, b in zip(low, high, strict=True)]
        step = {"_target_": "ScaleVolumeRanged", "keys": "image", "ranges": ranges, **alike}
        data_range = (0.0, 1.0)
        reason = "CT has an absolute unit, so that all volumes have one range: the percentiles 0.5 and 99.5 of what is "
        choice = Choice("intensities", f"{ranges} to 0..1", reason + "labeled, in the mean over volumes")
    else:
        low, high = found["p0.5"], found["p99.5"]
        step = {"_target_": "ScaleVolumeRanged", "keys": "image", **alike}
        data_range = (0.0, 1.0)
        reason = "there is no absolute unit: each image, and each channel, by its own percentiles 0.5 and 99.5"
        choice = Choice("intensities", "scaled to 0..1", reason)
    width = np.where(high > low, high - low, 1.0)
    low, width = (np.zeros(1), np.ones(1)) if step is None else (low, width)
    means, stds = (found["mean"] - low) / width, found["std"] / width
    mean = means.mean(axis=0)
    std = np.sqrt((stds**2).mean(axis=0) + means.var(axis=0))
    # Relative to what scaling makes of it, in any case.
    noise = float(np.median(found["noise"] / width) / (data_range[1] - data_range[0]))
    rounded = [tuple(float(f"{value:.3g}") for value in values) for values in (mean, np.maximum(std, 1e-6))]
    normalized = Choice(
        "normalization", f"mean {list(rounded[0])}, standard deviation {list(rounded[1])}",
        "of all voxels, channel by channel: the network's input is around 0, with deviations around 1",
    )  # fmt: skip
    return Intensities(step, rounded[0], rounded[1], data_range, noise, (choice, normalized))


def _of(cases: Sequence[CaseFingerprint], name: str) -> NDArray[np.float64]:
    """(images, channels) of one statistic."""
    return np.array([[channel.get(name, 0.0) for channel in case.channels] for case in cases])


def _foreground(cases: Sequence[CaseFingerprint], name: str, found: dict[str, Any]) -> NDArray[np.float64]:
    labeled = [case for case in cases if all(channel.get("foreground_voxels") for channel in case.channels)]
    return _of(labeled, f"foreground_{name}") if labeled else np.asarray(found[name])


def _is_hounsfield(cases: Sequence[CaseFingerprint], darkest: NDArray[np.float64]) -> bool:
    whole = all(case.dtype.startswith(("int", "float")) for case in cases)
    return len(cases[0].shape) == 3 and whole and bool(np.median(darkest, axis=0).max() <= _HOUNSFIELD)
