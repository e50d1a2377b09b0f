"""Windows fill a given memory, and not more."""

import re

import pytest
import torch

from monai_mtunet.networks import MTAN, UMC, DilatedResNet, MTUNet, sunet_64
from monai_mtunet.planning import inference_memory, window_for
from monai_mtunet.planning.large_window import large_window
from monai_mtunet.planning.window_size import KEPT, MARGIN

from .measuring import MIB, measure, needs_proc

TASKS = {"denoise": 1, "segment": 3}


def umc(dims=3, **arguments):
    return UMC(dims, 1, TASKS, features=(8, 16, 32), **arguments)


def need(network, window):
    return MARGIN * inference_memory(network, (window.batch, 1, *window.size)).windows + KEPT


@pytest.mark.parametrize(
    ("dims", "image", "memory"), [(2, (3000, 2000), 500), (3, (500, 400, 300), 600), (3, (500, 400, 300), 2000)]
)
def test_the_largest_windows_that_fit(dims, image, memory):
    network = umc(dims)
    window = window_for(network, 1, image, memory * MIB)
    assert window.batch == 4
    assert len(set(window.size)) == 1
    assert window.size[0] % 4 == 0
    assert need(network, window) <= memory * MIB
    larger = window._replace(size=tuple(n + 4 for n in window.size))
    assert need(network, larger) > memory * MIB


def test_short_axes_are_taken_whole():
    network = umc(strides=((1, 2, 2), 2))
    window = window_for(network, 1, (11, 400, 300), 400 * MIB)
    assert window.size[0] == 11
    assert window.size[1] == window.size[2] > 64
    assert window.size[1] % 4 == 0


@pytest.mark.parametrize("image", [(100, 90, 21), (30, 30, 30), (5, 90, 70)])
def test_an_image_that_fits_is_one_window(image):
    assert window_for(umc(), 1, image, 2000 * MIB) == (image, 1)
    assert window_for(umc(), 1, image, 2000 * MIB, largest=128) == (image, 1)


def test_no_window_is_longer_than_asked_for():
    assert window_for(umc(), 1, (100, 90, 21), 2000 * MIB, largest=70) == ((68, 68, 21), 4)
    assert window_for(umc(), 1, (100, 90, 21), 2000 * MIB, largest=32) == ((32, 32, 21), 4)


def test_batches_become_smaller_before_windows_do():
    network, image = umc(), (500, 400, 300)
    of_batch = {batch: need(network, window_for(network, 1, image, 10**10, batch, largest=64)) for batch in (1, 2, 4)}
    assert window_for(network, 1, image, round(of_batch[4])) == ((64, 64, 64), 4)
    assert window_for(network, 1, image, round(of_batch[4]) - MIB) == ((80, 80, 80), 2)
    assert window_for(network, 1, image, round(of_batch[2]) - MIB).batch == 1
    assert window_for(network, 1, image, round(of_batch[4]) - MIB, smallest=32) == ((60, 60, 60), 4)
    with pytest.raises(
        ValueError, match=r"A window of 64 x 64 x 64 takes \d+ MiB in the network, and \d+ MiB are left"
    ):
        window_for(network, 1, image, round(of_batch[1]) - MIB)


def test_what_is_told_with_an_error_is_enough():
    network, image = umc(), (500, 400, 300)
    with pytest.raises(ValueError, match="takes") as error:
        window_for(network, 1, image, 50 * MIB)
    needed = int(re.search(r"takes (\d+) MiB", str(error.value))[1])
    assert window_for(network, 1, image, (needed + 1) * MIB) == ((64, 64, 64), 1)


def test_more_memory_never_makes_smaller_windows_in_full_batches():
    network = umc()
    voxels = [torch.Size(window_for(network, 1, (200, 150, 90), m * MIB).size).numel() for m in (550, 800, 1200, 2000)]
    assert voxels == sorted(voxels)
    assert voxels[0] < voxels[-1] == 200 * 150 * 90


@pytest.mark.parametrize(
    ("build", "dims", "pooled"),
    [
        (lambda: umc(), 3, (4, 4, 4)),
        (lambda: umc(strides=((1, 2, 3), 2)), 3, (2, 4, 6)),
        (lambda: UMC(2, 1, TASKS), 2, (16, 16)),
        (lambda: MTUNet(2, 1, TASKS), 2, (16, 16)),
        (lambda: MTAN(2, 1, {"segment": 3}, {"box": 4}), 2, (32, 32)),
        (lambda: DilatedResNet(2, 1, {"segment": 3}, {"kind": 4}, layers=(1, 1, 1, 1)), 2, (32, 32)),
        (lambda: DilatedResNet(2, 1, {"segment": 3}, layers=(1, 1, 1, 1), output_stride=8), 2, (8, 8)),
        (lambda: sunet_64(2, 1, {"segment": 3}, modules=(1, 1, 1, 1)), 2, (64, 64)),  # within modules twice and more
    ],
    ids=["umc", "umc with strides", "umc 2D", "mtunet", "mtan", "dilated resnet", "dilated resnet by 8", "sunet"],
)
def test_how_far_networks_pool(build, dims, pooled):
    with torch.device("meta"):
        network = build()
    assert large_window(network, 1, dims).pooled == pooled


@pytest.mark.parametrize("dims", [2, 3])
def test_a_voxel_takes_what_it_takes_in_large_windows(dims):
    network = umc(dims)
    side = {2: 2048, 3: 256}[dims]
    told = inference_memory(network, (4, 1, *[side] * dims)).windows
    assert told == pytest.approx(4 * side**dims * large_window(network, 1, dims).bytes_per_voxel, rel=0.01)


@needs_proc
@pytest.mark.slow
def test_a_process_stays_within_its_memory():
    """With the C library's allocator, as users have it."""
    cases = [
        ("UMC", 2, 4, 0, 600 * MIB),
        ("UMC", 3, 4, 0, 600 * MIB),
        ("U-Net", 3, 2, 0, 600 * MIB),
        ("MTAN", 2, 4, 0, 600 * MIB),
        ("hourglass", 2, 4, 0, 600 * MIB),
        ("MTUNet", 3, 2, 0, 700 * MIB),
        ("SUNet", 2, 4, 0, 500 * MIB),
    ]
    for case, (told, grown, shape) in zip(cases, measure(cases, exact=False), strict=True):
        # What one case freed, and the allocator kept, the next one takes without growing.
        assert grown <= case[-1] < 2 * told, (case, shape, told / MIB, grown / MIB)
