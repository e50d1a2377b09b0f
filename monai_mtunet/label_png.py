"""Label maps as PNGs, until all take them from `pictures`."""

from .pictures.label_png import label_png as label_png
