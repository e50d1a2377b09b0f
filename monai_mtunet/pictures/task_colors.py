"""The color of each task in curves and drawings, the same everywhere."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from .palette import OKABE_ITO

_BLACK, _ORANGE, _SKY, _GREEN, _YELLOW, _BLUE, _VERMILION, _PURPLE = (
    "#{:02x}{:02x}{:02x}".format(*color) for color in OKABE_ITO
)
SHARED_COLOR = "#d4d4d4"

# Tasks that are learned together differ. Other names take one of the first six by their spelling.
TASK_COLORS = {
    "segment": _BLUE,
    "denoise": _VERMILION,
    "depth": _ORANGE,
    "normals": _GREEN,
    "edges": _PURPLE,
    "distance": _SKY,
    "classify": _VERMILION,
    "species": _VERMILION,
    "box": _ORANGE,
    "color": _GREEN,
}
_OTHERS = (_BLUE, _ORANGE, _GREEN, _VERMILION, _PURPLE, _SKY, _YELLOW, _BLACK)


def task_colors(names: Iterable[str]) -> dict[str, str]:
    """A color per task for what is not a picture of its values: curves, axes, drawings of networks.

    The names that bundles use have fixed colors; any other name has one that follows from its spelling. Only where
    that is taken by an earlier task of the same figure, the next free one is used. All are of the palette of Okabe and
    Ito, apart for every common kind of color blindness, and none is gray, which is for what tasks share.

    Args:
        names: names of the tasks in a figure.

    Returns:
        ``{name: "#rrggbb"}`` in the order of the names; beyond eight tasks colors repeat.

    Example:
        >>> task_colors(["denoise", "segment"])
        {'denoise': '#d55e00', 'segment': '#0072b2'}
    """
    colors: dict[str, str] = {}
    names = list(dict.fromkeys(names))
    for name in sorted(names, key=lambda name: name not in TASK_COLORS):  # fixed colors first
        own = TASK_COLORS.get(name, _OTHERS[zlib.crc32(name.encode()) % 6])
        start = _OTHERS.index(own)
        free = [color for color in (*_OTHERS[start:], *_OTHERS[:start]) if color not in colors.values()]
        colors[name] = free[0] if free else own
    return {name: colors[name] for name in names}
