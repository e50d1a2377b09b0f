import pytest
import torch
from network_suite import NetworkSuite
from vector_tasks import VectorTasks, split

from monai_mtunet.networks import DilatedResNet

SMALL = {"layers": (1, 2, 2, 2), "features": (4, 4, 6, 8)}


class TestDilatedResNet(VectorTasks, NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return DilatedResNet(spatial_dims, 3, *split(out_channels), **SMALL, output_stride=16)


def parameters(*arguments, **keywords):
    with torch.device("meta"):
        network = DilatedResNet(*arguments, **keywords)
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("layers", "block", "expected"),
    [
        ((3, 4, 23, 3), "bottleneck", 44_549_160),  # Table 2: ResNet-101, 44.5M
        ((3, 4, 6, 3), "bottleneck", 25_557_032),
        ((2, 2, 2, 2), "basic", 11_689_512),
    ],
)
def test_classifiers_have_the_parameters_of_torchvisions(layers, block, expected):
    assert parameters(2, 3, out_features={"classify": 1000}, layers=layers, block=block) == expected


@pytest.mark.parametrize("output_stride", [32, 16, 8])
def test_resnet_101_as_in_table_3(output_stride):
    # Of the classifier's 44,549,160, a linear layer of 2048 x 1000 + 1000 becomes one of 2048 x 21 + 21.
    expected = 44_549_160 - 2_049_000 + 43_029
    assert parameters(2, 3, {"segment": 21}, output_stride=output_stride) == expected


def trunks(spatial_dims, block):
    """A trunk per output stride, 32 first, with the same weights and running statistics that are not initial."""
    torch.manual_seed(0)
    networks = [DilatedResNet(spatial_dims, 3, {"a": 2}, **SMALL, block=block, output_stride=s) for s in (32, 16, 8)]
    networks[0].train()(torch.rand(2, 3, *[40] * spatial_dims))
    for network in networks:
        network.trunk.load_state_dict(networks[0].trunk.state_dict())
    return [network.eval().double().trunk for network in networks]


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
@pytest.mark.parametrize("size", [(64, 45), (33, 17, 20)])
def test_dilated_features_hold_the_strided_ones(block, size):
    image = torch.rand(1, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        features = [trunk(image) for trunk in trunks(len(size), block)]
    for stride, of_stride in zip((32, 16, 8), features, strict=True):
        assert of_stride.shape[2:] == torch.Size(-(-n // stride) for n in size)
        every = slice(None, None, 32 // stride)
        torch.testing.assert_close(of_stride[(..., *[every] * len(size))], features[0])


def test_weights_of_torchvision_have_the_same_names():
    names = list(DilatedResNet(2, 3, {"a": 1}, **SMALL).trunk.state_dict())
    assert names[:2] == ["conv1.weight", "bn1.weight"]
    assert {"layer1.0.conv2.weight", "layer4.1.bn3.running_var", "layer2.0.downsample.0.weight"} <= set(names)
    assert not [name for name in names if "downsample.0.bias" in name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_stride": 4}, r"output_stride must be one of \(32, 16, 8\), got 4"),
        ({"block": "preact"}, 'block must be "bottleneck" or "basic", got \'preact\''),
        ({"layers": (3, 4, 6)}, r"layers must be 4 positive ints, one per layer, got \(3, 4, 6\)"),
        ({"features": (64, 0, 1, 1)}, r"features must be 4 positive ints"),
    ],
    ids=str,
)
def test_refuses_other_layouts(arguments, message):
    with pytest.raises(ValueError, match=message):
        DilatedResNet(2, 3, {"segment": 2}, **arguments)
