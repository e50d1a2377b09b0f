import pytest
import torch
from network_suite import NetworkSuite, close
from vector_tasks import VectorTasks, split

from monai_mtunet.networks import CrossStitchSegNet, SegNet
from monai_mtunet.networks.segnet.cross_stitch import CrossStitch

TINY = {"features": (4, 6), "convolutions": (2, 2)}
NYU, CITYSCAPES = {"segment": 13, "depth": 1, "normals": 3}, {"segment": 7, "depth": 1}


class TestCrossStitchSegNet(VectorTasks, NetworkSuite):
    @staticmethod
    def build(spatial_dims, out_channels):
        strides = ((1, 2, 2)[-spatial_dims:], 3)
        return CrossStitchSegNet(spatial_dims, 3, *split(out_channels), **TINY, strides=strides, pooled_size=2)


@pytest.mark.parametrize(
    ("out_channels", "sharing", "count"),
    [
        pytest.param(NYU, "scalar", 74_941_807 - 3, id="NYUv2 published"),
        pytest.param(CITYSCAPES, "scalar", 49_960_988 - 2, id="Cityscapes published"),
        pytest.param(NYU, "matrix", 24_981_069 + 24_980_289 + 24_980_419 + 9 * 3**2, id="NYUv2 matrix"),
        pytest.param(CITYSCAPES, "matrix", 24_980_679 + 24_980_289 + 9 * 2**2, id="Cityscapes matrix"),
    ],
)
def test_parameters(out_channels, sharing, count):
    """Of MTAN's published code, less its learned loss weights, one per task."""
    with torch.device("meta"):
        network = CrossStitchSegNet(2, 3, out_channels, sharing=sharing)
    assert sum(p.numel() for p in network.parameters()) == count
    assert sum(isinstance(m, CrossStitch) for m in network.modules()) == 9


def maps(tasks):
    return [torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(i)) for i in range(tasks)]


def test_matrix_unit_is_a_weighted_sum_for_each_receiver():
    unit, sources = CrossStitch(3), maps(3)
    with torch.no_grad():
        unit.weight.copy_(torch.arange(9.0).view(3, 3))
    for receiver, mixed in enumerate(unit(sources)):
        expected = sum((3 * receiver + source) * m for source, m in enumerate(sources))
        torch.testing.assert_close(mixed, expected)


def test_scalar_unit_gives_all_the_plain_sum_at_first():
    sources = maps(3)
    mixed = CrossStitch(3, "scalar")(sources)
    assert len(mixed) == 3
    for m in mixed:
        torch.testing.assert_close(m, sources[0] + sources[1] + sources[2])


@pytest.mark.parametrize("tasks", [1, 2, 4])
def test_matrix_weights_of_each_receiver_sum_to_one_at_first(tasks):
    weight = CrossStitch(tasks, own_weight=0.7).weight
    torch.testing.assert_close(weight.sum(1), torch.ones(tasks))
    torch.testing.assert_close(weight.diagonal(), torch.full((tasks,), 0.7 if tasks > 1 else 1.0))


def rename(key, replacements):
    for old, new in replacements.items():
        key = key.replace(old, new)
    return key


def test_unmixed_tasks_are_separate_segnets():
    torch.manual_seed(0)
    out_channels, x = {"a": 1, "b": 2}, torch.rand(2, 3, 21, 34)
    network = CrossStitchSegNet(2, 3, out_channels, {"c": 3}, own_weight=1.0, **TINY).eval()
    predictions = network(x)
    for task in ("a", "b", "c"):
        dense = {t: c for t, c in out_channels.items() if t == task}
        alone = SegNet(2, 3, dense, None if dense else {"c": 3}, **TINY).eval()
        own = {k: v for k, v in network.state_dict().items() if f".{task}." in k}
        in_segnet = {f"levels.{task}.": "", "decoder.": "decoder.levels."}
        renamed = {k if "heads" in k else rename(k, in_segnet): v for k, v in own.items()}
        alone.load_state_dict(renamed, strict=True)
        close(alone(x), {task: predictions[task]})


@pytest.mark.parametrize("sharing", ["matrix", "scalar"])
def test_every_task_learns_from_every_encoder(sharing):
    network = CrossStitchSegNet(2, 3, {"a": 1, "b": 2}, {"c": 3}, sharing, **TINY)
    network(torch.rand(2, 3, 24, 40))["a"].square().sum().backward()
    levels = [
        {task: level.level.convolutions[0].conv.weight.grad for task, level in stage.levels.items()}
        for stage in network.encoder
    ]
    assert all(gradient is not None for level in levels[:-1] for gradient in level.values())
    # The last level's output goes to decoders, so that the vector task's own one trains its head only.
    assert [task for task, gradient in levels[-1].items() if gradient is None] == ["c"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sharing": "vector"}, r"sharing must be one of \('matrix', 'scalar'\), got 'vector'"),
        ({"convolutions": (2, 2, 2)}, "for each of the 2 features"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CrossStitchSegNet(**{"spatial_dims": 2, "in_channels": 3, "out_channels": {"a": 1}, **TINY, **arguments})


def test_vector_tasks_alone():
    network = CrossStitchSegNet(3, 3, {}, {"species": 2, "box": 6}, **TINY, pooled_size=2).eval()
    assert not any("decoder" in name for name, _ in network.named_parameters())
    x = torch.rand(2, 3, 9, 12, 7)
    shapes = {task: tuple(p.shape) for task, p in torch.jit.script(network)(x).items()}
    assert shapes == {"species": (2, 2), "box": (2, 6)}


@pytest.mark.parametrize("sharing", ["matrix", "scalar"])
@pytest.mark.parametrize("levels", [1, 2])
@pytest.mark.parametrize("tasks", ["a", "b", "c", "b c", "a b"])
def test_tasks_that_are_left_out_still_mix(sharing, levels, tasks):
    torch.manual_seed(0)
    layout = {name: values[:levels] for name, values in TINY.items()}
    network = CrossStitchSegNet(2, 3, {"a": 1, "b": 2}, {"c": 3}, sharing, own_weight=0.6, **layout).eval()
    x = torch.rand(2, 3, 21, 34)
    full = network(x)
    close(network.keep_only(tasks)(x), {task: full[task] for task in tasks.split()}, tolerance=0)
    sum(p.square().mean() for p in network.train()(x).values()).backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []
    assert all(p.grad.any(1).all() for name, p in network.named_parameters() if "stitch" in name)  # every receiver
