import pytest
import torch
from network_suite import NetworkSuite, close
from vector_tasks import VectorTasks, split

from monai_mtunet.networks import DenseSegNet

TINY = {"features": (4, 6), "convolutions": (2, 2)}
NYU, CITYSCAPES = {"segment": 13, "depth": 1, "normals": 3}, {"segment": 7, "depth": 1}


class TestDenseSegNet(VectorTasks, NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        strides = ((1, 2, 2)[-spatial_dims:], 3)
        return DenseSegNet(spatial_dims, 3, *split(out_channels), **TINY, strides=strides, pooled_size=2)


def unread_level(classes):
    """Parameters of the published shared decoder's finest level: 64 -> 64 -> classes, with bias and norms."""
    return (9 * 64 * 64 + 64 + 2 * 64) + (9 * 64 * classes + classes + 2 * classes)


@pytest.mark.parametrize(
    ("out_channels", "published"),
    [pytest.param(NYU, 123_743_995 - 3, id="NYUv2"), pytest.param(CITYSCAPES, 90_796_895 - 2, id="Cityscapes")],
)
def test_parameters(out_channels, published):
    """Of MTAN's published code, less its learned loss weights and what it computes and never reads."""
    with torch.device("meta"):
        network = DenseSegNet(2, 3, out_channels)
    assert sum(p.numel() for p in network.parameters()) + unread_level(out_channels["segment"]) == published
    assert unread_level(13) == 44_583


def test_what_a_task_trains():
    network = DenseSegNet(2, 3, {"a": 1, "b": 2}, {"c": 3}, **TINY)
    network(torch.rand(2, 3, 24, 40))["a"].square().sum().backward()
    trained = {name: p.grad is not None for name, p in network.named_parameters()}
    assert all(g for name, g in trained.items() if name.startswith(("encoder.", "decoder.", "networks.a.")))
    assert not any(g for name, g in trained.items() if name.startswith(("networks.b.", "networks.c.")))


def test_levels_take_the_tasks_map_and_the_shared_one():
    network = DenseSegNet(2, 3, {"a": 1}, features=(4, 6, 8), convolutions=(2, 2, 3))
    own = network.networks["a"]
    received = [level.level.convolutions[0].in_channels for level in own.encoder]
    assert received == [[3], [4, 4], [6, 6]]
    assert [level.convolutions[0].in_channels for level in own.decoder] == [[8, 8], [6, 6], [4, 4]]
    assert [c.conv.out_channels for c in own.decoder[-1].convolutions] == [8, 4]  # published: 128 -> 128 -> 64


def test_a_shared_map_reaches_every_level_of_a_task():
    torch.manual_seed(0)
    network = DenseSegNet(2, 3, {"a": 1}, features=(4, 6, 8), convolutions=(2, 2, 3)).eval()
    x, calls = torch.rand(2, 3, 24, 40), []
    for level in [*network.networks["a"].encoder, *network.networks["a"].decoder]:
        level.register_forward_pre_hook(lambda module, args: calls.append([tuple(m.shape) for m in args[0]]))
    network(x)
    expected = [(3, 24, 40), (4, 12, 20), (6, 6, 10), (8, 6, 10), (6, 12, 20), (4, 24, 40)]
    assert calls == [[(2, *shape)] * (1 if i == 0 else 2) for i, shape in enumerate(expected)]


def test_vector_tasks_alone():
    network = DenseSegNet(3, 3, {}, {"species": 2, "box": 6}, **TINY, pooled_size=2).eval()
    assert not any("decoder" in name for name, _ in network.named_parameters())
    x = torch.rand(2, 3, 9, 12, 7)
    shapes = {task: tuple(p.shape) for task, p in torch.jit.script(network)(x).items()}
    assert shapes == {"species": (2, 2), "box": (2, 6)}


@pytest.mark.parametrize("levels", [1, 2])
def test_without_dense_tasks_the_shared_network_ends_where_it_is_last_read(levels):
    torch.manual_seed(0)
    layout = {"features": (4, 6)[:levels], "convolutions": (2, 2)[:levels], "pooled_size": 2}
    network, x = DenseSegNet(2, 3, {"a": 1}, {"kind": 2}, **layout).eval(), torch.rand(2, 3, 21, 34)
    full = network(x)
    alone = DenseSegNet(2, 3, {}, {"kind": 2}, **layout).eval()
    assert len(alone.encoder) == levels - 1
    alone.load_state_dict(network.keep_only("kind").state_dict(), strict=True)
    close(network(x), {"kind": full["kind"]}, tolerance=0)
    close(alone(x), {"kind": full["kind"]}, tolerance=0)
