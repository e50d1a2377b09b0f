"""Attention masks, read from networks and drawn by a handler on a real MONAI evaluator."""

import logging
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from monai.data import DataLoader, Dataset
from monai.inferers import SlidingWindowInferer
from monai.utils import CommonKeys
from PIL import Image
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from monai_mtunet.engines import AttentionMaskHandler, MultiTaskEvaluator
from monai_mtunet.engines.handlers.attention_masks import draw_attention_masks, read_attention_masks
from monai_mtunet.networks import MTUNet
from monai_mtunet.networks.blocks.attention_gate import AttentionGate
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["background", "object"])])
NAMES = ["denoise", "segment"]
FEATURES = (4, 6, 8)


def network(spatial_dims: int = 2, **arguments: Any) -> MTUNet:
    torch.manual_seed(0)
    return MTUNet(spatial_dims, 1, {"denoise": 1, "segment": 2}, FEATURES, **arguments)


def hooks(module: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in module.modules())


@pytest.mark.parametrize("size", [(16, 24), (16, 24, 9)], ids=str)
def test_reads_the_channel_mean_of_every_gates_mask_coarsest_first(size: tuple[int, ...]) -> None:
    net = network(len(size))
    expected: dict[str, list[Tensor]] = {name: [] for name in NAMES}
    image = torch.rand(2, 1, *size)
    net.eval()
    handles = [
        level.blocks[name].attention.mask.register_forward_hook(lambda m, a, y, name=name: expected[name].append(y))
        for level in net.levels
        for name in NAMES
    ]
    with torch.no_grad():
        net(image)
    for handle in handles:
        handle.remove()
    masks = read_attention_masks(net, image, NAMES)
    assert list(masks) == NAMES
    for name in NAMES:
        assert [tuple(m.shape[2:]) for m in masks[name]] == [tuple(n >> i for n in size) for i in (2, 1, 0)]
        for actual, mask in zip(masks[name], expected[name], strict=True):
            assert torch.equal(actual, mask.mean(1, keepdim=True))
            assert 0 < actual.min() < actual.max() < 1


def test_leaves_the_network_as_it_was() -> None:
    net = network().train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    masks = read_attention_masks(net, torch.rand(2, 1, 16, 16), NAMES)
    assert hooks(net) == 0
    assert all(module.training for module in net.modules())
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert not any(mask.requires_grad for of_task in masks.values() for mask in of_task)


def test_hooks_are_removed_when_the_network_fails() -> None:
    net = network().train()
    with pytest.raises(ValueError, match="got a tensor of shape"):
        read_attention_masks(net, torch.rand(2, 3, 16, 16), NAMES)
    assert hooks(net) == 0
    assert net.training


class Other(nn.Module):
    """Gates elsewhere, in another order, shared by all tasks or of one that is not declared."""

    def __init__(self) -> None:
        super().__init__()
        self.segment = nn.ModuleList([AttentionGate(2, 1, 1) for _ in range(2)])
        self.gates = nn.ModuleDict({name: AttentionGate(2, 1, 1, kernel_size=1) for name in ("denoise", "both")})

    def forward(self, x: Tensor) -> Tensor:
        first = self.gates["both"](x, x)
        half = nn.functional.avg_pool2d(self.segment[1](first, x), 2)
        return self.segment[0](half, self.gates["denoise"](half, half))


def test_any_networks_gates_are_found_by_class_and_place() -> None:
    masks = read_attention_masks(Other(), torch.rand(1, 1, 8, 8), NAMES)
    sizes = {task: [m.shape[-1] for m in of_task] for task, of_task in masks.items()}
    assert sizes == {"denoise": [4], "segment": [8, 4], "all tasks": [8]}


def test_a_task_named_as_the_gates_attribute_takes_its_own_masks_alone() -> None:
    net = MTUNet(2, 1, {"attention": 1, "segment": 2}, FEATURES)
    gates = {name: level.blocks[name].attention for name in ("attention", "segment") for level in net.levels[-1:]}
    finest: dict[str, Tensor] = {}
    for name, gate in gates.items():
        gate.mask.register_forward_hook(lambda m, a, y, name=name: finest.update({name: y.mean(1, keepdim=True)}))
    masks = read_attention_masks(net, torch.rand(1, 1, 16, 16), ["attention", "segment"])
    assert {task: len(of_task) for task, of_task in masks.items()} == {"attention": 3, "segment": 3}
    for name, mask in finest.items():
        assert any(torch.equal(mask, other) for other in masks[name])
    assert set(read_attention_masks(net, torch.rand(1, 1, 16, 16), ["attention"])) == {"attention", "all tasks"}


def test_a_network_without_gates_has_no_masks() -> None:
    assert read_attention_masks(network(attention=False), torch.rand(1, 1, 8, 8), NAMES) == {}


@pytest.mark.parametrize("size", [(16, 24), (16, 24, 9)], ids=str)
def test_draws_a_row_per_sample_and_task_on_one_stated_scale(size: tuple[int, ...]) -> None:
    images = [torch.rand(1, *size) for _ in range(2)]
    masks: list[dict[str, list[Tensor]]] = [
        {"denoise": [torch.full((1, *size), 0.25), torch.full((1, *size), 0.75)], "segment": [torch.zeros(1, *size)]}
    ] * 2
    figure = draw_attention_masks(TASKS, images, masks, title="epoch 7")
    *cells, bar = figure.axes
    assert len(cells) == 2 * 2 * 3
    assert [cell.get_ylabel() for cell in cells[::3]] == ["denoise", "segment"] * 2
    extent = " x ".join(map(str, size))
    assert cells[1].get_title() == f"{extent}: 0.25 to 0.25"
    assert (bar.get_xlim(), bar.get_xlabel()) == ((0, 1), "channel mean of the attention mask")
    for i, viridis in ((1, [59, 82, 139]), (2, [94, 201, 98]), (4, [68, 1, 84])):
        assert cells[i].images[0].get_array()[0, 0].tolist() == pytest.approx(viridis, abs=1)
    assert not cells[5].images  # segment has one mask less
    assert cells[0].images[0].get_array().shape[:2] == cells[1].images[0].get_array().shape[:2]


def test_the_scale_can_be_narrowed() -> None:
    masks: list[dict[str, list[Tensor]]] = [{"denoise": [torch.full((1, 4, 4), 0.4)]}]
    figure = draw_attention_masks(TASKS, [torch.rand(1, 4, 4)], masks, value_range=(0.4, 0.6))
    assert figure.axes[1].images[0].get_array()[0, 0].tolist() == [68, 1, 84]
    assert figure.axes[2].get_xlim() == (0.4, 0.6)


class Writer:
    def __init__(self) -> None:
        self.images: list[tuple[str, tuple[int, ...], int]] = []

    def add_image(self, tag: str, image: Any, step: int, dataformats: str) -> None:
        assert dataformats == "HWC"
        self.images.append((tag, image.shape, step))


def evaluator(net: nn.Module, handler: AttentionMaskHandler, size: tuple[int, ...], inferer: Any = None) -> Any:
    data = [
        {"image": torch.rand(1, *size), "denoise": torch.rand(1, *size), "segment": torch.zeros(1, *size).byte()}
        for _ in range(4)
    ]
    return MultiTaskEvaluator(
        tasks=TASKS,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset(data), batch_size=2),
        network=net,
        inferer=inferer,
        key_val_metric=TASKS.metrics(len(size), "segment_miou"),
        val_handlers=[handler],
    )


def count_calls(net: nn.Module) -> list[int]:
    calls: list[int] = []
    net.register_forward_pre_hook(lambda module, args: calls.append(len(args[0])))
    return calls


def test_the_handler_draws_the_first_samples_of_every_interval(tmp_path: Path) -> None:
    net, writer = network(), Writer()
    handler = AttentionMaskHandler(net, TASKS, tmp_path, writer, samples=3, interval=2)  # type: ignore[arg-type]
    engine = evaluator(net, handler, (16, 24))
    calls = count_calls(net)
    for epoch in (1, 2, 3, 4):
        engine.run(epoch)
    assert calls == 2 * [2, 2, 2, 2, 1, 1, 1]  # two batches an epoch, and three samples once more every other epoch
    assert sorted(file.name for file in tmp_path.iterdir()) == ["epoch_0002.png", "epoch_0004.png"]
    width, height = Image.open(tmp_path / "epoch_0002.png").size
    assert writer.images == [("attention", (height, width, 3), epoch) for epoch in (2, 4)]
    assert hooks(net) == 1  # the test's own


def test_volumes_in_sliding_windows_show_their_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(3)
    handler = AttentionMaskHandler(net, TASKS, tmp_path, samples=1, spatial_size=(8, 8, 8))
    engine = evaluator(net, handler, (16, 16, 12), SlidingWindowInferer(roi_size=(8, 8, 8), sw_batch_size=4))
    seen: list[Tensor] = []
    net.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    engine.run(1)
    assert (tmp_path / "epoch_0001.png").is_file()
    first = engine.data_loader.dataset[0]["image"]
    assert torch.equal(seen[-1], first[None, :, 4:12, 4:12, 2:10])


def test_predictions_are_those_without_the_handler(tmp_path: Path) -> None:
    predictions = []
    for samples in (0, 1):
        net = network()
        torch.manual_seed(1)
        engine = evaluator(net, AttentionMaskHandler(net, TASKS, tmp_path / str(samples), samples=samples), (16, 16))
        for epoch in (1, 2):
            engine.run(epoch)
        predictions.append(engine.state.output[CommonKeys.PRED])
    assert list(tmp_path.iterdir()) == [tmp_path / "1"]
    torch.testing.assert_close(*predictions, rtol=0, atol=0)


def test_a_network_without_gates_is_told_once_and_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    net = network(attention=False)
    with caplog.at_level(logging.WARNING):
        engine = evaluator(net, AttentionMaskHandler(net, TASKS, tmp_path), (16, 16))
        calls = count_calls(net)
        engine.run(1)
    assert [r.message for r in caplog.records if "attention" in r.message] == [
        "MTUNet has no attention gates: no masks are drawn."
    ]
    assert calls == [2, 2]
    assert list(tmp_path.iterdir()) == []


def test_the_network_is_taken_out_of_its_distributed_wrapper(tmp_path: Path) -> None:
    # Called on one rank alone, the wrapper would wait for the others.
    net = network()
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        assert AttentionMaskHandler(DistributedDataParallel(net), TASKS, tmp_path).network is net
    finally:
        dist.destroy_process_group()


def test_other_ranks_draw_nothing(tmp_path: Path) -> None:
    net = network()
    engine = evaluator(net, AttentionMaskHandler(net, TASKS, tmp_path), (16, 16))
    engine.state.rank = 1
    calls = count_calls(net)
    engine.run(1)
    assert calls == [2, 2]
    assert list(tmp_path.iterdir()) == []
