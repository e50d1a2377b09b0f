"""Pictures side by side, with what their colors mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .color_bar import ColorBar
from .picture import Picture

_CELL = 2.6  # inches
_MAX_LEGEND = 20  # more entries than that leave no room for the pictures

Color = tuple[int, int, int]


def draw_grid(
    rows: Sequence[Mapping[str, Picture]],
    legend: Mapping[str, Color] | None = None,
    bars: Sequence[tuple[ColorBar, Sequence[str]]] = (),
    title: str = "",
    aspect: float = 1.0,
) -> Figure:
    """Draw rows of pictures, captioned, above the bars of their values and a legend of their colors.

    Args:
        rows: per row ``{caption: picture (H, W, 3)}``; as many pictures in each, and the first row's captions are those
            that ``bars`` mean.
        legend: RGB in 0..255 of each text; of more than 20 the first are drawn.
        bars: each with the captions of the columns, side by side, that it is drawn under.
        title: text above the pictures.
        aspect: height of a pixel over its width.

    Returns:
        A matplotlib figure, to be saved or turned into an array by :func:`rasterize`.
    """
    entries = dict(list((legend or {}).items())[:_MAX_LEGEND])
    captions = list(rows[0])
    height, width = rows[0][captions[0]].shape[:2]
    width_inches = _CELL * len(captions)
    legend_columns = _legend_columns(entries, width_inches)
    legend_height = 0.2 * -(-len(entries) // legend_columns) + 0.1
    cell_height = _CELL * min(max(aspect * height / width, 0.3), 1.5)
    height_inches = (cell_height + 0.3) * len(rows) + 0.4 + legend_height + (0.5 if bars else 0)
    figure = Figure(figsize=(width_inches, height_inches), dpi=110, layout="constrained")
    # The last row holds the color bars, each as wide as its columns.
    heights = [cell_height] * len(rows) + [0.1] * bool(bars)
    grid = figure.add_gridspec(len(heights), len(captions), height_ratios=heights)
    for i, row in enumerate(rows):
        for j, (caption, picture) in enumerate(row.items()):
            _draw_picture(figure.add_subplot(grid[i, j]), caption, picture, aspect)
    for bar, under in bars:
        own = [captions.index(caption) for caption in under]
        _draw_bar(figure.add_subplot(grid[-1, own[0] : own[-1] + 1]), bar)
    if title:
        figure.suptitle(title, fontsize=min(10.0, 110 * width_inches / len(title)))  # long file names fit as well
    if entries:
        _draw_legend(figure, entries, min(legend_columns, len(entries)))
    return figure


def _legend_columns(entries: Mapping[str, Color], width: float) -> int:
    """As many as fit into a width in inches at the legend's font size."""
    widest = max(map(len, entries), default=0)
    return max(1, int(width / (0.6 + 0.075 * widest)))


def _draw_picture(axis: Axes, caption: str, picture: Picture, aspect: float) -> None:
    axis.imshow(picture, interpolation="nearest", aspect=aspect)
    axis.set_title(caption, fontsize=9)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_color("lightgray")  # shows where a picture with white (missing) borders ends


def _draw_bar(axis: Axes, bar: ColorBar) -> None:
    axis.figure.colorbar(bar.mappable(), cax=axis, orientation="horizontal")
    axis.set_xlabel(bar.label, fontsize=8)
    axis.tick_params(labelsize=8)


def _draw_legend(figure: Figure, entries: Mapping[str, Color], columns: int) -> None:
    patches = [
        Patch(facecolor="#{:02x}{:02x}{:02x}".format(*rgb), edgecolor="gray", label=text)
        for text, rgb in entries.items()
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
