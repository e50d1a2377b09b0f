"""The UMC bundle on a small problem."""

from ..bundle_under_test import BundleUnderTest

# Eight scenes of 32 x 32 and a network of 3 levels.
NETWORK = {"features": [4, 8, 16]}
UMC = BundleUnderTest(
    "umc",
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
SMALL_VOLUME = {"load#0#spatial_size": 16}
