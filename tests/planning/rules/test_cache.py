"""Images stay in memory where they fit."""

import numpy as np

from monai_mtunet.planning.rules.cache import choose_cache
from monai_mtunet.planning.rules.declared import Declared
from monai_mtunet.planning.rules.grid import Grid

GRID = Grid(np.array([[100, 100, 100]] * 10), (1.0,) * 3, (), ())  # 1e7 voxels
SEGMENT = Declared([{"_target_": "SegmentationTask", "name": "segment"}], "segment_dice", "", classes=2)
DENOISE = Declared([{"_target_": "RestorationTask", "name": "denoise", "channels": 1}], "denoise_psnr", "")


def test_what_fits_into_half_of_the_free_memory_stays():
    # Image and restoration are floats, labels take two bytes: 1e8 bytes.
    assert choose_cache(GRID, 1, [SEGMENT, DENOISE], free=2.1e8).items == {}
    chosen = choose_cache(GRID, 1, [SEGMENT, DENOISE], free=1.9e8)
    assert chosen.items["cache_rate"] == 0
    assert chosen.items["num_workers"] >= 1
    assert "0.1 GB" in chosen.choices[0].reason


def test_classes_of_images_take_nothing():
    kind = Declared([{"_target_": "ClassificationTask", "name": "kind"}], "kind_accuracy", "", has_vector=True)
    assert choose_cache(GRID, 1, [kind], free=8.1e7).items == {}
