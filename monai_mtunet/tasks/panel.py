"""The side-by-side panel: the input, and each task's prediction and target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from ..pictures.grid import draw_grid
from ..pictures.middle_slice import middle_slice
from ..pictures.picture import Picture, draw_intensities
from .kinds.restoration import RestorationTask
from .task import Task


def draw_panel(
    tasks: Sequence[Task],
    images: Sequence[Tensor],
    predictions: Sequence[Mapping[str, Tensor]],
    targets: Sequence[Mapping[str, Tensor]] | None = None,
    title: str = "",
    aspect: float = 1.0,
) -> Figure:
    """Draw samples as rows: input, then prediction and target of each task. Of volumes the middle slice is drawn.

    Args:
        tasks: the declared tasks.
        images: per sample the network's input (C, *spatial), normalized.
        predictions: per sample ``{task name: post-processed prediction (C, *spatial)}``, or (C,) for the whole image.
        targets: per sample ``{task name: prepared target}``, likewise; tasks without one get no target column.
        title: text above the panel.
        aspect: height of a drawn pixel over its width; of volumes the spacing along y over that along x.

    Returns:
        A matplotlib figure, to be saved by :func:`~monai_mtunet.pictures.save_figure` or turned into an array by
        :func:`~monai_mtunet.pictures.rasterize`.
    """
    rows = [
        draw_row(tasks, image, predictions[index], None if targets is None else targets[index])
        for index, image in enumerate(images)
    ]
    bars = [
        (bar, [caption for caption in rows[0] if caption in (task.name, f"{task.name}: target")])
        for task in tasks
        if (bar := task.color_bar()) is not None
    ]
    return draw_grid(rows, panel_legend(tasks), bars, title, aspect)


def draw_row(
    tasks: Sequence[Task],
    image: Tensor,
    predictions: Mapping[str, Tensor],
    targets: Mapping[str, Tensor] | None = None,
    limits: tuple[float, float] | None = None,
) -> dict[str, Picture]:
    """Draw a sample: "input", then of each task its name and "<name>: target". Of volumes the middle slice is drawn.

    Args:
        tasks: the declared tasks.
        image: as for :func:`draw_panel`, of one sample, as the next two.
        predictions: by task.
        targets: by task.
        limits: as for :func:`draw_input`.
    """
    shown = draw_input(tasks, image, limits)
    row = {"input": shown}
    for task in tasks:
        row[task.name] = _draw(task, predictions[task.name], image, shown)
        if targets is not None and task.name in targets:
            row[f"{task.name}: target"] = _draw(task, task.values_of_target(targets[task.name]), image, shown)
    return row


def draw_input(tasks: Sequence[Task], image: Tensor, limits: tuple[float, float] | None = None) -> Picture:
    """Draw a network's input (C, *spatial); of volumes the middle slice.

    It is drawn in the units of a restoration task of the same channels, so that both can be compared; else between
    `limits`, by default the 1st and 99th percentile of what is drawn.
    """
    plane = middle_slice(image)
    for task in tasks:
        if isinstance(task, RestorationTask) and task.channels == len(plane):
            return task.draw(task.undo(plane, channel_axis=0))
    return draw_intensities(plane, *(limits or intensity_limits(plane)))


def intensity_limits(image: Tensor) -> tuple[float, float]:
    """The 1st and 99th percentile of an image, between which it is drawn."""
    low, high = map(float, np.nanpercentile(image.double().cpu().numpy(), (1, 99)))
    return low, high if high > low else low + 1


def _draw(task: Task, values: Tensor, image: Tensor, shown: Picture) -> Picture:
    return task.draw_with_input(middle_slice(values) if task.is_dense else values, middle_slice(image), shown)


def panel_legend(tasks: Sequence[Task]) -> dict[str, tuple[int, int, int]]:
    """What the colors in a panel mean."""
    legends = {task.name: task.legend() for task in tasks if task.legend()}
    prefixed = len(legends) > 1  # two tasks may give the same class different colors
    return {
        f"{name}: {text}" if prefixed else text: color
        for name, legend in legends.items()
        for text, color in legend.items()
    }
