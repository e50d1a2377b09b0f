"""Serial-section electron microscopy of a Drosophila larva's ventral nerve cord: names, colors and folds.

Gerhard et al., "Segmented anisotropic ssTEM dataset of neural tissue", figshare (2013),
https://doi.org/10.6084/m9.figshare.856713. Laid out as a decathlon task, it is read by `decathlon_datalist`.
"""

from __future__ import annotations

from ..labels import LabelSet

__all__ = ["SSTEM", "SSTEM_FOLDS"]

SSTEM = LabelSet(
    classes=("intracellular", "membrane", "glia or extracellular", "mitochondria", "synapse"),
    palette=((225, 225, 225), (40, 40, 40), (240, 170, 60), (60, 120, 230), (220, 50, 60)),
    # The files tell membranes by their orientation, which flips would exchange, and membrane junctions apart.
    labels=tuple(range(9)),
    class_of_label=(0, 1, 1, 1, 1, 1, 2, 3, 4),
)

# Quadrants of one stack; neighbors share a border, and all are one specimen.
SSTEM_FOLDS = (("vnc_bottom_left",), ("vnc_top_left",))
