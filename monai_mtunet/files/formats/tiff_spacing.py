"""How large the voxels of a TIFF are, from its tags, ImageJ's description or OME's."""

from __future__ import annotations

from typing import Any

from tifffile import RESUNIT, TiffFile, xml2dict

from ..units import converted, short_unit

__all__ = ["spacing_and_unit"]

_MILLIMETERS = {RESUNIT.INCH: 25.4, RESUNIT.CENTIMETER: 10.0, RESUNIT.MILLIMETER: 1.0, RESUNIT.MICROMETER: 1e-3}


def spacing_and_unit(file: TiffFile, spatial: str) -> tuple[tuple[float, ...] | None, str | None]:
    """Lengths of voxels along the axes ``spatial``, "yx" or "xyz", and their unit.

    The distance of slices is 1 where a file says none.
    """
    lengths, unit = _ome(file) if file.is_ome else _tags(file)
    if lengths is None or not all(lengths[name] > 0 for name in "xy"):
        return None, None
    return tuple(lengths.get(name) or 1.0 for name in spatial), unit


def _ome(file: TiffFile) -> tuple[dict[str, float] | None, str | None]:
    images = xml2dict(file.ome_metadata or "")["OME"]["Image"]
    pixels: dict[str, Any] = (images[0] if isinstance(images, list) else images)["Pixels"]
    if "PhysicalSizeX" not in pixels or "PhysicalSizeY" not in pixels:
        return None, None
    # OME's unit is the micrometer where none is given; axes may differ in theirs.
    units = {name: short_unit(pixels.get(f"PhysicalSize{name.upper()}Unit", "um")) for name in "xyz"}
    unit = units["x"]
    lengths = {name: float(pixels.get(f"PhysicalSize{name.upper()}", 0)) for name in "xyz"}
    return {name: converted(length, units[name], unit) for name, length in lengths.items()}, unit


def _tags(file: TiffFile) -> tuple[dict[str, float] | None, str | None]:
    page = file.pages.first
    per_unit = [page.tags.valueof(name) for name in ("XResolution", "YResolution")]
    if not all(value and value[0] and value[1] for value in per_unit):
        return None, None
    x, y = (value[1] / value[0] for value in per_unit)
    described: dict[str, Any] = (file.imagej_metadata or {}) if file.is_imagej else (file.shaped_metadata or ({},))[0]
    depth = float(described.get("spacing", 0))
    unit = short_unit(described.get("unit"))
    if file.is_imagej and unit is not None:
        return {"x": x, "y": y, "z": depth}, unit
    factor = _MILLIMETERS.get(page.tags.valueof("ResolutionUnit", default=RESUNIT.INCH))
    if factor is None:
        return ({"x": x, "y": y, "z": depth}, None) if (x, y) != (1, 1) or depth else (None, None)
    return {"x": x * factor, "y": y * factor, "z": converted(depth, unit, "mm")}, "mm"
