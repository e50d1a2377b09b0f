"""Small charts, each a picture of its own, so that a page arranges them as its width allows."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..pictures import distinct_colors
from .picture_bytes import data_uri

__all__ = ["Chart", "band_chart", "bar_chart", "histogram", "line_chart"]

_SIZE = (3.6, 2.3)  # inches
_MOST_POINTS = 400
_BINS = 40
_DECADES = 50  # a ratio that wants a logarithmic scale
_MOST_NAMED = 10  # lines in a legend
_STYLE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "report", "font.size": 9, "axes.spines.top": False,
          "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}  # fmt: skip


@dataclass(frozen=True)
class Chart:
    """A picture and what it says in words.

    Args:
        title: what is drawn.
        text: the same in words, for those who do not see it.
        uri: an SVG as an address.
    """

    title: str
    text: str
    uri: str


def line_chart(
    title: str, lines: Mapping[str, Mapping[int, float]], marked: int | None = None, colors: Sequence[str] = ()
) -> Chart:
    """Values over epochs.

    Args:
        title: what they are.
        lines: by name ``{epoch: value}``; what is not finite is a gap.
        marked: an epoch that is marked, the best one.
        colors: of the lines.
    """
    colors = colors or _colors(len(lines))
    figure, axis = _axis()
    for (name, values), color in zip(lines.items(), colors, strict=False):
        epochs = _some(sorted(values))
        shown = [values[epoch] if math.isfinite(values[epoch]) else math.nan for epoch in epochs]
        axis.plot(epochs, shown, color=color, label=name, linewidth=1.4, marker="o" if len(epochs) < 4 else None, ms=3)
    if marked is not None:
        axis.axvline(marked, color="#777777", linestyle=":", linewidth=1.2)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axis.set_xlabel("epoch")
    _legend(figure, list(lines))
    return Chart(title, "; ".join(_told(name, values) for name, values in lines.items()), _uri(figure))


def _some(epochs: Sequence[int]) -> list[int]:
    """As many as a line needs, the last one included."""
    step = max(1, len(epochs) // _MOST_POINTS)
    return [*epochs[:-1:step], *epochs[-1:]]


def _told(name: str, values: Mapping[int, float]) -> str:
    known = {epoch: value for epoch, value in sorted(values.items()) if math.isfinite(value)}
    if not known:
        return f"{name}: no value"
    first, last = next(iter(known)), list(known)[-1]
    return f"{name}: {known[first]:.4g} in epoch {first}, {known[last]:.4g} in epoch {last}"


def histogram(title: str, values: Mapping[str, Sequence[float]], label: str, log: bool = False) -> Chart:
    """How often values occur.

    Args:
        title: what they are.
        values: by name, what is counted together.
        label: what the horizontal axis is.
        log: whether counts are drawn on a logarithmic scale.
    """
    figure, axis = _axis()
    everything = [value for some in values.values() for value in some]
    low, high = min(everything), max(everything)
    bins = _bins(low, high)
    if _is_wide(low, high):
        axis.set_xscale("log")
    for (name, some), color in zip(values.items(), _colors(len(values)), strict=True):
        axis.hist(some, bins, color=color, alpha=0.6, label=name)
    if log:
        axis.set_yscale("log")
    else:
        axis.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    axis.set_xlabel(label)
    _legend(figure, list(values))
    told = (f"{name}: {len(some)} values from {min(some):.4g} to {max(some):.4g}" for name, some in values.items())
    return Chart(title, "; ".join(told), _uri(figure))


def _is_wide(low: float, high: float) -> bool:
    return low > 0 and high > _DECADES * low


def _bins(low: float, high: float) -> list[float]:
    if _is_wide(low, high):
        return [float(edge) for edge in np.geomspace(low, high, _BINS + 1)]
    spread = (high - low or abs(high) or 1.0) * 0.52
    middle = (low + high) / 2
    return [float(edge) for edge in np.linspace(middle - spread, middle + spread, _BINS + 1)]


def bar_chart(title: str, shares: Mapping[str, float], colors: Sequence[str] = ()) -> Chart:
    """Parts of a whole, one bar each.

    Args:
        title: what they are.
        shares: 0..1 by name.
        colors: of the bars.
    """
    figure = Figure(figsize=(_SIZE[0], max(_SIZE[1] / 2, 0.4 + 0.2 * len(shares))), layout="constrained")
    with matplotlib.rc_context(_STYLE):
        axis = figure.subplots()
    names = list(shares)
    bars = axis.barh(names, [100 * share for share in shares.values()], color=list(colors) or "#0072b2")
    axis.bar_label(bars, [f"{share:.2%}" for share in shares.values()], padding=2, fontsize=8)
    axis.set(xlim=(0, 125 * max(shares.values(), default=1) or 1), xticks=[])
    axis.invert_yaxis()
    axis.grid(False)
    return Chart(title, "; ".join(f"{name}: {share:.2%}" for name, share in shares.items()), _uri(figure))


def band_chart(title: str, rows: Sequence[Sequence[float]], label: str) -> Chart:
    """A range per image, from its lowest to its highest, with a second one within and a point.

    Args:
        title: what they are.
        rows: (lowest, low, middle, high, highest) of each image, sorted here by the middle.
        label: of the vertical axis.
    """
    figure, axis = _axis()
    ordered = sorted(rows, key=lambda row: row[2])
    columns = list(zip(*ordered, ordered[-1], strict=True))  # each as wide as its number, the last one too
    edges = [number + 0.5 for number in range(len(columns[0]))]
    axis.fill_between(edges, columns[0], columns[4], color="#56b4e9", alpha=0.35, linewidth=0, step="post")
    axis.fill_between(edges, columns[1], columns[3], color="#0072b2", alpha=0.45, linewidth=0, step="post")
    axis.plot(edges, columns[2], color="black", linewidth=1, drawstyle="steps-post")
    usual = sorted(columns[4])[len(rows) // 2] - sorted(columns[0])[len(rows) // 2]
    if usual > 0 and max(columns[4]) - min(columns[0]) > _DECADES * usual:
        axis.set_yscale("symlog", linthresh=usual)  # a few images of another scale would flatten all others
    axis.set_xlabel("image, by its median")
    axis.set_ylabel(label)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    text = f"medians from {min(columns[2]):.4g} to {max(columns[2]):.4g}, all from {min(columns[0]):.4g} to "
    return Chart(title, text + f"{max(columns[4]):.4g}", _uri(figure))


def _axis() -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    with matplotlib.rc_context(_STYLE):
        return figure, figure.subplots()


def _legend(figure: Figure, names: Sequence[str]) -> None:
    """Below the axis, where it hides nothing."""
    if 1 < len(names) <= _MOST_NAMED:
        columns = max(1, min(len(names), int(48 / (max(map(len, names)) + 5))))
        figure.set_figheight(_SIZE[1] + 0.16 * math.ceil(len(names) / columns))
        figure.legend(loc="outside lower center", ncols=columns, fontsize=7.5, frameon=False, borderpad=0.1)


def _colors(count: int) -> list[str]:
    if count == 1:
        return ["#0072b2"]
    return ["#{:02x}{:02x}{:02x}".format(*color) for color in distinct_colors(count + 1)[1:]]


def _uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return data_uri(buffer.getvalue(), "svg")
