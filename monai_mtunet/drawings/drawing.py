"""A drawing of a network: blocks by resolution and order of computation, in the colors of their tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch, Rectangle
from torch import nn

from ..pictures.task_colors import SHARED_COLOR, task_colors
from .blocks import gather
from .data_flow import trace
from .diagram import Block, Connection, Diagram
from .layout import ROW, Layout

_HEIGHT = 0.25  # of a block, in inches
_TEXT = 6.5
_STYLES: dict[str, dict[str, Any]] = {
    "flow": {"color": "#333333", "linewidth": 0.9},
    "skip": {"color": "#8c8c8c", "linewidth": 0.9},
    "indices": {"color": "#8c8c8c", "linewidth": 0.9, "linestyle": (0, (1, 1.5))},
    "cross-talk": {"linewidth": 1.4},
}


def draw_network(network: nn.Module, spatial_size: Sequence[int] = (256, 256)) -> Figure:
    """Draw what happens to an image in a network: what its tasks share, what is their own, and what they exchange.

    Nothing is drawn by hand: blocks and arrows are those of one run (:func:`~monai_mtunet.drawings.trace`), gathered
    by :func:`~monai_mtunet.drawings.gather`. Rows are resolutions, columns the order of computation. A block has its
    task's color, or gray where its weights are shared; the number in it is that of its output's channels. Where other
    tasks' losses train it than the color says, a strip below names them by their colors.

    Args:
        network: a network with the front of this package's: `in_channels`, and a dict of predictions.
        spatial_size: of the image; large enough for all of the network's levels.

    Returns:
        A matplotlib figure.

    Example:
        >>> with torch.device("meta"):  # nothing is computed
        ...     figure = draw_network(UMC(2, 3, {"denoise": 3, "segment": 19}))
        >>> figure.savefig("umc.svg")
    """
    channels: Any = network.in_channels
    device = next(network.parameters()).device
    return draw_diagram(gather(trace(network, torch.zeros((1, channels, *spatial_size), device=device))))


def draw_diagram(diagram: Diagram) -> Figure:
    """Draw blocks and connections; see :func:`draw_network`."""
    layout = Layout.of(diagram)
    left, right = layout.sides
    legend = 0.5
    height = layout.height + 0.15  # for what bends over the first row
    whole = height + legend
    figure = Figure(figsize=(right - left, whole), dpi=150)
    axis = figure.add_axes((0, legend / whole, 1, height / whole))
    axis.set(xlim=(left, right), ylim=(layout.height - ROW / 2, layout.height - ROW / 2 - height))
    axis.set_axis_off()
    _draw_levels(axis, layout)
    colors = task_colors(diagram.tasks)
    for connection in diagram.connections:
        _draw_connection(axis, connection, diagram.blocks, layout, colors)
    for block in diagram.blocks:
        _draw_block(axis, block, layout, diagram.tasks, colors)
    _draw_legend(figure, diagram, colors)
    return figure


def _draw_levels(axis: Axes, layout: Layout) -> None:
    left, right = layout.sides
    for level in sorted({level for level, _ in layout.rows}):
        own = [row for (of, _), row in layout.rows.items() if of == level]
        top, bottom = (min(own) - 0.5) * ROW, (max(own) + 0.5) * ROW
        if level % 2 == 0:
            axis.add_patch(Rectangle((left, top), right - left, bottom - top, color="#f4f4f4", linewidth=0, zorder=0))
        axis.text(left + 0.06, (top + bottom) / 2, f"1/{2**level}", fontsize=_TEXT, color="#666666", va="center")


def _draw_connection(
    axis: Axes, connection: Connection, blocks: Sequence[Block], layout: Layout, colors: dict[str, str]
) -> None:
    source, target = blocks[connection.source], blocks[connection.target]
    (x, y), (to_x, to_y) = layout.place(source), layout.place(target)
    style = dict(_STYLES[connection.style])
    if connection.style == "cross-talk":
        style["color"] = colors[source.lane or ""]
    row = (layout.place(block) for block in blocks)
    passed = [place for place in row if x < place[0] < to_x and place[1] == y]
    bend = 0.0
    start, end = (x + layout.half(source), y), (to_x - layout.half(target), to_y)
    if y == to_y and passed:  # around what lies between, on top
        bend = -min(0.35, 0.6 * ROW / (to_x - x) + 0.01)
        start, end = (x, y - _HEIGHT / 2), (to_x, y - _HEIGHT / 2)
    elif connection.style == "skip":
        start, end = (start[0], y - 0.05), (end[0], to_y - 0.06 if not target.sums else to_y)
        bend = -0.06
    elif y != to_y and target.column - source.column > 1 and abs(to_y - y) < 2.5 * ROW:
        bend = 0.06 if to_y < y else -0.06
    axis.add_patch(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="-|>",
            mutation_scale=6,
            shrinkA=0,
            shrinkB=3 if target.sums and target.column - source.column == 1 else 0,
            connectionstyle=f"arc3,rad={bend}",
            zorder=2 if connection.style in ("flow", "cross-talk") else 1,
            **style,
        )
    )


def _draw_block(axis: Axes, block: Block, layout: Layout, tasks: Sequence[str], colors: dict[str, str]) -> None:
    x, y = layout.place(block)
    owner = block.owner or (tasks[0] if len(tasks) == 1 else None)
    fill = colors[owner] if owner else SHARED_COLOR
    line = colors[block.lane] if block.lane else "#555555"
    if block.kind == "image":
        axis.text(x, y, "image", fontsize=_TEXT, ha="center", va="center", color=line, weight="bold")
    elif block.kind == "prediction":
        unit = "channel" if block.level == 0 else "value"  # a vector is drawn where it is made
        text = f"{block.owner}\n{block.channels} {unit}{'s' * (block.channels > 1)}"
        axis.text(x, y, text, fontsize=_TEXT, va="center", linespacing=1.0, color=line, weight="bold")
    elif block.kind in ("gate", "mixture"):
        axis.add_patch(Circle((x, y), 0.1, facecolor=fill, edgecolor=line, linewidth=1, zorder=3))
        sign = "\N{GREEK SMALL LETTER SIGMA}" if block.kind == "gate" else "+"
        axis.text(x, y, sign, fontsize=_TEXT, ha="center", va="center_baseline", color=_ink(fill), zorder=4)
    else:
        _draw_box(axis, block, layout, fill, line)
        if _has_strip(block, tasks):
            left, part = x - layout.half(block), 2 * layout.half(block) / len(block.trained_by)
            for number, task in enumerate(block.trained_by):
                corner = (left + number * part, y + _HEIGHT / 2 + 0.01)
                axis.add_patch(Rectangle(corner, part, 0.035, facecolor=colors[task], linewidth=0, zorder=3))


def _draw_box(axis: Axes, block: Block, layout: Layout, fill: str, line: str) -> None:
    x, y = layout.place(block)
    left = x - layout.half(block)
    axis.add_patch(
        FancyBboxPatch(
            (left, y - _HEIGHT / 2),
            2 * layout.half(block),
            _HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.03",
            facecolor=fill,
            edgecolor=line,
            linewidth=1.2 if block.lane and not block.owner else 0.6,
            hatch="////" if not block.trained_by else None,
            zorder=3,
        )
    )
    text = str(block.channels) + (f"\nd{block.dilation}" if block.dilation > 1 else "")
    size = _TEXT if len(text) < 4 and layout.width > 0.3 else _TEXT - 1.3
    middle = x + 0.02 if block.sums else x
    axis.text(middle, y, text, fontsize=size, ha="center", va="center", color=_ink(fill), linespacing=0.9, zorder=4)
    if block.sums:
        circle = Circle((left - 0.02, y), 0.045, facecolor="white", edgecolor=line, linewidth=0.5, zorder=4)
        axis.add_patch(circle)
        axis.plot(left - 0.02, y, marker="+", markersize=3.2, markeredgewidth=0.6, color="black", zorder=5)


def _has_strip(block: Block, tasks: Sequence[str]) -> bool:
    """Whether other losses train it than its color says."""
    expected = (block.owner,) if block.owner else tuple(tasks)
    return bool(block.trained_by) and block.trained_by != expected


def _ink(fill: str) -> str:
    red, green, blue = to_rgb(fill)
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "black"


def _draw_legend(figure: Figure, diagram: Diagram, colors: dict[str, str]) -> None:
    drawn = [block for block in diagram.blocks if block.modules]
    handles: list[Any] = [Patch(facecolor=colors[task], label=task) for task in diagram.tasks]
    if len(diagram.tasks) > 1:
        handles.append(Patch(facecolor=SHARED_COLOR, edgecolor="#555555", linewidth=0.6, label="shared"))
    if any(block.lane and not block.owner for block in drawn):
        label = "shared weights, each task's own maps"
        handles.append(Patch(facecolor=SHARED_COLOR, edgecolor=colors[diagram.tasks[0]], linewidth=1.2, label=label))
    for kind, label in (
        ("gate", "\N{GREEK SMALL LETTER SIGMA}: attention mask"),
        ("mixture", "+: weighted sum of the tasks' maps"),
    ):
        if any(block.kind == kind for block in drawn):
            handles.append(Line2D([], [], marker="o", linestyle="", color="#999999", label=label))
    if any(_has_strip(block, diagram.tasks) for block in drawn):
        handles.append(Line2D([], [], color="#444444", linewidth=2.5, label="strip: tasks whose losses train it"))
    if any(block.sums for block in drawn):
        handles.append(Line2D([], [], marker="+", linestyle="", color="black", markersize=4, label="sum of maps"))
    if any(not block.trained_by for block in drawn):
        handles.append(Patch(facecolor="white", edgecolor="#555555", hatch="////", label="not trained"))
    names = {"skip": "skip connection", "indices": "indices of maxima", "cross-talk": "from task to task"}
    for style, label in names.items():
        if any(connection.style == style for connection in diagram.connections):
            handles.append(Line2D([], [], label=label, **({"color": colors[diagram.tasks[0]]} | _STYLES[style])))
    columns = max(2, int(figure.get_figwidth() / 1.75))
    figure.legend(handles=handles, loc="lower center", ncols=min(columns, len(handles)), fontsize=_TEXT, frameon=False)
