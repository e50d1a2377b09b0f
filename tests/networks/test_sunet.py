import copy
from math import prod

import pytest
import torch
import torch.nn.functional as F
from network_suite import DIMENSIONS, NetworkSuite, VariantSuite, close
from torch import nn

from monai_mtunet.networks import SUNet, sunet_7_128, sunet_64, sunet_128
from monai_mtunet.networks.sunet.module import ModuleGrid, UNetModule
from monai_mtunet.networks.sunet.pre_activation import PreActivation

TINY = {"features": (8, 12, 16, 20), "modules": (1, 2, 1, 1), "module_features": 4, "stem_features": (4, 6)}
VECTORS = ("kind", "box")
CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d, nn.Conv3d, nn.ConvTranspose3d)


def tiny(spatial_dims, tasks, **arguments):
    vectors = {task: length for task, length in tasks.items() if task in VECTORS}
    dense = {task: channels for task, channels in tasks.items() if task not in VECTORS}
    return SUNet(spatial_dims, 3, dense, vectors, **{**TINY, **arguments})


class SUNetSuite(NetworkSuite):
    def shape_of(self, task, channels, x):
        return (len(x), channels) if task in VECTORS else super().shape_of(task, channels, x)

    def silent(self, network, x):
        # In training batch normalization cancels the biases before it, up to rounding; and ReLU may, by chance, let
        # nothing of a small map pass.
        for module in network.modules():
            if isinstance(module, PreActivation):
                module.act = nn.LeakyReLU()
        return super().silent(network.eval(), x)


class TestDilatedSUNet(SUNetSuite):
    tasks = ({"segment": 4}, {"segment": 4, "edges": 1, "kind": 5, "box": 2})

    @staticmethod
    def build(spatial_dims, out_channels):
        return tiny(spatial_dims, out_channels, output_stride=8)


class TestStridedAnisotropicSUNet(SUNetSuite, VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        thick = (1, 2, 2)[-spatial_dims:]
        arguments = {"strides": (2, thick, 2, thick, 3), "module_strides": (thick, 2, 2, thick)}
        return tiny(spatial_dims, out_channels, output_stride=16, multigrid=False, degridding_features=6, **arguments)


@pytest.mark.parametrize("size", [(17, 23), (1, 1), (16, 9, 12)], ids=str)
def test_a_classifier_has_vectors_only_in_their_order(size):
    network, x = SUNet(len(size), 3, out_features={"kind": 5, "box": 2}, **TINY), torch.rand(2, 3, *size)
    for mode in (network.train(), network.eval()):
        assert [(task, tuple(p.shape)) for task, p in mode(x).items()] == [("kind", (2, 5)), ("box", (2, 2))]


@pytest.mark.parametrize("spatial_dims", DIMENSIONS)
def test_a_classifier_compiles_to_torchscript(spatial_dims):
    network = SUNet(spatial_dims, 3, out_features={"kind": 5, "box": 2}, **TINY).eval()
    scripted = torch.jit.script(network)
    for size in ((17, 23, 12), (1, 1, 1)):
        x = torch.rand(2, 3, *size[:spatial_dims])
        close(scripted(x), network(x))


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def on_meta(build, *args, **kwargs):
    with torch.device("meta"):
        return build(*args, **kwargs)


class TestCounts:
    """Parameters, layers and multiplications of SUNet-64, SUNet-128 and SUNet-7-128 (the paper's Table 1)."""

    @pytest.mark.parametrize(
        ("build", "classifier", "dense"),
        [
            (sunet_64, 6_910_248, 5_906_773),  # printed: 6.9 M
            (sunet_128, 24_704_360, 22_698_389),  # 24.6 M
            (sunet_7_128, 39_113_832, 36_857_237),  # 37.7 M, see below
        ],
    )
    def test_parameters_for_1000_classes_and_21_labels(self, build, classifier, dense):
        assert parameters(on_meta(build, 2, 3, out_features={"classify": 1000})) == classifier
        for output_stride in (32, 16, 8):
            assert parameters(on_meta(build, 2, 3, {"segment": 21}, output_stride=output_stride)) == dense

    @pytest.mark.parametrize(
        ("features", "count"), [((512, 1280, 1792, 2304), 37_731_944), ((512, 1024, 1536, 2048), 34_678_376)]
    )
    def test_other_readings_of_sunet_7_128(self, features, count):
        # The first gives the paper's 37.7 M, the second has the widths that its Table 1 prints.
        assert parameters(on_meta(sunet_7_128, 2, 3, out_features={"classify": 1000}, features=features)) == count

    @pytest.mark.parametrize(
        ("build", "count"), [(sunet_64, 13_336_021), (sunet_128, 50_918_933), (sunet_7_128, 81_003_029)]
    )
    def test_parameters_3d(self, build, count):
        assert parameters(on_meta(build, 3, 3, {"segment": 21})) == count

    @staticmethod
    def layers(network):
        kinds = [type(module) for module in network.modules()]
        convolutions, transposed = kinds.count(nn.Conv2d), kinds.count(nn.ConvTranspose2d)
        return convolutions + transposed, transposed, kinds.count(nn.BatchNorm2d)

    @pytest.mark.parametrize(
        ("build", "layers"), [(sunet_64, (114, 21, 109)), (sunet_128, (114, 21, 109)), (sunet_7_128, (174, 33, 169))]
    )
    def test_layers(self, build, layers):
        assert self.layers(on_meta(build, 2, 3, out_features={"classify": 1000})) == layers

    def test_degridding(self):
        network = on_meta(sunet_7_128, 2, 3, {"segment": 21}, output_stride=8, degridding_features=512)
        assert parameters(network) == 49_798_805
        assert self.layers(network) == (177, 33, 171)
        assert giga_macs(network, 512) == 183.3

    @pytest.mark.parametrize(("build", "count"), [(sunet_64, 2.533), (sunet_128, 7.359), (sunet_7_128, 10.17)])
    def test_macs_of_classification_at_224(self, build, count):
        assert giga_macs(on_meta(build, 2, 3, out_features={"classify": 1000}), 224) == count

    @pytest.mark.parametrize(
        ("build", "counts"),
        [
            (sunet_64, (13.22, 14.06, 24.78)),
            pytest.param(sunet_128, (38.4, 41.74, 84.49), marks=pytest.mark.slow),
            pytest.param(sunet_7_128, (53.05, 57.67, 130.3), marks=pytest.mark.slow),
        ],
    )
    def test_macs_of_segmentation_at_512(self, build, counts):
        for output_stride, count in zip((32, 16, 8), counts, strict=True):
            assert giga_macs(on_meta(build, 2, 3, {"segment": 21}, output_stride=output_stride), 512) == count


def giga_macs(network, size):
    """Billions of multiplications, to four digits; of transposed convolutions by their input's positions."""
    total = 0

    def count(module, args, y):
        nonlocal total
        positions = 1
        if not isinstance(module, nn.Linear):
            positions = prod((args[0] if module.transposed else y).shape[2:])
        total += positions * module.weight.numel()

    for module in network.modules():
        if isinstance(module, (*CONVOLUTIONS, nn.Linear)):
            module.register_forward_hook(count)
    network.eval()(torch.empty(1, 3, size, size, device="meta"))
    return float(f"{total / 1e9:.4g}")


def grids(network, block):
    """Of every 3x3 convolution of a block's modules, in order of execution: dilation, "t" if transposed, stride."""
    described = []
    for module in network.trunk.blocks[block]:
        layers = [layer for layer in module.modules() if isinstance(layer, CONVOLUTIONS) and max(layer.kernel_size) > 1]
        for layer in layers:
            assert layer.padding == layer.dilation
            described.append((*layer.dilation, "t" if layer.transposed else "", layer.stride[0]))
    return described


def module_grid(dilations, strides=None):
    """The same from the specification's way of writing it, as "2 4 4 8 8t 4 4t 2"."""
    names = dilations.split()
    strides = strides or [1] * len(names)
    return [
        (int(n.strip("t")), int(n.strip("t")), n[len(n.strip("t")) :], s) for n, s in zip(names, strides, strict=True)
    ]


class TestDilation:
    """Section 5.2: strides become dilations that grow and shrink inside each module."""

    plain = module_grid("1 1 1 1 1t 1 1t 1", [2, 1, 2, 1, 2, 1, 2, 1])
    plain_last = module_grid("1 1 1t 1", [2, 1, 2, 1])

    @pytest.mark.parametrize(
        ("arguments", "third", "last"),
        [
            ({"output_stride": 32}, plain, plain_last),
            ({"output_stride": 16}, plain, module_grid("2 4 4t 2")),
            ({"output_stride": 8}, module_grid("2 4 4 8 8t 4 4t 2"), module_grid("4 8 8t 4")),
            ({"output_stride": 16, "multigrid": False}, plain, module_grid("2 2 2t 2", [2, 1, 2, 1])),
            (
                {"output_stride": 8, "multigrid": False},
                module_grid("2 2 2 2 2t 2 2t 2", [2, 1, 2, 1, 2, 1, 2, 1]),
                module_grid("4 4 4t 4", [2, 1, 2, 1]),
            ),
        ],
        ids=str,
    )
    def test_of_every_layer(self, arguments, third, last):
        network = on_meta(sunet_64, 2, 3, {"segment": 21}, **arguments)
        expected = [self.plain * 2, self.plain * 4, third * 4, last]
        assert [grids(network, block) for block in range(4)] == expected
        assert len([m for m in network.modules() if isinstance(m, CONVOLUTIONS) and max(m.dilation) > 1]) == sum(
            dilation > 1 for block in expected for dilation, *_ in block
        )

    @pytest.mark.parametrize("output_stride", [32, 16, 8])
    @pytest.mark.parametrize("multigrid", [True, False])
    def test_features_have_the_output_stride(self, output_stride, multigrid):
        trunk = tiny(2, {"segment": 2}, output_stride=output_stride, multigrid=multigrid).trunk.eval()
        assert trunk(torch.rand(1, 3, 128, 64)).shape[2:] == (128 // output_stride, 64 // output_stride)

    def test_per_axis(self):
        thick = (1, 2, 2)
        network = tiny(3, {"segment": 2}, output_stride=8, strides=(2, 2, 2, thick, 2), module_strides=(2, 2, thick, 2))
        third, last = network.trunk.blocks[2][0], network.trunk.blocks[3][0]
        dilations = [[m.dilation for m in block.modules() if isinstance(m, CONVOLUTIONS)] for block in (third, last)]
        # The third pool, omitted, would not have reduced the first axis, and the third block's modules do not either.
        assert [d for d in dilations[0] if max(d) > 1] == [
            *[(1, 2, 2), (1, 4, 4), (1, 4, 4), (1, 8, 8)],
            *[(1, 8, 8), (1, 4, 4), (1, 4, 4), (1, 2, 2)],
        ]
        assert [d for d in dilations[1] if max(d) > 1] == [(2, 4, 4), (4, 8, 8), (4, 8, 8), (2, 4, 4)]
        x = torch.rand(1, 3, 32, 64, 64)
        assert network.eval().trunk(x).shape[2:] == (32 // 8, 64 // 8, 64 // 8)

    @pytest.mark.parametrize(
        ("output_stride", "strides", "least"),
        [(32, 2, 93), (16, 2, 77), (8, 2, 69), (8, ((2, 1), (2, 1), 2, 2, 2), 18)],
    )
    def test_least_length_of_an_axis_on_which_every_tap_sees_more_than_padding(self, output_stride, strides, least):
        # Without activations, so that no gradient is 0 by chance.
        network = tiny(
            2, {"segment": 2}, output_stride=output_stride, strides=strides, act=("leakyrelu", {"negative_slope": 1.0})
        )
        blind = {}
        for length in (least - 1, least):
            network.eval().zero_grad()
            network.trunk(torch.rand(1, 3, 96, length)).square().sum().backward()
            weights = [m.weight for m in network.trunk.blocks.modules() if isinstance(m, CONVOLUTIONS)]
            blind[length] = any((w.grad.abs().sum((0, 1, 2)) == 0).any() for w in weights)
        assert blind == {least - 1: True, least: False}

    @pytest.mark.parametrize("spatial_dims", [2, 3])
    def test_a_dilated_transposed_convolution_is_a_convolution_with_the_flipped_kernel(self, spatial_dims):
        grid = ModuleGrid((2,) * spatial_dims, (2,) * spatial_dims, multigrid=True)
        deconv = UNetModule(spatial_dims, 4, 4, 3, 2, grid, False, "RELU", "BATCH", False).decoders[0].deconv
        assert deconv.dilation == (8,) * spatial_dims
        x = torch.rand(2, 3, *(40, 33, 18)[:spatial_dims])
        axes = tuple(range(2, 2 + spatial_dims))
        convolve = F.conv2d if spatial_dims == 2 else F.conv3d
        flipped = convolve(x, deconv.weight.transpose(0, 1).flip(axes), deconv.bias, padding=8, dilation=8)
        torch.testing.assert_close(deconv(x, x.shape[2:]), flipped)
        unflipped = convolve(x, deconv.weight.transpose(0, 1), deconv.bias, padding=8, dilation=8)
        assert not torch.allclose(deconv(x, x.shape[2:]), unflipped, atol=1e-2)


class TestModule:
    @staticmethod
    def module(levels=2, expands=False, multigrid=False, dilation=1):
        torch.manual_seed(0)
        grid = ModuleGrid((2, 2), (dilation, dilation), multigrid)
        return UNetModule(2, 6, 8 if expands else 6, 3, levels, grid, expands, "RELU", "BATCH", False).eval()

    @pytest.mark.parametrize(("dilation", "multigrid"), [(1, False), (1, True), (2, True)])
    def test_innermost_filter_sees_19_positions_of_its_grid(self, dilation, multigrid):
        # Section 3.1: "the effective FoV of 19" of the innermost convolution, the last of E2. Dilation keeps it.
        module = self.module(dilation=dilation, multigrid=multigrid)
        for norm in module.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.running_mean.fill_(-9.0)  # so that no ReLU cuts a gradient
        x = torch.rand(1, 3, 80, 80).requires_grad_()
        y = x
        for encoder in module.encoders:
            y = encoder(y)
        y[0, :, y.shape[2] // 2, y.shape[3] // 2].sum().backward()
        seen = x.grad.abs().sum((0, 1)) > 0
        for extent in (seen.any(0).nonzero(), seen.any(1).nonzero()):
            assert (extent.max() - extent.min()).item() == 18 * dilation
        assert seen.sum().item() == 19**2

    def test_is_the_identity_where_it_expands_to_zero(self):
        module, x = self.module(), torch.randn(2, 6, 9, 10)
        nn.init.zeros_(module.expand[1].weight)
        nn.init.zeros_(module.expand[1].bias)
        assert torch.equal(module(x), x)

    def test_the_first_module_shares_its_pre_activation(self):
        module, x = self.module(expands=True), torch.randn(2, 6, 9, 10)
        nn.init.zeros_(module.expand[1].weight)
        nn.init.zeros_(module.expand[1].bias)
        close({"y": module(x)}, {"y": F.conv2d(F.relu(module.activation.norm(x)), *module.shortcut.parameters())})

    @pytest.mark.parametrize(("levels", "expected"), [(2, {0: 3, 1: 6}), (1, {0: 3})])
    def test_the_decoder_concatenates_below_the_finest_level(self, levels, expected):
        decoders = self.module(levels).decoders
        assert {i: decoder.deconv.in_channels for i, decoder in enumerate(decoders)} == expected

    def test_the_decoders_map_comes_before_the_encoders(self):
        module, x = self.module(), torch.randn(1, 6, 16, 16)
        seen = {}
        module.encoders[0].register_forward_hook(lambda m, a, y: seen.update(encoder=y))
        module.decoders[0].register_forward_hook(lambda m, a, y: seen.update(decoder=y))
        module.decoders[1].register_forward_hook(lambda m, a, y: seen.update(given=a[0]))
        module(x)
        assert torch.equal(seen["given"], torch.cat([seen["decoder"], seen["encoder"]], 1))


@pytest.mark.parametrize("output_stride", [32, 16, 8])
@pytest.mark.parametrize("size", [(17, 23), (64, 61), (65, 33), (90, 17), (20, 24, 9)], ids=str)
def test_any_size(output_stride, size):
    network = tiny(len(size), {"segment": 2, "kind": 3}, output_stride=output_stride).eval()
    predictions = network(torch.rand(1, 3, *size))
    assert predictions["segment"].shape == (1, 2, *size)
    assert predictions["kind"].shape == (1, 3)


@pytest.mark.parametrize(("output_stride", "size"), [(32, 61), (32, 64), (16, 125), (8, 29), (8, 96)])
def test_equals_output_paddings_of_one_where_those_fit(output_stride, size):
    # The authors fix the transposed convolutions' output padding, which takes only some sizes: 64m - 3 .. 64m, at
    # stride 8 32m - 3 .. 32m.
    network, x = tiny(2, {"segment": 2}, output_stride=output_stride).eval(), torch.rand(1, 3, size, size)
    expected = network(x)
    for module in network.modules():
        if isinstance(module, nn.ConvTranspose2d):
            module.output_padding = tuple(s - 1 for s in module.stride)
            module.forward = lambda x, size, m=module: F.conv_transpose2d(
                x, m.weight, m.bias, m.stride, m.padding, m.output_padding, 1, m.dilation
            )
    close(network(x), expected, tolerance=0)


def test_checkpointing_changes_memory_only():
    torch.manual_seed(0)
    network = tiny(2, {"segment": 2, "kind": 3}, output_stride=16)
    frugal = tiny(2, {"segment": 2, "kind": 3}, output_stride=16, use_checkpoint=True)
    frugal.load_state_dict(network.state_dict())
    x = torch.rand(2, 3, 64, 64)
    kept = {}
    for name, module in (("plain", network), ("frugal", frugal)):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, sizes=sizes: sizes.append(t.numel()) or t, lambda t: t):
            sum(p.square().sum() for p in module(x).values()).backward()
        kept[name] = sum(sizes)
    assert kept["frugal"] < 0.7 * kept["plain"]
    state, expected = frugal.state_dict(), network.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)  # running statistics among them
    assert expected["trunk.blocks.0.0.activation.norm.num_batches_tracked"] == 1
    gradients = {name: p.grad for name, p in frugal.named_parameters()}
    assert all(torch.equal(gradients[name], p.grad) for name, p in network.named_parameters())


def test_heads_are_light_and_interpolated():
    network, x = tiny(2, {"segment": 2, "kind": 3}).eval(), torch.rand(2, 3, 70, 90)
    features, heads = network.trunk(x), network.heads
    segment = F.interpolate(heads.dense["segment"](features), (70, 90), mode="bilinear", align_corners=False)
    kind = heads.vectors["kind"].linear(features.mean((2, 3)))
    close(network(x), {"segment": segment, "kind": kind})
    assert heads.dense["segment"].kernel_size == (1, 1)


def test_weights_start_kaiming_normal_by_fan_out_and_biases_at_zero():
    network = sunet_64(2, 3, {"segment": 21})
    weight = network.trunk.blocks[1][0].encoders[0][1].weight
    assert weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)
    expanding = network.trunk.blocks[3][0].shortcut.weight  # 768 -> 1024
    assert expanding.std().item() == pytest.approx((2 / 1024) ** 0.5, rel=0.02)
    assert not any(m.bias.any() for m in network.trunk.modules() if isinstance(m, CONVOLUTIONS))


def test_logits_start_small():
    """The loss starts near ln C: no activation follows the heads, so fan-out is not for them."""
    torch.manual_seed(0)
    logits = sunet_64(2, 3, {"segment": 21}, degridding_features=32)(torch.randn(2, 3, 64, 64))["segment"]
    assert logits.std() < 1


def test_inplace_activation_changes_nothing():
    networks = [tiny(2, {"segment": 2}, act=("RELU", {"inplace": inplace})) for inplace in (True, False)]
    networks[1].load_state_dict(networks[0].state_dict())
    x = torch.rand(2, 3, 32, 32)
    gradients = [torch.autograd.grad(n(x)["segment"].square().sum(), list(n.parameters())) for n in networks]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_momentum_of_the_norm_is_an_argument():
    network = tiny(2, {"segment": 2}, norm=("batch", {"momentum": 0.01}))
    assert {m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {0.01}


def test_can_be_copied():
    network = tiny(2, {"segment": 2}, use_checkpoint=True).eval()
    x = torch.rand(1, 3, 32, 32)
    close(copy.deepcopy(network)(x), network(x), tolerance=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output_stride": 4}, r"output_stride must be one of \(32, 16, 8\), got 4"),
        ({"output_stride": "16"}, r"got '16'"),
        ({"features": (8, 8, 8)}, r"features must be 4 positive ints, got \(8, 8, 8\)"),
        ({"modules": (2, 0, 2, 1)}, r"modules must be 4 positive ints, got \(2, 0, 2, 1\)"),
        ({"stem_features": (4,)}, "stem_features must be 2 positive ints"),
        ({"module_features": 0}, "module_features must be a positive int, got 0"),
        ({"in_channels": 0}, "in_channels must be a positive int, got 0"),
        ({"degridding_features": 0}, "degridding_features must be a positive int, got 0"),
        ({"strides": (2, 2)}, "one entry for each of the 5 pooling levels"),
        ({"module_strides": ((1, 2, 2), 2, 2, 2)}, "2 of them for a 2D network"),
        ({"norm": None}, "SUNet is pre-activated: norm cannot be None"),
        ({"out_features": {"a": 2}}, r"\['a'\] are in out_channels and in out_features"),
        ({"out_channels": None}, "one or more task names"),
        ({"out_channels": None, "out_features": {"b": 2}, "degridding_features": 8}, "out_channels has none"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SUNet(**{"spatial_dims": 2, "in_channels": 3, "out_channels": {"a": 1}, **TINY, **arguments})


def test_vectors_alone_need_no_degridding():
    network = SUNet(2, 3, {"segment": 2}, {"kind": 5}, degridding_features=6, **TINY)
    assert [*network.keep_only("kind").heads.state_dict()] == ["vectors.kind.linear.weight", "vectors.kind.linear.bias"]
