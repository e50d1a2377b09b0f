import pytest
import torch
from network_suite import NetworkSuite, VariantSuite
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from monai_mtunet.networks import MTUNet
from monai_mtunet.networks.blocks.attention_gate import AttentionGate
from monai_mtunet.networks.unet.mtunet import CROSS_TALK_LEVEL

FEATURES = (4, 6, 8)


class TestMTUNet(NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return MTUNet(spatial_dims, 3, out_channels, FEATURES)


class TestMTUNetOfOtherSettings(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return MTUNet(
            spatial_dims,
            3,
            out_channels,
            features=(4, 6),
            attention=False,
            cross_talk=False,
            dense="across",
            strides=((1, 2, 2)[-spatial_dims:], 3),
            act="PRELU",
            norm=("group", {"num_groups": 2}),
            dropout=0.1,
            use_checkpoint=True,
        )


def on_meta(spatial_dims=2, out_channels=(7, 1), **kwargs):
    with torch.device("meta"):
        return MTUNet(spatial_dims, 3, dict(zip(("segment", "depth"), out_channels, strict=False)), **kwargs)


class TestCounts:
    """The paper prints none; these follow from its text, and from the readings that docs/mtunet.md lists."""

    @pytest.mark.parametrize(
        ("arguments", "count"),
        [
            pytest.param({}, 65_565_448, id="7 classes"),
            pytest.param({"out_channels": (13, 1)}, 65_565_838, id="13 classes"),
            pytest.param({"out_channels": (19, 1)}, 65_566_228, id="19 classes"),
            pytest.param({"cross_talk": False}, 64_975_624, id="without cross-talk"),
            pytest.param({"cross_talk": False, "attention": False}, 52_430_344, id="without cross-talk and attention"),
            pytest.param({"out_channels": (7,)}, 44_786_247, id="ST-UNet"),
            pytest.param({"out_channels": (7,), "attention": False}, 38_513_607, id="ST-UNet without attention"),
            pytest.param({"dense": "across"}, 103_565_320, id="dense across blocks"),
            pytest.param({"spatial_dims": 3}, 189_672_968, id="3D"),
        ],
    )
    def test_parameters(self, arguments, count):
        assert sum(p.numel() for p in on_meta(**arguments).parameters()) == count

    def test_layers(self):
        layers = list(on_meta().modules())
        transposed = [m for m in layers if isinstance(m, nn.ConvTranspose2d)]
        convolutions = [m for m in layers if isinstance(m, nn.Conv2d)]
        assert (len(convolutions) + len(transposed), len(transposed)) == (51, 7)
        assert sum(isinstance(m, nn.BatchNorm2d) for m in layers) == 42

    def test_multiply_accumulates_at_the_papers_size(self):
        with FlopCounterMode(display=False) as counter:
            on_meta()(torch.empty(1, 3, 128, 256, device="meta"))
        assert counter.get_total_flops() / 2 == pytest.approx(76.970e9, abs=0.5e6)


def block_dependencies(network):
    """Per decoder block (task, level) the blocks whose outputs have a gradient from it, through nothing but layers."""
    outputs, leaves = {}, {}

    def cut(key, output):
        outputs[key] = output
        leaves[key] = output.detach().requires_grad_()
        return leaves[key]

    for level, decoders in enumerate(network.levels):
        for task, block in decoders.blocks.items():
            block.register_forward_hook(lambda module, args, output, key=(task, level): cut(key, output))
    predictions = network(torch.rand(2, 3, 32, 32))
    outputs |= {(task, len(network.levels)): prediction for task, prediction in predictions.items()}
    found = {}
    for key, output in outputs.items():
        gradients = torch.autograd.grad(
            output.square().sum(), list(leaves.values()), allow_unused=True, retain_graph=True
        )
        found[key] = {
            leaf for leaf, gradient in zip(leaves, gradients, strict=True) if gradient is not None and gradient.any()
        }
    return found


class TestCrossTalk:
    @pytest.mark.parametrize("tasks", ["ab", "abc"])
    @pytest.mark.parametrize("cross_talk", [True, False])
    def test_crosses_from_second_to_third_blocks_and_nowhere_else(self, tasks, cross_talk):
        torch.manual_seed(0)
        network = MTUNet(2, 3, dict.fromkeys(tasks, 1), (4, 6, 8, 8), cross_talk=cross_talk).eval()
        found = block_dependencies(network)
        assert len(found) == 5 * len(tasks)
        for (task, level), dependencies in found.items():
            crossing = cross_talk and level == 2
            expected = {(other, level - 1) for other in tasks if level and (other == task or crossing)}
            assert dependencies == expected, (task, level)

    @pytest.mark.parametrize("cross_talk", [True, False])
    def test_whose_loss_trains_whose_decoder(self, cross_talk):
        network = MTUNet(2, 3, {"a": 1, "b": 2}, FEATURES, cross_talk=cross_talk)
        network(torch.rand(2, 3, 16, 16))["a"].square().sum().backward()
        trained = {
            (task, level)
            for level, decoders in enumerate(network.levels)
            for task, block in decoders.blocks.items()
            if all(p.grad is not None for p in block.parameters())
        }
        assert trained == {("a", 0), ("a", 1), ("a", 2)} | ({("b", 0), ("b", 1)} if cross_talk else set())

    def test_one_task_has_none(self):
        assert not MTUNet(2, 3, {"a": 1}, FEATURES).cross_talk


def test_convolutions_activate_before_and_attention_after_normalization():
    network = MTUNet(2, 3, {"a": 1}, FEATURES)
    order = [type(m) for m in network.encoder.blocks[0].conv_0.modules() if not list(m.children())]
    assert order == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
    mask = [type(m) for m in network.levels[0].blocks["a"].attention.mask.modules() if not list(m.children())]
    assert mask == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Conv2d, nn.BatchNorm2d, nn.Sigmoid]


def test_a_hook_on_the_mask_reads_what_multiplies_the_second_convolution():
    torch.manual_seed(0)
    network = MTUNet(2, 3, {"a": 1, "b": 2}, FEATURES).eval()
    gates = [m for m in network.modules() if isinstance(m, AttentionGate)]
    assert len(gates) == 2 * len(FEATURES)
    seen = {}
    block = network.levels[1].blocks["b"]
    block.conv_0.register_forward_hook(lambda module, args, y: seen.update(a=y))
    block.conv_1.register_forward_hook(lambda module, args, y: seen.update(b=y))
    block.attention.mask.register_forward_hook(lambda module, args, y: seen.update(mask=y))
    block.register_forward_hook(lambda module, args, y: seen.update(out=y))
    network(torch.rand(2, 3, 16, 16))
    assert seen["mask"].min() >= 0
    assert seen["mask"].max() <= 1
    assert torch.equal(seen["mask"], block.attention.mask(seen["a"]))
    assert torch.equal(seen["out"], seen["mask"] * seen["b"])


def test_the_decoders_share_the_bottlenecks_upsampling():
    network = MTUNet(2, 3, {"a": 1, "b": 2, "c": 1}, FEATURES)
    calls = []
    network.upsample.register_forward_hook(lambda *args: calls.append(args))
    network(torch.rand(2, 3, 16, 16))
    assert len(calls) == 1
    assert list(network.levels[0].upsamples) == []


def encoder_inputs(dense):
    with torch.device("meta"):
        network = MTUNet(2, 3, {"a": 1}, dense=dense)
    blocks = [*network.encoder.blocks, network.bottleneck]
    return [(b.conv_0.conv.in_channels, b.conv_1.conv.in_channels) for b in blocks]


def test_channels_that_the_encoders_convolutions_take():
    assert encoder_inputs("within") == [(3, 67), (64, 192), (128, 384), (256, 768), (512, 1024)]
    assert encoder_inputs("across") == [(3, 67), (131, 259), (387, 643), (899, 1411), (1923, 2947)]


def test_across_hands_on_what_concatenation_and_pooling_give():
    torch.manual_seed(0)
    encoder = MTUNet(2, 3, {"a": 1}, FEATURES, dense="across").encoder.eval()
    x = torch.rand(2, 3, 17, 20)
    skips, maps = encoder(x)
    expected = x
    for block, skip in zip(encoder.blocks, skips, strict=True):
        received = list(expected.split(block.conv_0.in_channels, 1))
        first = block.conv_0(received)
        second = block.conv_1([*received, first])
        torch.testing.assert_close(skip, second)
        expected = nn.functional.max_pool2d(torch.cat([expected, first, second], 1), 2)
    torch.testing.assert_close(torch.cat(maps, 1), expected)


def test_dropout_spares_the_skip_connections():
    torch.manual_seed(0)
    network = MTUNet(2, 3, {"a": 1}, FEATURES, dropout=0.5).train()
    pooled = []
    network.encoder.pools[0].register_forward_hook(lambda module, args, y: pooled.append((args[0], y)))
    skips, _ = network.encoder(torch.rand(2, 3, 64, 64))
    ((before, after),) = pooled
    assert torch.equal(before, skips[0])
    assert not torch.equal(after, nn.functional.max_pool2d(before, 2))
    zeroed = network.encoder.pools[0][0](torch.ones(100_000)).eq(0).float().mean()
    assert zeroed == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dense": "between"}, r"dense must be one of \('within', 'across'\), got 'between'"),
        ({"features": ()}, r"must be positive, got 3 and \(\)"),
        ({"features": (8, 8, 0)}, r"must be positive, got 3 and \(8, 8, 0\)"),
        ({"in_channels": 0}, "must be positive, got 0 and"),
        ({"features": (4, 8)}, r"has 2 level\(s\), got \(4, 8\): give three or more, or set cross_talk=False"),
        ({"strides": (2, 2)}, r"one entry for each of the 3 pooling levels, got \(2, 2\)"),
        ({"strides": ((1, 2, 2), 2, 2)}, "positive int, or 2 of them for a 2D network"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    network = {"spatial_dims": 2, "in_channels": 3, "out_channels": {"a": 1, "b": 1}, "features": FEATURES}
    with pytest.raises(ValueError, match=message):
        MTUNet(**(network | arguments))


def test_the_levels_of_cross_talk_are_needed_only_with_it():
    few = FEATURES[:CROSS_TALK_LEVEL]
    MTUNet(2, 3, {"a": 1}, few)
    MTUNet(2, 3, {"a": 1, "b": 1}, few, cross_talk=False)


def test_what_is_left_of_the_others_with_cross_talk_ends_where_it_comes_in():
    torch.manual_seed(0)
    network, x = MTUNet(2, 3, {"a": 1, "b": 2, "c": 1}, (4, 6, 8, 8)).eval(), torch.rand(2, 3, 33, 17)
    full = network(x)["b"]
    assert torch.equal(network.keep_only("b")(x)["b"], full)
    assert [list(level.blocks) for level in network.levels] == [["a", "b", "c"], ["a", "b", "c"], ["b"], ["b"]]
    assert [list(level.upsamples) for level in network.levels] == [[], ["a", "b", "c"], ["a", "b", "c"], ["b"]]
