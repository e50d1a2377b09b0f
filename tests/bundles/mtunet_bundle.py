"""The MT-UNet bundle on a small problem."""

from typing import Any

from .bundle_under_test import BundleUnderTest

# Eight scenes of 16 x 32 and a network of 3 levels: seconds, where the default takes minutes.
SMALL: dict[str, Any] = {
    "train_data": "$monai_mtunet.data.synthetic_datalist(8, 'train')",
    "val_data": "$monai_mtunet.data.synthetic_datalist(4, 'val')",
    "load#0#spatial_size": [16, 32],
    "features": [4, 4, 4],
    "batch_size": 4,
    "trainer#max_epochs": 1,
}

MTUNET = BundleUnderTest("mtunet")
