"""Patch, features and batch for a memory and a time."""

from math import prod

import numpy as np
import pytest

from monai_mtunet.planning.rules.grid import Grid
from monai_mtunet.planning.rules.network_size import LEAST_STEPS, choose_size, pooling


def grid(*size, spacing=None):
    return Grid(np.array([size]), spacing or (1.0,) * len(size), (), ())


def memory_of(size):
    return 40.0 * size.batch * prod(size.patch) * sum(size.features[:1] or [16])


def seconds_of(size):
    return 1e-9 * size.batch * prod(size.patch) * sum(size.features[:1] or [16]) ** 2


def chosen(images, memory=1e12, seconds=1e9, **arguments):
    return choose_size(images, memory_of, seconds_of, memory, seconds, **arguments)[0]


def test_maps_are_pooled_until_they_have_four_voxels():
    assert pooling((32, 40, 24), (1, 1, 1)) == ((2, 2, 2), (2, 2, 2), (2, 2, 1))
    assert pooling((256, 256), (1, 1)) == ((2, 2),) * 5


def test_thick_slices_are_pooled_when_voxels_are_alike():
    assert pooling((128, 128, 16), (1, 1, 4)) == ((2, 2, 1), (2, 2, 1), (2, 2, 2), (2, 2, 2), (2, 2, 1))


def test_what_cannot_be_pooled_has_one_level_more():
    assert pooling((5, 5), (1, 1)) == ((1, 1),)


def test_with_room_and_time_the_whole_image_and_the_widest_network():
    size = chosen(grid(96, 96, 96))
    assert size.patch == (96, 96, 96)
    assert size.features[0] == 32
    assert max(size.features) <= 320
    assert size.batch == 8


def test_patches_are_never_longer_than_usual_images():
    size = chosen(grid(35, 50, 36))
    assert size.patch == (32, 48, 32)
    assert all(length % step == 0 for length, step in zip(size.patch, size.divisor, strict=True))


def test_less_memory_takes_smaller_patches_first():
    size = chosen(grid(96, 96, 96), memory=memory_of(chosen(grid(96, 96, 96))) / 4)
    assert size.features[0] == 32
    assert prod(size.patch) < 96**3
    assert memory_of(size) <= memory_of(chosen(grid(96, 96, 96))) / 4


def test_less_time_takes_a_narrower_network_that_makes_enough_steps():
    size = chosen(grid(96, 96, 96), seconds=200)
    assert size.features[0] < 32
    assert seconds_of(size) * LEAST_STEPS <= 200


def test_with_next_to_no_time_the_smallest_is_taken_and_with_no_memory_none():
    assert chosen(grid(96, 96, 96), seconds=1).features[0] == 8
    with pytest.raises(ValueError, match=r"Even patches of .* take .* MiB, and 0 MiB are given"):
        chosen(grid(96, 96, 96), memory=1000)


def test_a_network_of_fixed_width_is_left_as_it_is():
    size = chosen(grid(64, 64), sized=False)
    assert size.features == ()
    assert size.patch == (64, 64)


def test_the_reason_names_what_was_short():
    *_, features, _ = choose_size(grid(96, 96, 96), memory_of, seconds_of, 1e12, 200)[1]
    assert "time allows" in features.reason
    (patch, *_) = choose_size(grid(96, 96, 96), memory_of, seconds_of, 1e9, 1e9)[1]
    assert "memory allows" in patch.reason
