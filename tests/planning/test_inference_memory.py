"""What a network takes is told without running it, and is what a process then grows by."""

import pytest
import torch
from torch import nn

from monai_mtunet.inferers import FlippedWindows, NetworkEnsemble
from monai_mtunet.networks import UMC, ClassicalDenoiser, NetworkChain
from monai_mtunet.planning import inference_memory
from monai_mtunet.tasks import RestorationTask, SegmentationTask

from .measuring import MIB, measure, needs_proc

TASKS = [RestorationTask("denoise", 1), SegmentationTask("segment", ["a", "b", "c"])]


def unet(dims=2, **arguments):
    return UMC(dims, 1, {"denoise": 1, "segment": 3}, features=(4, 6, 8), **arguments)


class Steps(nn.Module):
    """Runs a function of the windows, which are 1 MiB."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, windows):
        return {"result": self.function(windows)}


def count(function):
    return inference_memory(Steps(function), (1, 1, 512, 512)).windows / MIB


def test_what_is_alive_at_a_time_is_counted():
    assert count(lambda x: x) == 1
    assert count(lambda x: x + 1) == 2
    assert count(lambda x: (x + 1) + 2) == 3  # the first sum is there until the second is
    assert count(lambda x: ((x + 1) + 2) + 3) == 3
    assert count(lambda x: [x + 1, x + 2, x + 3]) == 4
    assert count(lambda x: (x + 1).relu_().mul_(2)) == 2  # in place
    assert count(lambda x: (x + 1)[:, :, ::2].flip(2)) == 2.5  # a view, and a copy of half
    assert count(lambda x: torch.cat([x, x], 1).sum()) == pytest.approx(3, abs=1e-4)
    assert count(lambda x: x.double()) == 3


@pytest.mark.parametrize(
    ("shape", "weight", "transposed", "mebibytes"),
    [
        # As measured with AVX-512: copies of input and result in blocks of 16 channels.
        ((4, 32, 256, 256), (32, 32, 3, 3), False, 32),
        ((4, 64, 256, 256), (16, 64, 3, 3), False, 64),
        ((4, 8, 512, 512), (8, 8, 3, 3), False, 64),
        ((4, 1, 256, 256), (32, 1, 3, 3), False, 32),
        ((4, 24, 64, 64, 64), (24, 24, 3, 3, 3), False, 160),
        ((4, 16, 64, 64, 64), (8, 16, 3, 3, 3), False, 96),
        ((4, 16, 32, 32, 32), (16, 16, 2, 2, 2), True, 128),
        # A single small volume: all neighborhoods.
        ((1, 8, 48, 48, 48), (8, 8, 3, 3, 3), False, 27 * 8 * 48**3 * 4 / MIB),
    ],
    ids=str,
)
def test_workspaces_of_convolutions(shape, weight, transposed, mebibytes):
    dims = len(shape) - 2
    kind = {(2, False): nn.Conv2d, (3, False): nn.Conv3d, (3, True): nn.ConvTranspose3d}[dims, transposed]
    channels = (weight[0], weight[1]) if transposed else (weight[1], weight[0])
    settings = {"stride": 2} if transposed else {"padding": 1}
    network = Steps(kind(*channels, weight[2], bias=False, **settings))
    with torch.device("meta"):
        result = kind(*channels, weight[2], bias=False, **settings)(torch.empty(shape))
    maps = 4 * (torch.Size(shape).numel() + result.numel()) / MIB
    weights = inference_memory(network, shape).weights / MIB
    assert weights == 4 * torch.Size(weight).numel() / MIB
    assert inference_memory(network, shape).windows / MIB == pytest.approx(maps + mebibytes, abs=weights + 1e-6)


def test_in_channels_last_there_are_none():
    network = Steps(nn.Conv2d(32, 32, 3, padding=1))
    plain = inference_memory(network, (4, 32, 256, 256)).windows / MIB
    assert plain == pytest.approx(96, abs=0.1)
    # The windows come as they are, and are copied once.
    last = inference_memory(network.to(memory_format=torch.channels_last), (4, 32, 256, 256)).windows / MIB
    assert last == pytest.approx(96, abs=0.1)
    two = Steps(nn.Sequential(network.function, nn.Conv2d(32, 32, 3, padding=1)).to(memory_format=torch.channels_last))
    assert inference_memory(two, (4, 32, 256, 256)).windows / MIB == pytest.approx(96, abs=0.1)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_network_stays_as_it_is(dims):
    network = unet(dims).train()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    memory = inference_memory(network, (2, 1, *[4096] * dims))
    assert memory.windows > 2 * 4096**dims * 4 * 12
    assert memory.weights == sum(values.numel() * values.element_size() for values in before.values())
    assert network.training
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())
    assert all(type(values) is nn.Parameter for values in network.parameters())
    network(torch.rand(1, 1, *[16] * dims))


def test_it_grows_with_the_batch_and_with_tasks():
    one, four = (inference_memory(unet(3), (batch, 1, 64, 64, 64)).windows for batch in (2, 8))
    assert four == pytest.approx(4 * one, rel=1e-3)
    fewer = inference_memory(unet(3).keep_only("denoise"), (2, 1, 64, 64, 64)).windows
    assert fewer < one


def test_networks_that_are_wrapped():
    shape = (2, 1, 256, 256)
    one, result = inference_memory(unet(), shape), 2 * 4 * 256**2 * 4
    three = inference_memory(NetworkEnsemble([unet() for _ in range(3)], TASKS), shape)
    assert three.weights == 3 * one.weights
    assert one.windows < three.windows <= one.windows + 3 * result
    flipped = inference_memory(FlippedWindows(unet(), TASKS, (0, 1)), shape)
    assert flipped.weights == one.weights
    assert one.windows < flipped.windows <= one.windows + 4 * result


def test_what_reads_values_is_named():
    chain = NetworkChain([ClassicalDenoiser(2, 1, 0.1), UMC(2, 1, {"segment": 2}, features=(4, 6))], "denoise")
    with pytest.raises(ValueError, match=r"NetworkChain cannot run without data on windows of \[1, 1, 64, 64\]"):
        inference_memory(chain, (1, 1, 64, 64))


@needs_proc
def test_a_process_grows_by_what_was_told():
    """With an allocator that gives back what is freed."""
    cases = [
        ("UMC", 2, 4, 256, 0),
        ("UMC", 3, 4, 48, 0),
        ("UMC", 3, 1, 64, 0),
        ("MTAN", 2, 4, 128, 0),
    ]
    for case, (told, grown, _) in zip(cases, measure(cases, exact=True), strict=True):
        assert 0.95 * told - 4 * MIB < grown < 1.05 * told + 16 * MIB, (case, told / MIB, grown / MIB)
