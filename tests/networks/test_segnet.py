import inspect

import pytest
import torch
from network_suite import NetworkSuite, VariantSuite, close
from vector_tasks import VectorTasks, split

from monai_mtunet.networks import SegNet
from monai_mtunet.networks.blocks.task_channels import check_tasks
from monai_mtunet.networks.segnet.layout import LayoutArguments, SegNetLayout

TINY = {"features": (4, 6), "convolutions": (2, 2)}
MIRRORED_VGG = {"width_change": "last", "order": "norm_conv_act", "head": "3x3"}


class TestSegNet(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return SegNet(spatial_dims, 3, out_channels, **TINY)


class TestMirroredVGGWithVectors(VectorTasks, NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        strides = ((1, 2, 2)[-spatial_dims:], 3)
        return SegNet(spatial_dims, 3, *split(out_channels), **TINY, **MIRRORED_VGG, strides=strides, pooled_size=2)


def parameters(*tasks, spatial_dims=2, **kwargs):
    with torch.device("meta"):
        network = SegNet(spatial_dims, 3, *tasks, **kwargs)
    return sum(p.numel() for p in network.parameters())


WIDE = {"features": (64, 128, 256, 512, 1024)}
DEEP = {"convolutions": (4, 4, 6, 6, 6)}
NYU, CITYSCAPES = {"segment": 13, "depth": 1, "normals": 3}, {"segment": 7, "depth": 1}


class TestParameterCounts:
    """Of MTAN's published code, less its learned loss weights, one per task; and of the auxiliary-task study."""

    @pytest.mark.parametrize(
        ("out_channels", "arguments", "count"),
        [
            pytest.param(NYU, {}, 25_055_188 - 3, id="NYUv2 standard"),
            pytest.param(NYU, WIDE, 43_934_164 - 3, id="NYUv2 wide"),
            pytest.param(NYU, DEEP, 50_807_764 - 3, id="NYUv2 deep"),
            pytest.param(CITYSCAPES, {}, 25_017_674 - 2, id="Cityscapes standard"),
            pytest.param(CITYSCAPES, WIDE, 43_896_650 - 2, id="Cityscapes wide"),
            pytest.param(CITYSCAPES, DEEP, 50_770_250 - 2, id="Cityscapes deep"),
            pytest.param({"segment": 13}, {}, 24_981_069, id="NYUv2 segmentation"),
            pytest.param({"segment": 7}, {}, 24_980_679, id="Cityscapes segmentation"),
            pytest.param({"depth": 1}, {}, 24_980_289, id="depth"),
            pytest.param({"normals": 3}, {}, 24_980_419, id="normals"),
        ],
    )
    def test_split(self, out_channels, arguments, count):
        assert parameters(out_channels, **arguments) == count

    @pytest.mark.parametrize(
        ("out_features", "count"),
        [({}, 29_444_168), ({"species": 2, "box": 4}, 29_640_782)],
        ids=["1 task", "3 tasks"],
    )
    def test_auxiliary_task_study(self, out_features, count):
        assert parameters({"segment": 2}, out_features, **MIRRORED_VGG) == count

    def test_auxiliary_task_study_in_the_order_of_vggs_weights(self):
        # Each of the 25 normalized convolutions has its norm on its output; the last one, the head, has none.
        norms_of_inputs = 2 * (3 + 64 * 4 + 128 * 4 + 256 * 6 + 512 * 11)
        norms_of_outputs = 2 * (64 * 5 + 128 * 4 + 256 * 6 + 512 * 11 - 64)
        arguments = {**MIRRORED_VGG, "order": "conv_norm_act"}
        counts = parameters({"segment": 2}, **MIRRORED_VGG), parameters({"segment": 2}, **arguments)
        assert counts == (29_444_168, 29_444_162)
        assert counts[0] - counts[1] == norms_of_inputs - norms_of_outputs

    def test_encoder_is_vgg_16(self):
        # 14,714,688 of VGG-16's convolutions (torchvision), and 2 per channel of batch normalization.
        layout = SegNetLayout(2, 3, (64, 128, 256, 512, 512), (2, 2, 3, 3, 3), norm=None)
        assert sum(p.numel() for level in layout.encoder_levels() for p in level.parameters()) == 14_714_688

    def test_3d(self):
        # Every 3x3 kernel becomes 3x3x3; biases, norms and the 1x1 head stay as they are.
        with torch.device("meta"):
            network = SegNet(2, 3, {"segment": 13})
        kernels = sum(p.numel() for p in network.parameters() if p.shape[-2:] == (3, 3))
        assert parameters({"segment": 13}, spatial_dims=3) == 24_981_069 + 2 * kernels


def layers(network, kind):
    return sum(isinstance(module, kind) for module in network.modules())


def test_convolutions_and_norms():
    with torch.device("meta"):
        network = SegNet(2, 3, CITYSCAPES)
    assert layers(network, torch.nn.Conv2d) == 13 + 13 + 2 * 2
    assert layers(network, torch.nn.BatchNorm2d) == 13 + 13


@pytest.mark.parametrize("width_change", ["first", "last"])
def test_which_convolution_changes_the_width(width_change):
    network = SegNet(2, 3, {"segment": 2}, width_change=width_change, features=(4, 6, 8), convolutions=(2, 3, 3))
    widths = [[c.conv.out_channels for c in level.convolutions] for level in network.decoder.levels]
    assert widths == {"first": [[6, 6, 6], [4, 4, 4], [4, 4]], "last": [[8, 8, 6], [6, 6, 4], [4, 4]]}[width_change]


def test_heads_share_everything_else():
    network = SegNet(2, 3, {"a": 1, "b": 2}, {"c": 3}, **TINY)
    for task in ("a", "b", "c"):
        network.zero_grad()
        network(torch.rand(2, 3, 32, 32))[task].square().sum().backward()
        silent = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is None}
        private = {
            name.split(".")[1] for name, p in network.named_parameters() if "heads" in name and p.grad is not None
        }
        assert private == {task}
        assert "encoder" not in silent
        assert ("decoder" in silent) == (task == "c")


@pytest.mark.parametrize("pooled_size", [1, 2, 8])
def test_vector_heads_take_any_size(pooled_size):
    network = SegNet(2, 3, {}, {"box": 4}, **TINY, pooled_size=pooled_size).eval()
    assert network.vector_heads["box"].linear.in_features == 6 * pooled_size**2
    assert network.decoder is None
    for size in ((8, 8), (40, 72)):
        assert network(torch.rand(2, 3, *size))["box"].shape == (2, 4)


def test_the_paper_size_is_not_pooled():
    with torch.device("meta"):
        network = SegNet(2, 3, {"segment": 2}, {"box": 4}, **MIRRORED_VGG)
    maps = []
    network.vector_heads["box"].pool.register_forward_hook(
        lambda module, args, y: maps.extend([args[0].shape, y.shape])
    )
    network(torch.rand(1, 3, 256, 256, device="meta"))
    assert maps == [(1, 512, 8, 8)] * 2


def test_networks_hand_on_every_argument_of_the_layout():
    given = list(inspect.signature(SegNetLayout).parameters.values())[2:]
    assert [argument.name for argument in given] == list(LayoutArguments.__annotations__)
    with pytest.raises(TypeError, match="unexpected keyword argument 'feature'"):
        SegNet(2, 3, {"a": 1}, feature=(4, 6))


def test_export_with_any_size():
    network = SegNet(2, 3, {"a": 1}, {"b": 2}, **TINY, pooled_size=3).eval()
    height, width = torch.export.Dim("height", min=8, max=512), torch.export.Dim("width", min=8, max=512)
    program = torch.export.export(network, (torch.rand(2, 3, 16, 20),), dynamic_shapes=({2: height, 3: width},))
    x = torch.rand(2, 3, 37, 51)
    close(program.module()(x), network(x))


def test_trains_bit_equal_under_deterministic_algorithms():
    def step():
        torch.manual_seed(0)
        network = SegNet(2, 3, {"a": 1}, {"b": 2}, **TINY)
        sum(p.square().mean() for p in network(torch.rand(2, 3, 33, 20)).values()).backward()
        return [p.grad for p in network.parameters()]

    torch.use_deterministic_algorithms(True)
    try:
        assert all(torch.equal(a, b) for a, b in zip(step(), step(), strict=True))
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width_change": "middle"}, r"width_change must be one of \('first', 'last'\), got 'middle'"),
        ({"order": "act_first"}, r"order must be one of .*'norm_conv_act'.* got 'act_first'"),
        ({"head": "5x5"}, r"head must be one of .*'3x3_1x1'.* got '5x5'"),
        ({"features": ()}, r"must be positive, got 3 and \(\)"),
        ({"features": (4, 0)}, r"must be positive, got 3 and \(4, 0\)"),
        ({"in_channels": 0}, "must be positive, got 0 and"),
        ({"convolutions": (2, 2, 2)}, r"for each of the 2 features, got \(2, 2, 2\)"),
        ({"convolutions": (2, 0)}, r"one positive int for each of the 2 features, got \(2, 0\)"),
        ({"convolutions": (1, 2), "head": "3x3"}, r"needs two or more, got convolutions=\(1, 2\)"),
        ({"strides": (2, 2, 2)}, r"one entry for each of the 2 pooling levels, got \(2, 2, 2\)"),
        ({"out_features": {"a": 1}}, r"\['a'\] are in out_channels and in out_features"),
        ({"out_features": {"b": 0}}, r"out_features\['b'\] must be a positive int, got 0"),
        ({"out_channels": {}}, "out_channels must map one or more task names"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SegNet(**{"spatial_dims": 2, "in_channels": 3, "out_channels": {"a": 1}, **TINY, **arguments})


def test_check_tasks_keeps_the_order():
    dense, vectors = check_tasks({"b": 1, "a": 2}, {"d": 1, "c": 2})
    assert list(dense) == ["b", "a"]
    assert list(vectors) == ["d", "c"]
    assert check_tasks({"a": 1}, None) == ({"a": 1}, {})
    assert check_tasks({}, {"a": 1}) == ({}, {"a": 1})


def test_vector_tasks_alone():
    network = SegNet(3, 3, {}, {"species": 2, "box": 6}, **TINY, pooled_size=2).eval()
    assert not any("decoder" in name for name, _ in network.named_parameters())
    x = torch.rand(2, 3, 9, 12, 7)
    shapes = {task: tuple(p.shape) for task, p in torch.jit.script(network)(x).items()}
    assert shapes == {"species": (2, 2), "box": (2, 6)}
