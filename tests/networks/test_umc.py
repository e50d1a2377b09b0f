import weakref

import pytest
import torch
from monai.networks.blocks.convolutions import Convolution
from monai.networks.nets.basic_unet import UpCat
from network_suite import NetworkSuite, VariantSuite
from torch.utils.flop_counter import FlopCounterMode

from monai_mtunet.networks import UMC
from monai_mtunet.networks.blocks.concat_convolution import ConcatConvolution
from monai_mtunet.networks.unet.decoding_pathway import DecoderBlock

FEATURES = (4, 6, 8)
CONNECTIVITIES = ["shared", "causal", "causal_chain", "dense"]


class TestDenseUMC(NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return UMC(spatial_dims, 3, out_channels, "dense", features=FEATURES)


class TestSharedUMC(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return UMC(spatial_dims, 3, out_channels, "shared", features=FEATURES)


class TestCausalUMC(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return UMC(spatial_dims, 3, out_channels, "causal", features=FEATURES)


class TestCausalChainUMC(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return UMC(spatial_dims, 3, out_channels, "causal_chain", features=FEATURES)


class TestAnisotropicDeconvUMC(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        strides = ((1, 2, 2)[-spatial_dims:], 3)
        return UMC(spatial_dims, 3, out_channels, features=FEATURES, strides=strides, upsample="deconv", bias=True)


def parameters(spatial_dims, out_channels, connectivity="dense", **kwargs):
    with torch.device("meta"):
        network = UMC(spatial_dims, 3, dict(zip("abc", out_channels, strict=False)), connectivity, **kwargs)
    return sum(p.numel() for p in network.parameters())


def printed(count):
    """As the paper prints them: truncated, not rounded, to three decimals."""
    return f"{count // 1000 / 1000:.3f}M"


class TestParameterCounts:
    """The last rows of the paper's Tables 1 and 2 and the last column of its Table 3."""

    def test_unet_of_tables_1_and_3(self):
        count = parameters(2, [19], upsample="deconv", bias=True)
        assert (count, printed(count)) == (7_766_579, "7.766M")

    def test_denoiser_and_segmenter_of_table_1(self):
        count = sum(parameters(2, [channels], upsample="deconv", bias=True) for channels in (3, 19))
        assert (count, printed(count)) == (15_532_630, "15.532M")

    @pytest.mark.parametrize(
        ("out_channels", "connectivity", "count", "figure"),
        [
            pytest.param([3, 19], "shared", 10_985_654, "10.985M", id="Table 2 shared"),
            pytest.param([3, 19], "causal", 10_985_654, "10.985M", id="Table 2 causal"),
            pytest.param([3, 19], "causal_chain", 10_985_654, "10.985M", id="Table 2 causal, other reading"),
            pytest.param([3, 19], "dense", 11_769_014, "11.769M", id="Table 2 dense"),
            pytest.param([19, 19], "shared", 10_986_182, "10.986M", id="Table 3 group 2 shared"),
            pytest.param([19, 19], "causal", 10_986_182, "10.986M", id="Table 3 group 2 causal"),
            pytest.param([19, 19], "dense", 11_769_542, "11.769M", id="Table 3 group 2 dense"),
            pytest.param([8, 19], "shared", 10_985_819, "10.985M", id="Table 3 group 3 shared"),
            pytest.param([8, 19], "causal", 10_985_819, "10.985M", id="Table 3 group 3 causal"),
            pytest.param([8, 19], "dense", 11_769_179, "11.769M", id="Table 3 group 3 dense"),
            pytest.param([8, 8, 19], "shared", 14_121_443, "14.121M", id="Table 3 group 4 shared"),
            pytest.param([8, 8, 19], "causal", 14_121_443, "14.121M", id="Table 3 group 4 causal"),
            pytest.param([8, 8, 19], "dense", 16_471_523, "16.471M", id="Table 3 group 4 dense"),
        ],
    )
    def test_umc_of_tables_2_and_3(self, out_channels, connectivity, count, figure):
        assert parameters(2, out_channels, connectivity) == count
        assert printed(count) == figure

    @pytest.mark.parametrize(("connectivity", "count"), [("shared", 32_939_894), ("dense", 35_289_974)])
    def test_3d(self, connectivity, count):
        assert parameters(3, [3, 19], connectivity) == count


class TestConnectivity:
    """What a pathway receives, by the gradients of its prediction."""

    @staticmethod
    def sources(connectivity):
        """Predictions of three tasks, with what encoder and pathways hand on replaced by leaves of the graph."""
        torch.manual_seed(0)
        network = UMC(2, 3, {"a": 1, "b": 2, "c": 1}, connectivity, features=FEATURES).eval()
        leaves = {}

        def cut(source, maps):
            leaves[source] = [m.detach().requires_grad_() for m in maps]
            return list(leaves[source])

        network.encoder.register_forward_hook(lambda module, args, maps: cut("encoder", maps))
        for task, pathway in network.pathways.items():
            pathway.register_forward_hook(lambda module, args, out, task=task: (out[0], cut(task, out[1])))
        return network(torch.rand(2, 3, 16, 16)), leaves

    @pytest.mark.parametrize(
        ("connectivity", "task", "expected"),
        [
            *[(connectivity, "a", {"encoder"}) for connectivity in CONNECTIVITIES],
            ("shared", "b", {"encoder"}),
            ("shared", "c", {"encoder"}),
            ("causal", "b", {"encoder", "a"}),
            ("causal", "c", {"encoder", "b"}),
            ("causal_chain", "b", {"a"}),
            ("causal_chain", "c", {"b"}),
            ("dense", "b", {"encoder", "a"}),
            ("dense", "c", {"encoder", "a", "b"}),
        ],
    )
    def test_a_pathway_receives_exactly_these(self, connectivity, task, expected):
        predictions, leaves = self.sources(connectivity)
        predictions[task].square().sum().backward()
        assert leaves["encoder"].pop().grad is not None  # every pathway starts from the deepest map
        for level in range(len(FEATURES) - 1):
            maps = {source: maps[level] for source, maps in leaves.items() if maps}
            assert {source for source, m in maps.items() if m.grad is not None and m.grad.any()} == expected

    def test_causal_sums_the_encoders_and_the_previous_pathways(self):
        predictions, leaves = self.sources("causal")
        predictions["b"].square().sum().backward()
        finest_first, coarsest_first = leaves["encoder"][:-1], leaves["a"]
        for from_encoder, from_pathway in zip(finest_first, reversed(coarsest_first), strict=True):
            assert torch.equal(from_encoder.grad, from_pathway.grad)

    @pytest.mark.parametrize("connectivity", CONNECTIVITIES)
    def test_later_tasks_do_not_train_on_earlier_losses(self, connectivity):
        network = UMC(2, 3, {"a": 1, "b": 2, "c": 1}, connectivity, features=FEATURES)
        network(torch.rand(2, 3, 16, 16))["b"].square().sum().backward()
        trained = {task for task, p in network.pathways.items() if any(w.grad is not None for w in p.parameters())}
        assert trained == ({"b"} if connectivity == "shared" else {"a", "b"})


@pytest.mark.parametrize(
    ("connectivity", "expected"),
    [("shared", set()), ("causal", {"b"}), ("causal_chain", {"b"}), ("dense", {"a", "b"})],
)
def test_keeps_alive_only_what_later_pathways_need(connectivity, expected):
    network = UMC(2, 3, {"a": 1, "b": 2, "c": 1}, connectivity, features=FEATURES).eval()
    outputs = {task: [] for task in network.pathways}
    alive = {}

    def count_alive(moment):
        alive[moment] = {task: sum(ref() is not None for ref in refs) for task, refs in outputs.items()}

    for task, pathway in network.pathways.items():
        for block in pathway.blocks:
            block.register_forward_hook(lambda module, args, y, task=task: outputs[task].append(weakref.ref(y)))
    network.pathways["c"].register_forward_pre_hook(lambda module, args: count_alive("before the last pathway"))
    network.pathways["c"].head.register_forward_pre_hook(lambda module, args: count_alive("before the last head"))
    with torch.inference_mode():
        network(torch.rand(2, 3, 16, 16))
    handed_on = {task: len(FEATURES) - 1 if task in expected else 0 for task in "ab"}
    assert alive == {"before the last pathway": {**handed_on, "c": 0}, "before the last head": {**handed_on, "c": 1}}


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_concat_convolution_equals_monais_convolution_of_the_concatenation(spatial_dims):
    settings = {"act": ("RELU", {"inplace": True}), "norm": "BATCH", "bias": True, "dropout": 0.0}
    ours = ConcatConvolution(spatial_dims, [2, 3, 4], 5, **settings).double()
    theirs = Convolution(spatial_dims, 9, 5, **settings).double()
    theirs.load_state_dict(ours.state_dict(), strict=True)
    size = (7, 8, 9)[:spatial_dims]
    maps = [torch.rand(2, c, *size, dtype=torch.float64, requires_grad=True) for c in (2, 3, 4)]
    ours_y, theirs_y = ours(maps), theirs(torch.cat(maps, 1))
    torch.testing.assert_close(ours_y, theirs_y)
    ours_gradients = torch.autograd.grad(ours_y.square().sum(), [*ours.parameters(), *maps])
    theirs_gradients = torch.autograd.grad(theirs_y.square().sum(), [*theirs.parameters(), *maps])
    torch.testing.assert_close(ours_gradients, theirs_gradients)


@pytest.mark.parametrize("upsample", ["nontrainable", "deconv"])
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_decoder_block_of_one_skip_equals_monais(spatial_dims, upsample):
    block = {"act": "RELU", "norm": "BATCH", "bias": True, "dropout": 0.0}
    ours = DecoderBlock(spatial_dims, 8, 4, (2,) * spatial_dims, 1, False, upsample, block)
    theirs = UpCat(spatial_dims, 8, 4, 4, **block, upsample=upsample, pre_conv=None, align_corners=False)
    theirs.load_state_dict({k.replace("conv_", "convs.conv_"): v for k, v in ours.state_dict().items()}, strict=True)
    deeper, skip = torch.rand(2, 8, *(4, 5, 6)[:spatial_dims]), torch.rand(2, 4, *(8, 10, 12)[:spatial_dims])
    torch.testing.assert_close(ours(deeper, [skip]), theirs(deeper, skip))


def test_inplace_activation_changes_nothing():
    networks = []
    for inplace in (True, False):
        torch.manual_seed(0)
        networks.append(UMC(2, 3, {"a": 1, "b": 2}, features=FEATURES, act=("RELU", {"inplace": inplace}), norm=None))
    x = torch.rand(2, 3, 16, 16)
    gradients = [
        torch.autograd.grad(sum(p.square().sum() for p in n(x).values()), list(n.parameters())) for n in networks
    ]
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_export_with_any_size():
    network = UMC(2, 3, {"a": 1, "b": 2}, features=FEATURES).eval()
    height, width = torch.export.Dim("height", min=16, max=512), torch.export.Dim("width", min=16, max=512)
    program = torch.export.export(network, (torch.rand(2, 3, 16, 20),), dynamic_shapes=({2: height, 3: width},))
    x = torch.rand(2, 3, 37, 52)
    torch.testing.assert_close(program.module()(x), network(x))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"connectivity": "causel"}, r"connectivity must be one of .*'causal_chain'.* got 'causel'"),
        ({"upsample": "bilinear"}, r"upsample must be one of .*'nontrainable'.* got 'bilinear'"),
        ({"features": (8,)}, r"features must have two levels at least, got \(8,\)"),
        ({"features": (8, 0)}, r"must be positive, got 3 and \(8, 0\)"),
        ({"in_channels": 0}, "must be positive, got 0 and"),
        ({"strides": (2, 2, 2)}, r"one entry for each of the 2 pooling levels, got \(2, 2, 2\)"),
        ({"strides": ((1, 2, 2), 2)}, "positive int, or 2 of them for a 2D network"),
        ({"strides": (2, 0)}, "positive int, or 2 of them for a 2D network"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        UMC(**{"spatial_dims": 2, "in_channels": 3, "out_channels": {"a": 1}, "features": FEATURES, **arguments})


def flops(spatial_dims, tasks, **kwargs):
    out_channels = {f"task {number}": 3 for number in range(tasks)}
    with torch.device("meta"):
        network = UMC(spatial_dims, 3, out_channels, **kwargs)
        image = torch.empty(1, 3, *({2: [256] * 2, 3: [64] * 3}[spatial_dims]))
    with FlopCounterMode(display=False) as counter:
        network(image)
    return counter.get_total_flops()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spatial_dims", "shared", "dense", "level", "exceeds", "of_unets"),
    [(2, 0.85, 0.93, 3, 4, 1.08), (3, 0.88, 0.97, 2, 3, 1.17)],
)
def test_what_several_tasks_compute(spatial_dims, shared, dense, level, exceeds, of_unets):
    """The ratios of docs/umc.md."""
    one = flops(spatial_dims, 1)
    assert flops(spatial_dims, 2, connectivity="shared") / (2 * one) == pytest.approx(shared, abs=0.005)
    assert flops(spatial_dims, 2) / (2 * one) == pytest.approx(dense, abs=0.005)
    assert flops(spatial_dims, level) < level * one
    assert flops(spatial_dims, exceeds) > exceeds * one
    unet = flops(spatial_dims, 1, upsample="deconv", bias=True)
    assert flops(spatial_dims, 2) / (2 * unet) == pytest.approx(of_unets, abs=0.005)
    assert flops(spatial_dims, 2, upsample="deconv") < 2 * unet


@pytest.mark.parametrize("connectivity", CONNECTIVITIES)
def test_tasks_that_are_left_out(connectivity):
    network = UMC(2, 3, {"a": 1, "b": 2, "c": 1}, connectivity, features=FEATURES).keep_only("b")
    earlier = [] if connectivity == "shared" else ["a"]
    assert list(network.pathways) == [*earlier, "b"]
    assert [task for task, pathway in network.pathways.items() if pathway.hands_on] == earlier
    assert [task for task, pathway in network.pathways.items() if pathway.head is not None] == ["b"]
