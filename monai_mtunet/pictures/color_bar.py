"""Values as colors, and the scale that tells which is which."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from torch import Tensor

from .picture import Picture


@dataclass(frozen=True)
class ColorBar:
    """A range of values, drawn from one end of a color map to the other.

    It draws pictures and the bar beside them, so that both agree.

    Args:
        low: the value at the map's start; what is lower has the same color.
        high: the value at its end, likewise.
        label: what the values are, and their unit.
        colormap: a name that matplotlib knows.
    """

    low: float
    high: float
    label: str
    colormap: str

    def draw(self, values: Tensor) -> Picture:
        """Values (H, W) -> RGB (H, W, 3); NaN is white."""
        colors = self.mappable().to_rgba(np.ma.masked_invalid(values.float().cpu().numpy()), bytes=True)
        return np.asarray(colors, dtype=np.uint8)[..., :3]

    def mappable(self) -> ScalarMappable:
        """What matplotlib draws the bar of."""
        colormap = matplotlib.colormaps[self.colormap].with_extremes(bad="white")
        return ScalarMappable(Normalize(self.low, self.high), colormap)
