"""The MTAN bundle on a small problem."""

from ..bundle_under_test import BundleUnderTest

# Eight images of 32 x 32 and a network of 3 levels.
NETWORK = {"features": [4, 4, 4], "convolutions": [2, 1, 1], "pooled_size": 2}
MTAN = BundleUnderTest(
    "mtan",
    small={
        **NETWORK,
        "train_data": "$monai_mtunet.data.synthetic_datalist(8, 'train', species=[0, 1])",
        "val_data": "$monai_mtunet.data.synthetic_datalist(4, @held_out_section, species=[1])",
        "load#0#spatial_size": 32,
        "batch_size": 4,
        "max_epochs": 1,
    },
    small_inference={
        **NETWORK,
        "val_data": "$monai_mtunet.data.synthetic_datalist(1, @held_out_section, species=[0])",
        "load#0#spatial_size": [32, 40],
    },
)
