import pytest
import torch
from network_suite import NetworkSuite, VariantSuite

from monai_mtunet.networks import MultiTaskHourglass

TINY = {"features": (4, 6), "convolutions": (2, 2), "private_levels": 1}
PAPER = {"edges": 1, "segment": 19, "distance": 1}


class TestHourglass(NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        return MultiTaskHourglass(spatial_dims, 3, out_channels, **TINY)


class TestSumHourglass(VariantSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        strides = ((1, 2, 2)[-spatial_dims:], 3)
        return MultiTaskHourglass(spatial_dims, 3, out_channels, merge="sum", strides=strides, **TINY)


def on_meta(spatial_dims=2, **kwargs):
    with torch.device("meta"):
        return MultiTaskHourglass(spatial_dims, 3, PAPER, **kwargs)


def count(module):
    return sum(p.numel() for p in module.parameters())


class TestParameterCounts:
    """For edges, 19 classes and distance; the paper prints none, these are of the layers that it describes."""

    @pytest.mark.parametrize(
        ("variant", "merge", "expected"),
        [
            ("vgg16", "concat", 35_934_549),
            ("vgg16", "sum", 30_073_173),
            ("light", "concat", 13_507_413),
            ("light", "sum", 10_005_333),
        ],
    )
    def test_variants(self, variant, merge, expected):
        assert count(on_meta(variant=variant, merge=merge)) == expected

    def test_parts(self):
        network = on_meta()
        assert count(network.encoder) == 14_723_136
        assert count(network.decoder) == 19_769_472
        assert [count(pathway.levels) for pathway in network.pathways.values()] == [480_192] * 3

    def test_3d(self):
        assert count(on_meta(3)) == 107_749_077

    @pytest.mark.parametrize("variant", ["vgg16", "light"])
    def test_the_last_four_convolutions_are_task_specific(self, variant):
        for pathway in on_meta(variant=variant).pathways.values():
            assert sum(len(level.convolutions) for level in pathway.levels) == 4


@pytest.mark.parametrize("private_levels", [0, 1, 2, 3])
@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_a_tasks_loss_never_reaches_another_tasks_private_convolutions(private_levels, merge):
    torch.manual_seed(0)
    layout = {"features": (4, 6, 8), "convolutions": (2, 2, 3)}
    network = MultiTaskHourglass(2, 3, PAPER, merge=merge, private_levels=private_levels, **layout)
    shared = [
        f"{part}.{name}" for part in ("encoder", "decoder") for name, _ in getattr(network, part).named_parameters()
    ]
    for task in PAPER:
        network.zero_grad()
        network(torch.rand(2, 3, 24, 40))[task].square().sum().backward()
        trained = {name for name, p in network.named_parameters() if p.grad is not None and p.grad.any()}
        own = {f"pathways.{task}.{name}" for name, _ in network.pathways[task].named_parameters()}
        assert trained == own | set(shared)
    assert len(network.decoder) == 3 - private_levels
    assert all(len(pathway.levels) == private_levels for pathway in network.pathways.values())


@pytest.mark.parametrize("size", [(300, 500), (75, 125), (37, 62)], ids=str)
def test_sizes_of_the_paper(size):
    network = MultiTaskHourglass(2, 3, {"edges": 1}, features=(2,) * 5, convolutions=(1,) * 5).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, *size))["edges"].shape == (1, 1, *size)


@pytest.mark.parametrize("merge", ["concat", "sum"])
def test_levels_take_the_encoders_features_before_pooling(merge):
    network = MultiTaskHourglass(2, 3, {"edges": 1}, merge=merge, **TINY).eval()
    encoded, taken = [], []
    for level in network.encoder:
        level.register_forward_hook(lambda module, args, y: encoded.append(y))
    for level in (*network.decoder, *network.pathways["edges"].levels):
        level.register_forward_pre_hook(lambda module, args: taken.append(args[0]))
    network(torch.rand(2, 3, 17, 24))
    for maps, level in zip(taken, encoded[::-1], strict=True):
        if merge == "concat":
            unpooled, skip = maps
            assert torch.equal(skip, level.last)
        else:
            unpooled = maps[0] - level.last
        # Unpooled values stand where the encoder's maxima are, and nowhere else.
        elsewhere = torch.ones_like(unpooled).flatten(2).scatter(2, level.indices.flatten(2), 0.0)
        assert not (unpooled.flatten(2) * elsewhere).any()


def test_convolves_as_often_as_the_encoder_and_changes_the_width_last():
    network = MultiTaskHourglass(2, 3, {"edges": 1}, features=(4, 6, 8), convolutions=(2, 2, 3), private_levels=1)
    widths = [
        [(sum(c.in_channels), c.conv.out_channels) for c in level.convolutions]
        for level in (*network.decoder, *network.pathways["edges"].levels)
    ]
    assert widths == [[(16, 8), (8, 8), (8, 6)], [(12, 6), (6, 4)], [(8, 4), (4, 4)]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "vgg19"}, r"variant must be one of \('vgg16', 'light'\), got 'vgg19'"),
        ({"merge": "product"}, r"merge must be one of \('concat', 'sum'\), got 'product'"),
        ({"private_levels": 3}, "private_levels must be from 0 to the 2 levels, got 3"),
        ({"private_levels": -1}, "private_levels must be from 0 to the 2 levels, got -1"),
        ({"convolutions": (2,)}, "for each of the 2 features"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskHourglass(2, 3, {"a": 1}, **{**TINY, **arguments})
