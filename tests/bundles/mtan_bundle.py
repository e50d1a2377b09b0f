"""The MTAN bundle on a small problem."""

from typing import Any

from .bundle_under_test import BundleUnderTest

# Eight images of 32 x 32 and a network of 3 levels: seconds, where the default takes minutes.
SMALL: dict[str, Any] = {
    "train_data": "$monai_mtunet.data.synthetic_animals_datalist(8, 'train')",
    "val_data": "$monai_mtunet.data.synthetic_animals_datalist(4, @held_out_section, species=[1])",
    "load#0#spatial_size": 32,
    "features": [4, 4, 4],
    "convolutions": [2, 1, 1],
    "pooled_size": 2,
    "batch_size": 4,
    "trainer#max_epochs": 1,
}

NETWORK: dict[str, Any] = {name: SMALL[name] for name in ("features", "convolutions", "pooled_size")}

MTAN = BundleUnderTest("mtan")
