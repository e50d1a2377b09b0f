"""MONAI's own pads and crops keep missing missing, with one entry per fill value; the package needs none of its own."""

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.transforms import Compose, MapLabelValued, RandSpatialCropd, ResizeWithPadOrCropd, SpatialPadd


def sample():
    return {
        "image": torch.rand(3, 5, 9) + 1,
        "segment": torch.randint(0, 4, (1, 5, 9), dtype=torch.int16),
        "depth": torch.rand(1, 5, 9),
    }


@pytest.mark.parametrize("pad", ["SpatialPadd", "ResizeWithPadOrCropd"])
def test_small_samples_are_padded_with_missing(pad):
    size = [16, 8]
    preprocessing = ConfigParser(
        {
            "pads": [
                {"_target_": pad, "keys": "image", "spatial_size": size, "mode": "edge"},
                {"_target_": pad, "keys": "segment", "spatial_size": size, "mode": "constant", "value": 255},
                {"_target_": pad, "keys": "depth", "spatial_size": size, "mode": "constant", "value": "$float('nan')"},
            ]
        }
    ).get_parsed_content("pads")
    assert all(type(p) in (SpatialPadd, ResizeWithPadOrCropd) for p in preprocessing)
    crop = RandSpatialCropd(["image", "segment", "depth"], size, random_size=False)
    before = sample()
    after = Compose([*preprocessing, crop])(before)
    missing = after["segment"] == 255
    assert {value.shape[1:] for value in after.values()} == {(16, 8)}
    assert int(missing.sum()) == 16 * 8 - 5 * 8
    assert torch.equal(after["depth"].isnan(), missing)
    assert after["segment"].dtype == torch.int16
    assert after["image"].min() >= 1  # continued at the border, not black
    assert not after["image"].isnan().any()


@pytest.mark.parametrize("dtype", ["int16", np.int16, torch.int16])
def test_map_label_value_keeps_the_ignore_index_and_what_is_not_listed(dtype):
    labels = torch.tensor([[0, 1, 2, 11, 255]], dtype=torch.int16)
    mapped = MapLabelValued("segment", [0, 1, 11], [1, 0, 255], dtype=dtype)({"segment": labels})["segment"]
    assert mapped.tolist() == [[1, 0, 2, 255, 255]]
    assert mapped.dtype == torch.int16


def test_map_label_value_without_a_type_gives_float():
    """Why the documentation insists on ``dtype``; when this fails, it can go."""
    assert MapLabelValued("s", [0], [1])({"s": torch.zeros(1, 2, dtype=torch.int16)})["s"].dtype == torch.float32
