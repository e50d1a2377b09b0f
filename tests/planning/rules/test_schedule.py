"""Epochs for a time, and validation in its share of it."""

import numpy as np

from monai_mtunet.planning.rules.grid import Grid
from monai_mtunet.planning.rules.network_size import NetworkSize
from monai_mtunet.planning.rules.schedule import choose_schedule, passes_over_data

SIZE = NetworkSize((32, 32), 4)
GRID = Grid(np.array([[64, 64]]), (1.0, 1.0), (), ())


def items(images=400, val_images=10, seconds_per_step=0.1, seconds=1000.0):
    return choose_schedule(images, val_images, GRID, SIZE, seconds_per_step, seconds, 0.003).items


def test_epochs_fill_the_time():
    assert items()["max_epochs"] == 85  # 8,500 steps of a tenth of a second, 100 in an epoch
    assert items()["repeats"] == 1


def test_few_images_are_repeated_so_that_an_epoch_is_no_mere_validation():
    few = items(images=8)
    assert few["repeats"] == 13
    assert few["max_epochs"] == 326


def test_expensive_validation_is_rarer():
    assert items()["val_interval"] == 1
    assert items(val_images=500)["val_interval"] == "$min(22, @max_epochs)"


def test_with_next_to_no_time_there_is_one_epoch():
    assert items(seconds=1)["max_epochs"] == 1


def test_how_often_images_are_seen():
    assert passes_over_data(400, SIZE, 0.1, 1000) == 85
