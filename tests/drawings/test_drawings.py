"""What drawings show is what networks do: what tasks share, what is their own, what they exchange, what is trained."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from torch import Tensor, nn

from monai_mtunet.drawings import draw_network
from monai_mtunet.drawings.blocks import gather
from monai_mtunet.drawings.data_flow import trace
from monai_mtunet.drawings.diagram import Connection, Diagram
from monai_mtunet.drawings.drawing import draw_diagram
from monai_mtunet.drawings.published import DRAWN, draw_published
from monai_mtunet.networks import (
    MTAN,
    STAN,
    UMC,
    CrossStitchSegNet,
    DenseSegNet,
    MTUNet,
    MultiTaskHourglass,
    NetworkChain,
    SegNet,
    sunet_64,
)
from monai_mtunet.pictures.task_colors import SHARED_COLOR, task_colors

TWO = {"segment": 3, "depth": 1}
THREE = {"edges": 1, "segment": 3, "distance": 1}
UNET = {"features": (4, 6, 8)}
SEGNET = {"features": (4, 6, 8), "convolutions": (1, 2, 2)}
SUNET = {"features": (8, 8, 8, 8), "modules": (1, 1, 1, 1), "module_features": 4, "stem_features": (4, 8)}


def diagram(network: nn.Module, size: int = 64) -> Diagram:
    return gather(trace(network, torch.rand(1, 3, size, size)))


def between(drawn: Diagram, style: str) -> set[tuple[str | None, str | None, int]]:
    """Lanes of source and target, and the target's level, of all connections of a style."""
    ends = [(drawn.blocks[c.source], drawn.blocks[c.target]) for c in drawn.connections if c.style == style]
    return {(source.lane, target.lane, target.level) for source, target in ends}


def starts(drawn: Diagram, owner: str | None) -> set[str]:
    return {module.split(".")[0] for module in drawn.modules(owner)}


def named(network: nn.Module, task: str) -> set[str]:
    """Modules with weights whose name says whose they are."""
    owners = {name.rpartition(".")[0] for name, _ in network.named_parameters()}
    kernels = {name for name in owners if network.get_submodule(name).weight.ndim != 1}
    return {name for name in kernels if task in name.split(".")}


# Each network, its tasks, and the parts (first names of modules) that tasks share.
NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[str, ...], set[str]]] = {
    "umc": (lambda: UMC(2, 3, THREE, **UNET), tuple(THREE), {"encoder"}),
    "mtunet": (lambda: MTUNet(2, 3, TWO, **UNET), tuple(TWO), {"encoder", "bottleneck", "upsample"}),
    "segnet": (lambda: SegNet(2, 3, TWO, {"box": 4}, **SEGNET), (*TWO, "box"), {"encoder", "decoder"}),
    "mtan": (
        lambda: MTAN(2, 3, TWO, **SEGNET),
        tuple(TWO),
        {"encoder", "decoder", "encoder_attention", "decoder_attention"},
    ),
    "mtan_encoder": (
        lambda: MTAN(2, 3, {"segment": 2}, {"box": 4}, attention="encoder", **SEGNET),
        ("segment", "box"),
        {"encoder", "encoder_attention"},
    ),
    "cross_stitch": (lambda: CrossStitchSegNet(2, 3, TWO, **SEGNET), tuple(TWO), {"encoder", "decoder"}),
    "dense_segnet": (lambda: DenseSegNet(2, 3, TWO, **SEGNET), tuple(TWO), {"encoder", "decoder"}),
    "hourglass": (
        lambda: MultiTaskHourglass(2, 3, THREE, private_levels=1, **SEGNET),
        tuple(THREE),
        {"encoder", "decoder"},
    ),
    "sunet": (lambda: sunet_64(2, 3, TWO, {"classify": 5}, **SUNET), (*TWO, "classify"), {"trunk"}),
    "sunet_dilated": (lambda: sunet_64(2, 3, TWO, output_stride=8, **SUNET), tuple(TWO), {"trunk"}),
    "chain": (
        lambda: NetworkChain([UMC(2, 3, {"denoise": 3}, **UNET), UMC(2, 3, {"segment": 3}, **UNET)], via="denoise"),
        ("denoise", "segment"),
        {"networks"},
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_module_is_drawn_once_as_shared_or_one_tasks_own(name: str) -> None:
    build, tasks, shared = NETWORKS[name]
    network = build()
    drawn = diagram(network)
    assert drawn.tasks == tasks
    assert starts(drawn, None) == shared
    modules = [drawn.modules(owner) for owner in (None, *tasks)]
    for task, own in zip(tasks, modules[1:], strict=True):
        if name != "chain":
            assert own == named(network, task)
        assert own
    weights = {name.rpartition(".")[0] for name, p in network.named_parameters() if p.ndim > 1}
    assert weights <= set().union(*modules)
    assert sum(map(len, modules)) == len(set().union(*modules))


def test_umc_shows_what_pathways_receive() -> None:
    cross_talk = {}
    for connectivity in ("shared", "causal", "causal_chain", "dense"):
        drawn = diagram(UMC(2, 3, THREE, connectivity=connectivity, **UNET))
        cross_talk[connectivity] = {(s, t) for s, t, _ in between(drawn, "cross-talk")}
        received = {(t, level) for s, t, level in between(drawn, "skip") if s is None}
        first_only = connectivity == "causal_chain"
        assert received == {(task, level) for task in (["edges"] if first_only else THREE) for level in (0, 1)}
        assert any(block.sums for block in drawn.blocks) == (connectivity == "causal")
    neighbors = {("edges", "segment"), ("segment", "distance")}
    assert cross_talk == {
        "shared": set(),
        "causal": neighbors,
        "causal_chain": neighbors,
        "dense": neighbors | {("edges", "distance")},
    }


def test_losses_train_what_their_gradients_reach() -> None:
    drawn = diagram(UMC(2, 3, THREE, connectivity="dense", **UNET))
    trained_by = {(b.owner, b.kind): b.trained_by for b in drawn.blocks if b.modules}
    assert trained_by["edges", "convolution"] == ("edges", "segment", "distance")
    assert trained_by["segment", "convolution"] == ("segment", "distance")
    assert trained_by["edges", "head"] == ("edges",)

    def denoiser(mode: str) -> tuple[str | None, tuple[str, ...]]:
        unets = [UMC(2, 3, {"denoise": 3}, **UNET), UMC(2, 3, {"segment": 3}, **UNET)]
        encoder = diagram(NetworkChain(unets, via="denoise", training_mode=mode)).blocks[1]
        return encoder.owner, encoder.trained_by

    assert denoiser("joint") == (None, ("denoise", "segment"))
    assert denoiser("detached") == ("denoise", ("denoise",))
    assert denoiser("frozen") == (None, ())


def test_mtunet_talks_across_one_level_or_none() -> None:
    features = {"features": (4, 6, 8, 10)}
    both = diagram(MTUNet(2, 3, TWO, **features))
    assert between(both, "cross-talk") == {("segment", "depth", 1), ("depth", "segment", 1)}
    assert sum(block.kind == "gate" for block in both.blocks) == 8
    none = diagram(MTUNet(2, 3, TWO, cross_talk=False, attention=False, **features))
    assert between(none, "cross-talk") == set()
    assert {block.trained_by for block in none.blocks if block.owner == "depth"} == {("depth",)}
    assert not [block for block in none.blocks if block.kind == "gate"]


def test_mtan_shares_weights_that_every_task_uses_on_its_own_maps() -> None:
    drawn = diagram(MTAN(2, 3, TWO, **SEGNET))
    lanes = [block.lane for block in drawn.blocks if block.modules and not block.owner and block.lane]
    assert sorted(map(str, lanes)) == ["depth"] * 6 + ["segment"] * 6  # a step per level of encoder and decoder
    assert between(drawn, "cross-talk") == set()
    assert {lane for _, lane, _ in between(drawn, "indices")} == {None, "segment", "depth"}
    assert len(diagram(STAN(2, 3, {"segment": 3}, **SEGNET)).tasks) == 1


def test_stitches_are_sums_of_all_tasks_maps() -> None:
    drawn = diagram(CrossStitchSegNet(2, 3, TWO, **SEGNET))
    stitches = [number for number, block in enumerate(drawn.blocks) if block.kind == "mixture"]
    assert len(stitches) == 5
    for stitch in stitches:
        assert {drawn.blocks[c.source].owner for c in drawn.connections if c.target == stitch} == set(TWO)
        assert {drawn.blocks[c.target].owner for c in drawn.connections if c.source == stitch} == set(TWO)


def test_sunet_is_dilated_where_it_is_no_longer_reduced() -> None:
    def scales(stride: int) -> set[tuple[int, int]]:
        blocks = diagram(sunet_64(2, 3, {"segment": 2}, output_stride=stride, **SUNET), 128).blocks
        return {(block.level, block.dilation) for block in blocks if block.modules}

    assert scales(32) == {(level, 1) for level in range(1, 7)}
    assert scales(8) == {(level, 1) for level in range(1, 6)} | {(3, 2), (3, 4), (3, 8)}


def test_a_change_of_the_code_changes_the_drawing() -> None:
    class Leaky(UMC):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            predictions = super().forward(x)
            return predictions | {"segment": predictions["segment"] + predictions["edges"]}

    plain = diagram(UMC(2, 3, THREE, connectivity="shared", **UNET))
    leaky = diagram(Leaky(2, 3, THREE, connectivity="shared", **UNET))
    assert between(plain, "cross-talk") == set()
    assert {(s, t) for s, t, _ in between(leaky, "cross-talk")} == {("edges", "segment")}
    assert {b.trained_by for b in leaky.blocks if b.owner == "edges" and b.modules} == {("edges", "segment")}


def test_a_network_is_left_as_it_was() -> None:
    network = UMC(2, 3, TWO, **UNET).train()
    network.encoder.eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    draw_network(network, (32, 32))
    assert network.training
    assert not network.encoder.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_blocks_and_arrows_have_the_tasks_colors() -> None:
    drawn = diagram(MTUNet(2, 3, TWO, features=(4, 6, 8)))
    axis = draw_diagram(drawn).axes[0]
    colors = task_colors(TWO)
    boxes = [to_hex(patch.get_facecolor()) for patch in axis.patches if isinstance(patch, FancyBboxPatch)]
    expected = [colors.get(b.owner or "", SHARED_COLOR) for b in drawn.blocks if b.kind in ("convolution", "head")]
    assert sorted(boxes) == sorted(expected)
    arrows = [to_hex(patch.get_edgecolor()) for patch in axis.patches if isinstance(patch, FancyArrowPatch)]
    assert len(arrows) == len(drawn.connections)
    talking = [c for c in drawn.connections if c.style == "cross-talk"]
    assert sorted(a for a in arrows if a in colors.values()) == sorted(sender(drawn, c, colors) for c in talking)
    assert sum(isinstance(patch, Circle) for patch in axis.patches) == sum(b.kind == "gate" for b in drawn.blocks)
    assert {text.get_text() for text in axis.texts} >= {"segment\n3 channels", "depth\n1 channel", "1/1", "1/4"}


def sender(drawn: Diagram, connection: Connection, colors: dict[str, str]) -> str:
    return colors[str(drawn.blocks[connection.source].lane)]


def test_the_documentation_has_every_drawing() -> None:
    docs = Path(__file__).parents[2] / "docs"
    pages = "".join(page.read_text() for page in docs.glob("*.md"))
    assert {file.stem for file in docs.glob("images/network_*.png")} == {f"network_{name}" for name in DRAWN}
    assert all(f"images/network_{name}.png" in pages for name in DRAWN)


def test_published_networks_are_drawn_by_name_into_a_new_folder(tmp_path: Path) -> None:
    paths = draw_published(tmp_path / "new", ["segnet"])
    assert paths == [tmp_path / "new" / "network_segnet.png"] == list((tmp_path / "new").iterdir())
    with pytest.raises(ValueError, match="no network 'segnets' to draw; there are umc_shared, "):
        draw_published(tmp_path, ["segnet", "segnets"])
