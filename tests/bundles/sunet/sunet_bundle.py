"""The SUNet bundle on a small problem."""

from typing import Any

from ..bundle_under_test import BundleUnderTest

# One module per block, of 8 channels: a step takes milliseconds. With channels_last, so few channels and images this
# small, the backward pass of torch 2.13 on CPUs corrupts memory (not without oneDNN).
NETWORK: dict[str, Any] = {
    "features": [8, 8, 8, 8],
    "modules": [1, 1, 1, 1],
    "module_features": 8,
    "stem_features": [8, 8],
    "memory_format": "$torch.contiguous_format",
}
SUNET = BundleUnderTest(
    "sunet",
    small={
        **NETWORK,
        "train_data": "$monai_mtunet.data.synthetic_datalist(8, 'train')",
        "val_data": "$monai_mtunet.data.synthetic_datalist(4, 'val')",
        "load#0#spatial_size": 32,
        "batch_size": 4,
        "max_epochs": 1,
    },
    small_inference={
        **NETWORK,
        "val_data": "$monai_mtunet.data.synthetic_datalist(1, 'test')",
        "load#0#spatial_size": [32, 40],
    },
)
