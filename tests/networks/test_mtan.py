import pytest
import torch
import torch.nn.functional as F
from network_suite import NetworkSuite, VariantSuite
from torch.utils.flop_counter import FlopCounterMode
from vector_tasks import VectorTasks, split

from monai_mtunet.engines import read_attention_masks
from monai_mtunet.networks import MTAN, STAN
from monai_mtunet.networks.blocks.attention_gate import AttentionGate

TINY = {"features": (4, 6), "convolutions": (2, 2)}
MIRRORED_VGG = {"width_change": "last", "order": "norm_conv_act", "head": "3x3"}
NYU, CITYSCAPES = {"segment": 13, "depth": 1, "normals": 3}, {"segment": 7, "depth": 1}
PETS = {"segment": 2}, {"species": 2, "box": 4}


class TestMTAN(VectorTasks, NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        strides = ((1, 2, 2)[-spatial_dims:], 3)
        return MTAN(spatial_dims, 3, *split(out_channels), **TINY, strides=strides, pooled_size=2)


class TestEncoderAttention(VectorTasks, VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return MTAN(spatial_dims, 3, *split(out_channels), "encoder", **TINY, **MIRRORED_VGG, pooled_size=2)


def on_meta(*tasks, network=MTAN, **kwargs):
    with torch.device("meta"):
        return network(2, 3, *tasks, **kwargs)


def count(module):
    return sum(p.numel() for p in module.parameters())


def attention(network):
    """Parameters of the encoder's gates and shared convolutions, and of the decoder's."""
    stages = (network.encoder_attention, network.decoder_attention)
    return tuple(sum(count(getattr(level, part)) for level in stage) for stage in stages for part in ("gates", "step"))


class TestParameterCounts:
    """Of MTAN's published code, less its learned loss weights, one per task; and of the auxiliary-task study."""

    @pytest.mark.parametrize(
        ("out_channels", "expected"),
        [
            pytest.param(NYU, 44_229_076 - 3, id="NYUv2"),
            pytest.param(CITYSCAPES, 41_206_986 - 2, id="Cityscapes"),
        ],
    )
    def test_mtan(self, out_channels, expected):
        assert count(on_meta(out_channels)) == expected

    @pytest.mark.parametrize(
        ("out_channels", "expected"),
        [
            ({"segment": 13}, 38_185_805),
            ({"segment": 7}, 38_185_415),
            ({"depth": 1}, 38_185_025),
            ({"normals": 3}, 38_185_155),
        ],
        ids=str,
    )
    def test_stan(self, out_channels, expected):
        assert count(on_meta(out_channels, network=STAN)) == expected

    def test_parts_of_mtan(self):
        network = on_meta(CITYSCAPES)
        assert attention(network) == (2 * 1_835_648, 6_272_640, 2 * 1_148_928, 3_947_520)
        assert 1_835_648 + 1_148_928 == 2_984_576

    def test_auxiliary_task_study(self):
        network = on_meta(*PETS, "encoder", **MIRRORED_VGG)
        assert count(network) == 41_419_470
        assert count(network.encoder) == 14_722_118
        assert attention(network) == (5_506_944, 6_271_744, 0, 0)
        assert count(network.decoders) + count(network.heads["segment"]) == 14_722_050
        assert count(network.heads["species"]) + count(network.heads["box"]) == 196_614

    def test_a_fourth_task_of_the_auxiliary_task_study(self):
        four = on_meta(PETS[0], {**PETS[1], "fourth": 1}, "encoder", **MIRRORED_VGG)
        head = count(four.heads["fourth"])
        assert count(four) - head == 43_255_118
        assert 43_255_118 + attention(on_meta({"segment": 2}, **MIRRORED_VGG))[2] == 44_404_046

    def test_auxiliary_task_study_in_the_order_of_vggs_weights(self):
        first = on_meta(*PETS, "encoder", **MIRRORED_VGG)
        network = on_meta(*PETS, "encoder", **{**MIRRORED_VGG, "order": "conv_norm_act"})
        assert count(network.encoder) - count(first.encoder) == 2 * (512 - 3)  # norms of the last output, first input
        gates, steps = attention(network)[:2]
        assert steps - attention(first)[1] == 2 * (512 - 64)
        assert gates == attention(first)[0]
        segment = [count(n.decoders) + count(n.heads["segment"]) for n in (network, first)]
        assert segment[0] - segment[1] == -2 * 512  # the first input has a norm no more, and logits have none

        assert [count(n) for n in (first, network)] == [41_419_470, 41_420_360]

    def test_convolutions_norms_and_multiplications(self):
        network = on_meta(CITYSCAPES)
        assert sum(isinstance(m, torch.nn.Conv2d) for m in network.modules()) == 80
        assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules()) == 76
        with FlopCounterMode(display=False) as flops:
            network(torch.rand(1, 3, 128, 256, device="meta"))
        assert round(flops.get_total_flops() / 2e9, 3) == 48.224

    def test_3d(self):
        with torch.device("meta"):
            volume = MTAN(3, 3, CITYSCAPES)
        kernels = sum(p.numel() for p in on_meta(CITYSCAPES).parameters() if p.shape[-2:] == (3, 3))
        assert count(volume) == 41_206_984 + 2 * kernels


class TestAttention:
    @staticmethod
    def masks(network, x):
        """Each gate's mask and the features that it masks, by stage, level and task."""
        seen = {}

        def look(name, gate, args):
            stage, level, _, task = name.split(".")
            seen[stage, int(level), task] = (gate.mask(args[0]), args[1])

        for name, gate in network.named_modules():
            if isinstance(gate, AttentionGate):
                gate.register_forward_hook(lambda gate, args, y, name=name: look(name, gate, args))
        network.eval()(x)
        return seen

    def test_tasks_mask_the_same_features_at_each_level(self):
        network = MTAN(2, 3, {"a": 1, "b": 2}, {"c": 3}, **TINY)
        seen = self.masks(network, torch.rand(2, 3, 24, 40))
        for level, channels in enumerate(TINY["features"]):
            gates = [seen["encoder_attention", level, task] for task in "abc"]
            assert all(torch.equal(gate[1], gates[0][1]) for gate in gates)
            assert gates[0][1].shape == (2, channels, 24 >> level, 40 >> level)
            assert not torch.equal(gates[0][0], gates[1][0])
        decoder = {name for name in seen if name[0] == "decoder_attention"}
        assert decoder == {("decoder_attention", level, task) for level in range(2) for task in "ab"}
        assert all(((mask > 0) & (mask < 1)).all() for mask, _ in seen.values())

    def test_encoder_attention_has_no_masks_in_decoders(self):
        network = MTAN(2, 3, {"a": 1, "b": 2}, attention="encoder", **TINY)
        assert {stage for stage, _, _ in self.masks(network, torch.rand(2, 3, 24, 40))} == {"encoder_attention"}

    @pytest.mark.parametrize("attention", ["both", "encoder"])
    def test_a_closed_mask_hides_the_image_from_one_task_only(self, attention):
        # With the first task's last mask at 0 its prediction depends on the image no more; the other's is as before.
        torch.manual_seed(0)
        network = MTAN(2, 3, {"a": 1, "b": 2}, attention=attention, **TINY)
        images = 10 * torch.randn(2, 3, 24, 40)
        network.train()(images)  # running statistics, without which signals fade in tiny networks
        before = network.eval()(images)
        stage = network.decoder_attention if attention == "both" else network.encoder_attention
        stage[-1].gates["a"].mask.register_forward_hook(lambda module, args, mask: torch.zeros_like(mask))
        after = network(images)
        assert torch.equal(after["b"], before["b"])
        assert not torch.equal(before["a"][0], before["a"][1])
        if attention == "both":
            assert torch.equal(after["a"][0], after["a"][1])
        else:  # what is left of the image is where its maxima were, and biases are unpooled there
            assert (after["a"] - before["a"]).abs().max() > 0

    @pytest.mark.parametrize("attention", ["both", "encoder"])
    def test_a_tasks_loss_trains_no_other_tasks_modules(self, attention):
        network = MTAN(2, 3, {"a": 1, "b": 2}, {"c": 3}, attention, **TINY)
        network(torch.rand(2, 3, 24, 40))["a"].square().sum().backward()
        parts = {tuple(n.split(".")): p.grad is not None for n, p in network.named_parameters()}
        private = {task: [g for n, g in parts.items() if task in n] for task in "abc"}
        assert all(private["a"])
        assert not any(private["b"] + private["c"])
        assert all(g for n, g in parts.items() if not {"a", "b", "c"} & set(n))


def conv(level):
    """A level's convolutions, each of one map."""
    return [lambda x, c=c: c([x]) for c in level.convolutions]


@torch.no_grad()
def test_computes_the_papers_equations():
    """Level by level as MTAN describes it, with torch's own unpooling, where sizes allow for it."""
    torch.manual_seed(0)
    network = MTAN(2, 3, {"a": 1, "b": 2}, **TINY)
    network.train()(torch.rand(2, 3, 24, 40))  # running statistics
    predictions = network.eval()(x := torch.rand(2, 3, 24, 40))
    for task in "ab":
        p, g, indices = x, None, []
        for level, attention in zip(network.encoder, network.encoder_attention, strict=True):
            first, second = conv(level.level)
            u = first(p)
            p = second(u)
            mask = attention.gates[task].mask(u if g is None else torch.cat([u, g], 1))
            assert torch.equal(mask, mask.clamp(0, 1))
            g = F.max_pool2d(conv(attention.step.level)[0](mask * p), 2)
            p, where = F.max_pool2d(p, 2, return_indices=True)
            indices.append(where)
        for level, attention in zip(network.decoder, network.decoder_attention, strict=True):
            first, second = conv(level)
            unpooled = F.max_unpool2d(p, indices.pop(), 2)
            p = second(first(unpooled))
            upsampled = F.interpolate(g, scale_factor=2, mode="bilinear", align_corners=True)
            g = attention.gates[task].mask(torch.cat([unpooled, conv(attention.step)[0](upsampled)], 1)) * p
        torch.testing.assert_close(predictions[task], network.heads[task](g))


def test_masks_are_read_by_task():
    network = MTAN(2, 3, {"a": 1, "b": 2}, {"c": 3}, **TINY)
    masks = read_attention_masks(network, torch.rand(1, 3, 24, 40), ["a", "b", "c"])
    encoder = [(24, 40), (12, 20)]
    expected = {"a": encoder + encoder[::-1], "b": encoder + encoder[::-1], "c": encoder}
    assert {task: [tuple(m.shape[2:]) for m in of_task] for task, of_task in masks.items()} == expected


def test_stan_is_mtan_with_one_task():
    torch.manual_seed(0)
    network = STAN(2, 3, {"depth": 1}, attention="encoder", **TINY).eval()
    mtan = MTAN(2, 3, {"depth": 1}, attention="encoder", **TINY).eval()
    mtan.load_state_dict(network.state_dict(), strict=True)
    x = torch.rand(2, 3, 17, 24)
    assert torch.equal(network(x)["depth"], mtan(x)["depth"])
    assert torch.jit.script(network)(x)["depth"].shape == (2, 1, 17, 24)


def test_stan_refuses_several_tasks():
    with pytest.raises(ValueError, match=r"STAN has one task, got \['a', 'b'\]: build one STAN for each"):
        STAN(2, 3, {"a": 1}, {"b": 2}, **TINY)


def test_refuses_bad_attention():
    with pytest.raises(ValueError, match=r"attention must be one of \('both', 'encoder'\), got 'decoder'"):
        MTAN(2, 3, {"a": 1}, attention="decoder", **TINY)


def test_vector_tasks_alone():
    network = MTAN(3, 3, {}, {"species": 2, "box": 6}, **TINY, pooled_size=2).eval()
    assert not any("decoder" in name for name, _ in network.named_parameters())
    x = torch.rand(2, 3, 9, 12, 7)
    shapes = {task: tuple(p.shape) for task, p in torch.jit.script(network)(x).items()}
    assert shapes == {"species": (2, 2), "box": (2, 6)}
