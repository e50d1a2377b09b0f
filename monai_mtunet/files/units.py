"""Names of units of length, which every format spells differently."""

from __future__ import annotations

__all__ = ["converted", "ngff_unit", "short_unit"]

_SHORT = {
    "angstrom": "angstrom", "å": "angstrom", "nanometer": "nm", "nm": "nm",
    "micrometer": "um", "micron": "um", "microns": "um", "um": "um", "µm": "um", "\u03bcm": "um",
    "\\u00b5m": "um", "millimeter": "mm", "mm": "mm", "centimeter": "cm", "cm": "cm", "meter": "m", "m": "m",
}  # fmt: skip
_NGFF = {"angstrom": "angstrom", "nm": "nanometer", "um": "micrometer", "mm": "millimeter"}
_NGFF |= {"cm": "centimeter", "m": "meter"}

_METERS = {"angstrom": 1e-10, "nm": 1e-9, "um": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0}


def short_unit(name: object) -> str | None:
    """Among "nm", "um", "mm", "cm", "m" and "angstrom"; None for what is no length, such as "pixel"."""
    return _SHORT.get(str(name).strip().lower())


def ngff_unit(unit: str) -> str:
    """The name of a short unit in OME-Zarr."""
    return _NGFF[unit]


def converted(length: float, own: str | None, unit: str | None) -> float:
    """A length of the unit ``own`` in another one; unchanged where one of them is unknown."""
    return length if own is None or unit is None or own == unit else length * _METERS[own] / _METERS[unit]
