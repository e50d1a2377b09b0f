"""How values become pictures: colors, scales, figures. Nothing here knows a task."""

from .color_bar import ColorBar
from .figure import rasterize, save_figure
from .label_png import label_png
from .palette import distinct_colors
from .task_colors import task_colors

__all__ = [
    "ColorBar",
    "distinct_colors",
    "label_png",
    "rasterize",
    "save_figure",
    "task_colors",
]
