"""Colours for classes that come without a palette of their own."""

from __future__ import annotations

import colorsys

# Okabe and Ito, "Color Universal Design" (2008): apart for every common kind of colour blindness.
_OKABE_ITO = [(0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0)]
_OKABE_ITO += [(204, 121, 167)]


def distinct_colours(count: int) -> list[tuple[int, int, int]]:
    """Colours for ``count`` classes, black (the usual background) first.

    The first eight are the palette of Okabe and Ito; more classes take hues at golden-angle steps, which stay
    apart as long as possible but cannot all be told apart by the colour blind.

    Args:
        count: number of classes.

    Returns:
        RGB triples in 0..255.
    """
    colours = _OKABE_ITO[:count]
    for index in range(count - len(colours)):
        hue = (index * 0.618034) % 1.0
        value = 0.95 if index % 2 else 0.7
        red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, value)
        colours.append((round(255 * red), round(255 * green), round(255 * blue)))
    return colours
