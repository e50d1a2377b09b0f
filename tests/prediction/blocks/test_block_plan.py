from itertools import pairwise

import numpy as np
import pytest

from monai_mtunet.inferers.window_grid import WindowGrid
from monai_mtunet.prediction.blocks.block_plan import Footprint, plan_blocks

FOOTPRINT = Footprint(image_channels=1, summed_channels=6, saved_bytes=5)


def grid(size=(60, 300, 50), roi=(16, 16, 16)):
    return WindowGrid.of(size, roi, 0.5)


@pytest.mark.parametrize("memory", [3e6, 6e6, 30e6, 1e9])
@pytest.mark.parametrize("parts", [1, 3])
def test_blocks_cover_the_image_once_and_fit(memory, parts):
    plan = plan_blocks(grid(), FOOTPRINT, memory, parts)
    count = np.zeros((60, 300, 50), dtype=int)
    for block in plan.blocks:
        count[block] += 1
    assert (count == 1).all()
    assert plan.memory <= memory
    for column in plan.columns:
        assert len(column) >= parts
        assert all(low[1].stop == high[1].start for low, high in pairwise(column))
        assert {block[1].start for block in column} <= {0, *grid().starts[1]}


def test_more_memory_gives_fewer_columns():
    columns = [len(plan_blocks(grid(), FOOTPRINT, memory).columns) for memory in (2e6, 4e6, 30e6)]
    assert columns[0] > columns[1] > columns[2] == 1


def test_too_little_memory_is_told_with_what_would_do():
    with pytest.raises(ValueError, match=r"MiB are too little .* give at least (\d+) MiB") as error:
        plan_blocks(grid(), FOOTPRINT, 1e5)
    needed = int(str(error.value).split("at least ")[1].split()[0])
    assert plan_blocks(grid(), FOOTPRINT, (needed + 1) * 2**20).columns


def test_an_image_of_one_window_is_one_block():
    assert plan_blocks(grid((10, 12), (16, 16)), FOOTPRINT, 1e9).blocks == ((slice(0, 10), slice(0, 12)),)
