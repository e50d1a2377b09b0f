"""A pass without data gives what a pass with data gives, but for the values, and loads no compiler."""

import subprocess
import sys

import pytest
import torch
from torch import nn

from monai_mtunet.planning.inference_memory import LiveStorage
from monai_mtunet.planning.without_data import observe_without_data

FORMATS = {2: torch.channels_last, 3: torch.channels_last_3d}
LAYERS = {
    "convolution": lambda dims: (nn.Conv2d, nn.Conv3d)[dims - 2](4, 8, 3, padding=1),
    "of one voxel": lambda dims: (nn.Conv2d, nn.Conv3d)[dims - 2](4, 8, 1),
    "dilated": lambda dims: (nn.Conv2d, nn.Conv3d)[dims - 2](4, 8, 3, dilation=2, bias=False),
    "transposed": lambda dims: (nn.ConvTranspose2d, nn.ConvTranspose3d)[dims - 2](4, 8, 2, 2),
    "batch norm": lambda dims: (nn.BatchNorm2d, nn.BatchNorm3d)[dims - 2](4),
    "instance norm": lambda dims: (nn.InstanceNorm2d, nn.InstanceNorm3d)[dims - 2](4, affine=True),
    "resized": lambda dims: nn.Upsample(scale_factor=2, mode=("bilinear", "trilinear")[dims - 2]),
}


class Last(LiveStorage):
    """Keeps what the last operation has returned."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = super().__torch_dispatch__(func, types, args, kwargs)
        self.result = result[0] if isinstance(result, tuple) else result
        return result


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("layer", LAYERS)
def test_results_have_the_shape_and_the_memory_format_of_those_with_data(layer, dims, batch, last):
    memory_format = FORMATS[dims] if last else torch.contiguous_format
    module = nn.Sequential(
        LAYERS["convolution"](dims), nn.ReLU(), (nn.Conv2d, nn.Conv3d)[dims - 2](8, 4, 3), LAYERS[layer](dims)
    )
    module.to(memory_format=memory_format).eval()
    with torch.no_grad():
        expected = module(torch.rand(batch, 4, *[9] * dims))
    found = observe_without_data(module, (batch, 4, *[9] * dims), Last).result
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    if layer != "instance norm":  # whose last operation is a view
        assert found.is_contiguous(memory_format=FORMATS[dims]) == expected.is_contiguous(memory_format=FORMATS[dims])
        assert found.is_contiguous() == expected.is_contiguous()


def test_no_compiler_is_loaded():
    """It takes longer to load than this package, and MONAI needs none."""
    source = """
import sys, monai
before = "torch._dynamo" in sys.modules
import monai_mtunet.prediction
from monai_mtunet.networks import UMC
from monai_mtunet.planning import window_for
window_for(UMC(3, 1, {"denoise": 1, "segment": 3}, features=(4, 6)), 1, (96, 96, 96), 2**30)
assert before or "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", source], check=True)
