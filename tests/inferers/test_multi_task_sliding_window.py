import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SlidingWindowInferer
from torch import nn

from monai_mtunet.inferers import MultiTaskSlidingWindowInferer


class TwoHeads(nn.Module):
    """Heads whose names do not sort into declaration order, with different channels."""

    def __init__(self, spatial_dims=2, kernel_size=1):
        super().__init__()
        conv = {2: nn.Conv2d, 3: nn.Conv3d}[spatial_dims]
        self.segment = conv(1, 3, kernel_size, padding=kernel_size // 2)
        self.denoise = conv(1, 1, kernel_size, padding=kernel_size // 2)

    def forward(self, x):
        assert not isinstance(x, MetaTensor)
        return {"segment": self.segment(x), "denoise": self.denoise(x)}


@pytest.mark.parametrize("size", [(20, 17), (9, 10, 11)])
@pytest.mark.parametrize("mode", ["constant", "gaussian"])
def test_equals_the_whole_image_for_a_pointwise_network(size, mode):
    network, image = TwoHeads(len(size)), torch.randn(2, 1, *size)
    inferer = MultiTaskSlidingWindowInferer(roi_size=[8] * len(size), sw_batch_size=3, overlap=0.5, mode=mode)
    with torch.no_grad():
        result, expected = inferer(image, network), network(image)
    assert list(result) == ["segment", "denoise"]
    for name, tensor in expected.items():
        torch.testing.assert_close(result[name], tensor, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("arguments", [{}, {"buffer_steps": 2, "buffer_dim": -1}], ids=["unbuffered", "buffered"])
@pytest.mark.parametrize("roi_size", [(8, 8), (-1, -1), (32, 8)])
def test_equals_monais_inferer_per_head(arguments, roi_size):
    # A 3x3 convolution sees the windows' borders, so that the windows matter.
    network, image = TwoHeads(kernel_size=3), torch.randn(1, 1, 20, 17)
    window = {"roi_size": roi_size, "sw_batch_size": 2, "overlap": 0.25, "mode": "gaussian"}
    with torch.no_grad():
        result = MultiTaskSlidingWindowInferer(**window, **arguments)(image, network)
        assert list(result) == ["segment", "denoise"]
        for name, head in network.named_children():
            torch.testing.assert_close(result[name], SlidingWindowInferer(**window)(image, head), atol=1e-5, rtol=1e-4)


def test_meta_tensors_give_plain_tensors():
    network, image = TwoHeads(), torch.randn(1, 1, 12, 12)
    inferer = MultiTaskSlidingWindowInferer(roi_size=(8, 8))
    with torch.no_grad():
        result, expected = inferer(MetaTensor(image), network), inferer(image, network)
    for name, tensor in expected.items():
        assert type(result[name]) is torch.Tensor
        assert torch.equal(result[name], tensor)


def test_further_arguments_reach_the_network():
    result = MultiTaskSlidingWindowInferer(roi_size=(4, 4))(
        torch.ones(1, 1, 6, 6), lambda x, factor, shift: {"denoise": factor * x + shift}, 3.0, shift=1.0
    )
    assert torch.equal(result["denoise"], torch.full((1, 1, 6, 6), 4.0))


def test_a_head_of_another_resolution_is_refused():
    def network(x):
        return {"denoise": x, "segment": x[..., ::2, ::2]}

    message = r"Task 'segment' predicts \(1, 1, 4, 4\) for a window \(1, 1, 8, 8\)"
    with pytest.raises(ValueError, match=message):
        MultiTaskSlidingWindowInferer(roi_size=(8, 8))(torch.zeros(1, 1, 8, 8), network)
