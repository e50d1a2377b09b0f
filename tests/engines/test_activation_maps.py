"""Activation maps, read from networks and drawn by a handler on a real MONAI evaluator."""

import pytest
import torch
from monai.data import DataLoader, Dataset
from torch import nn

from monai_mtunet.engines import ActivationMapHandler, MultiTaskEvaluator
from monai_mtunet.engines.handlers.activation_maps import draw_activation_maps, read_activation_maps
from monai_mtunet.networks import SUNet
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["background", "object"])])
LAYERS = ["trunk.residual", *(f"trunk.blocks.{i}" for i in range(4)), "heads.dense.segment"]


def sunet(spatial_dims=2):
    torch.manual_seed(0)
    small = {"features": (4, 4, 6, 6), "modules": (1, 1, 1, 1), "module_features": 2, "stem_features": (2, 4)}
    return SUNet(spatial_dims, 1, {"denoise": 1, "segment": 2}, **small, output_stride=16)


class InPlace(nn.Module):
    """Weighs its channels by 1, -3 and 2, and then works in place."""

    def __init__(self):
        super().__init__()
        self.weigh = nn.Conv2d(1, 3, 1, bias=False)
        self.weigh.weight.data = torch.tensor([1.0, -3, 2]).view(3, 1, 1, 1)
        self.unused = nn.Identity()
        self.pooled = nn.AdaptiveAvgPool2d(1)
        self.flat = nn.Flatten()

    def forward(self, x):
        return {"a": self.flat(self.pooled(self.weigh(x).zero_()))}


def test_the_channel_of_highest_total_magnitude():
    image = torch.rand(2, 1, 4, 5)
    network = InPlace().train()
    maps = read_activation_maps(network, image, ["weigh"])
    assert list(maps) == ["weigh"]
    torch.testing.assert_close(maps["weigh"], -3 * image)
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("size", [(64, 96), (32, 48, 16)])
def test_the_levels_of_sunet(size):
    network = sunet(len(size))
    image = torch.rand(2, 1, *size)
    maps = read_activation_maps(network, image, LAYERS)
    strides = [4, 4, 8, 16, 16, 16]
    assert {layer: tuple(values.shape) for layer, values in maps.items()} == {
        layer: (2, 1, *(n // stride for n in size)) for layer, stride in zip(LAYERS, strides, strict=True)
    }
    with torch.no_grad():  # the last is a channel of the prediction before interpolation
        prediction = network.eval().heads.dense["segment"](network.trunk(image))
    strongest = prediction.abs().flatten(2).sum(2).argmax(1)
    torch.testing.assert_close(maps[LAYERS[-1]][:, 0], prediction[[0, 1], strongest])


def test_layers_that_are_no_maps_are_named():
    image = torch.rand(1, 1, 4, 4)
    with pytest.raises(ValueError, match=r"InPlace has no layer\(s\) \['wiegh'\]; among its layers are \['weigh', "):
        read_activation_maps(InPlace(), image, ["weigh", "wiegh"])
    with pytest.raises(ValueError, match=r"does not run the layer\(s\) \['unused'\]"):
        read_activation_maps(InPlace(), image, ["unused"])
    network = InPlace()
    with pytest.raises(ValueError, match=r"Layer 'flat' gives \(1, 3\), no map"):
        read_activation_maps(network, image, ["flat"])
    assert not network.flat._forward_hooks


def test_every_map_has_its_own_scale():
    maps = {"first": torch.tensor([[[0.0, 1], [1, 1]]]), "second": torch.tensor([[[-100.0, 50]]])}
    figure = draw_activation_maps(TASKS, [torch.rand(1, 4, 4)], [maps], title="epoch 7")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["input", "first\n2 x 2: 0 to 1", "second\n1 x 2: -1e+02 to 50"]
    for axis in figure.axes[1:]:  # the ends of viridis
        colors = axis.images[0].get_array()
        assert colors[0, 0].tolist() == [68, 1, 84]
        assert colors[0, 1].tolist() == [253, 231, 36]


@pytest.mark.parametrize("size", [(32, 32), (32, 32, 16)])
def test_the_handler_draws_the_first_samples(tmp_path, size):
    network = sunet(len(size))
    handler = ActivationMapHandler(network, TASKS, LAYERS, tmp_path, samples=1, interval=2)
    sample = {"image": torch.rand(1, *size), "denoise": torch.rand(1, *size), "segment": torch.zeros(1, *size).byte()}
    evaluator = MultiTaskEvaluator(
        tasks=TASKS,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset([sample] * 2), batch_size=2),
        network=network,
        val_handlers=[handler],
    )
    for epoch in (1, 2):
        evaluator.run(epoch)
    assert [file.name for file in tmp_path.iterdir()] == ["epoch_0002.png"]
