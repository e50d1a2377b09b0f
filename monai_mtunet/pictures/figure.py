"""Figures as arrays and as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .picture import Picture


def rasterize(figure: Figure) -> Picture:
    """A figure as an RGB array (H, W, 3), uint8."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba(), dtype=np.uint8)[..., :3]


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure, as PNG or what else its suffix says, making its folder."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
