"""Fingerprints as data sets of a kind have them."""

from __future__ import annotations

from typing import Any

from monai_mtunet.planning.fingerprint.case_fingerprint import CaseFingerprint


def channel(**values: float) -> dict[str, float]:
    """Statistics of an MRI's channel, some replaced."""
    usual = {"not_finite": 0.0, "mean": 300.0, "std": 100.0, "min": 0.0, "max": 900.0, "noise": 4.0}
    return {**usual, "p0.5": 100.0, "p99.5": 500.0, **values}


def case(
    shape: tuple[int, ...] = (40, 50, 30),
    spacing: tuple[float, ...] | None = (1.0, 1.0, 1.0),
    orientation: str | None = "RAS",
    dtype: str = "int16",
    targets: dict[str, Any] | None = None,
    **values: float,
) -> CaseFingerprint:
    """One image."""
    place = None if spacing is None else list(spacing)
    return CaseFingerprint("a", list(shape), place, orientation, dtype, [channel(**values)], targets or {})


def picture(shape: tuple[int, ...] = (96, 128), channels: int = 3) -> CaseFingerprint:
    """A picture of 8 bits."""
    return CaseFingerprint("a", list(shape), None, None, "uint8", [channel()] * channels)
