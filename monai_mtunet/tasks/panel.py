"""The side-by-side panel: the input, and each task's prediction and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from torch import Tensor

from .color_bar import ColorBar
from .restoration import RestorationTask
from .task import Picture, Task

_MAX_LEGEND = 20  # more entries than that leave no room for the pictures


def draw_panel(
    tasks: Sequence[Task],
    images: Sequence[Tensor],
    predictions: Sequence[Mapping[str, Tensor]],
    targets: Sequence[Mapping[str, Tensor]] | None = None,
    title: str = "",
) -> Figure:
    """Draw samples as rows: input, then prediction and target of each task. Of volumes the middle slice is drawn.

    Args:
        tasks: the declared tasks.
        images: per sample the network's input (C, *spatial), normalized.
        predictions: per sample ``{task name: post-processed prediction (C, *spatial)}``, or (C,) for the whole image.
        targets: per sample ``{task name: prepared target}``, likewise; tasks without one get no target column.
        title: text above the panel.

    Returns:
        A matplotlib figure, to be saved or turned into an array by :func:`rasterize`.
    """
    rows = []
    for index, image in enumerate(images):
        shown = draw_input(tasks, image)
        row = {"input": shown}
        for task in tasks:
            row[task.name] = _draw(task, predictions[index][task.name], image, shown)
            if targets is not None and task.name in targets[index]:
                target = task.values_of_target(targets[index][task.name])
                row[f"{task.name}: target"] = _draw(task, target, image, shown)
        rows.append(row)
    bars = {task.name: bar for task in tasks if (bar := task.color_bar()) is not None}
    return _layout(rows, _legend(tasks), bars, title)


def rasterize(figure: Figure) -> Picture:
    """A figure as an RGB array (H, W, 3), uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]


def save_panel(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG, making its folder."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def draw_input(tasks: Sequence[Task], image: Tensor) -> Picture:
    """Draw a network's input (C, *spatial); of volumes the middle slice.

    It is drawn in the units of a restoration task of the same channels, so that both can be compared; else between its
    1st and 99th percentile.
    """
    plane = middle_slice(image)
    for task in tasks:
        if isinstance(task, RestorationTask) and task.channels == len(plane):
            return task.draw(task.undo(plane, channel_axis=0))
    low, high = np.nanpercentile(plane.double().cpu().numpy(), (1, 99))
    window = RestorationTask("input", channels=len(plane), data_range=(low, high if high > low else low + 1))
    return window.draw(plane)


def _draw(task: Task, values: Tensor, image: Tensor, shown: Picture) -> Picture:
    return task.draw_with_input(middle_slice(values) if task.is_dense else values, middle_slice(image), shown)


def middle_slice(values: Tensor) -> Tensor:
    """(C, H, W) as it is; of a volume (C, X, Y, Z) the middle slice along z, turned so that x runs right and y up."""
    values = torch.as_tensor(values)
    if values.ndim == 3:
        return values
    return torch.rot90(values[..., values.shape[-1] // 2], k=1, dims=(1, 2))


def _legend(tasks: Sequence[Task]) -> dict[str, tuple[int, int, int]]:
    legends = {task.name: task.legend() for task in tasks if task.legend()}
    prefixed = len(legends) > 1  # two tasks may give the same class different colors
    entries = [
        (f"{name}: {text}" if prefixed else text, color)
        for name, legend in legends.items()
        for text, color in legend.items()
    ]
    return dict(entries[:_MAX_LEGEND])


def _layout(
    rows: list[dict[str, Picture]], legend: dict[str, tuple[int, int, int]], bars: dict[str, ColorBar], title: str
) -> Figure:
    columns = len(rows[0])
    height, width = rows[0]["input"].shape[:2]
    cell = 2.6  # inches
    width_inches = cell * columns
    widest = max(map(len, legend), default=0)
    legend_columns = max(1, int(width_inches / (0.6 + 0.075 * widest)))  # as many as fit at this font size
    legend_height = 0.2 * -(-len(legend) // legend_columns) + 0.1
    cell_height = cell * min(max(height / width, 0.3), 1.5)
    height_inches = (cell_height + 0.3) * len(rows) + 0.4 + legend_height + (0.5 if bars else 0)
    figure = Figure(figsize=(width_inches, height_inches), dpi=110, layout="constrained")
    # The last row holds the color bars, each as wide as its task's columns.
    grid = figure.add_gridspec(
        len(rows) + bool(bars), columns, height_ratios=[cell_height] * len(rows) + [0.1] * bool(bars)
    )
    for i, row in enumerate(rows):
        for j, (caption, picture) in enumerate(row.items()):
            axis = figure.add_subplot(grid[i, j])
            axis.imshow(picture, interpolation="nearest")
            axis.set_title(caption, fontsize=9)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_color("lightgray")  # shows where a picture with white (missing) borders ends
    for name, bar in bars.items():
        own = [j for j, caption in enumerate(rows[0]) if caption in (name, f"{name}: target")]
        _draw_bar(figure.add_subplot(grid[-1, own[0] : own[-1] + 1]), bar)
    if title:
        figure.suptitle(title, fontsize=min(10.0, 110 * width_inches / len(title)))  # long file names fit as well
    if legend:
        _draw_legend(figure, legend, min(legend_columns, len(legend)))
    return figure


def _draw_legend(figure: Figure, legend: dict[str, tuple[int, int, int]], columns: int) -> None:
    patches = [
        Patch(facecolor="#{:02x}{:02x}{:02x}".format(*rgb), edgecolor="gray", label=text)
        for text, rgb in legend.items()
    ]
    figure.legend(handles=patches, loc="outside lower center", ncols=columns, fontsize=8, frameon=False)


def _draw_bar(axis: Axes, bar: ColorBar) -> None:
    axis.figure.colorbar(bar.mappable(), cax=axis, orientation="horizontal")
    axis.set_xlabel(bar.label, fontsize=8)
    axis.tick_params(labelsize=8)
