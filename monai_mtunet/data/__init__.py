"""Datalists: lists of dicts, one per sample, that MONAI's data sets take as they are.

Each public data set is read in its official layout, and comes with its class names, palette and label tables.
Everything is found by its name here: `monai_mtunet.data.camvid_datalist`, `monai_mtunet.data.CAMVID_CLASSES`.
"""

from monai_mtunet.data.synthetic import (
    SYNTHETIC_CATEGORIES,
    SYNTHETIC_CATEGORY_OF_CLASS,
    SYNTHETIC_CATEGORY_PALETTE,
    SYNTHETIC_CLASSES,
    SYNTHETIC_PALETTE,
    LoadSyntheticd,
    synthetic_datalist,
)

__all__ = [
    "SYNTHETIC_CATEGORIES",
    "SYNTHETIC_CATEGORY_OF_CLASS",
    "SYNTHETIC_CATEGORY_PALETTE",
    "SYNTHETIC_CLASSES",
    "SYNTHETIC_PALETTE",
    "LoadSyntheticd",
    "synthetic_datalist",
]
