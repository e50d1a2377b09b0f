"""A fingerprint in a few lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..data.case import FoundData, TargetKind
from .data_fingerprint import DataFingerprint

__all__ = ["summary"]


def summary(data: FoundData, found: DataFingerprint) -> str:
    """What there is, then all problems, each with its remedy; those that stop training are named first.

    Args:
        data: what was found in the folder.
        found: what its files are like.
    """
    read = [case for case in found.cases if case.shape]
    lines = [f"{len(found.cases)} images ({data.layout}), channels: {', '.join(data.channels)}"]
    if read:
        lines.append(f"  voxels: {_range([case.shape for case in read])}")
    if spacings := [case.spacing for case in read if case.spacing is not None]:
        lines.append(f"  spacing: {_range(spacings)}")
    noise = [channel["noise"] for case in read for channel in case.channels if channel.get("std")]
    if noise:
        lines.append(f"  noise (standard deviation): {np.median(noise):.3g} in the median")
    lines += [_of_target(name, kind, found) for name, kind in data.targets.items()]
    problems = found.all_problems
    stopping = sum(problem.stops for problem in problems)
    lines.append(f"{len(problems)} problems, {stopping} of which are to be mended before training" if problems else "")
    lines += [f"  {problem.file}: {problem.what}: {problem.remedy}" for problem in problems]
    return "\n".join(line for line in lines if line)


def _range(values: Sequence[Sequence[float]]) -> str:
    """The median along each axis, and the least and the greatest where they differ."""
    if len({len(some) for some in values}) > 1:
        return "of 2 and of 3 axes"
    axes = []
    for some in np.sort(np.array(values, dtype=float), axis=0).T:
        middle, low, high = some[len(some) // 2], some[0], some[-1]
        axes.append(f"{middle:.4g}" if low == high else f"{middle:.4g} ({low:.4g} to {high:.4g})")
    return " x ".join(axes)


def _of_target(name: str, kind: TargetKind, found: DataFingerprint) -> str:
    known = sum(case.targets.get(name) is not None for case in found.cases)
    line = f"  {name} ({kind.value}): {known} of {len(found.cases)} images"
    counts = found.label_counts(name)
    if counts:
        in_order = sorted(counts, key=lambda label: tuple(map(int, label.split())))  # colors are three numbers
        shares = [f"{label}: {counts[label] / counts.total():.2%}" for label in in_order]
        line += f"; share of voxels: {', '.join(shares[:40])}"
    return line
