"""Averaging over scales and flips, against what the paper's procedure gives by hand."""

import json
import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from all_tasks import SEGMENT, TASKS, AllTasks
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset, MetaTensor

from monai_mtunet.engines import MultiTaskEvaluator
from monai_mtunet.inferers import MultiScaleFlipInferer, MultiTaskSlidingWindowInferer
from monai_mtunet.tasks import (
    DepthTask,
    DistanceTask,
    NormalsTask,
    SegmentationTask,
    TaskList,
)
from monai_mtunet.transforms import RandFlipGeometryd


@pytest.fixture(autouse=True)
def no_grad():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


def close(actual, expected):
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(9, 14), (5, 7, 6)])
def test_one_scale_without_flips_is_the_network_itself(size):
    network, image = AllTasks(len(size)), torch.randn(2, 1, *size)
    result = MultiScaleFlipInferer(TASKS, scales=[1])(MetaTensor(image), network)
    expected = network(image)
    assert list(result) == list(expected)
    for name in ("denoise", "depth"):
        close(result[name], expected[name])
    for name in ("segment", "classify"):
        close(result[name], expected[name].log_softmax(1))
    close(result["normals"], F.normalize(expected["normals"], dim=1))
    for task in TASKS:  # in each image what is saved is the same
        saved, plain = task.postprocess(result[task.name][1]), task.postprocess(expected[task.name][1])
        assert saved.dtype == plain.dtype
        close(saved, plain)


@pytest.mark.parametrize("size", [(8, 11), (4, 6, 5)])
def test_flips_change_nothing_for_a_network_that_knows_them(size):
    network, image = AllTasks(len(size), kernel_size=1), torch.randn(1, 1, *size)
    network.heads["normals"].weight.zero_()
    network.heads["normals"].bias[:2] = 0  # only along z, which is no axis of an image
    axes = (0, 1)
    plain = MultiScaleFlipInferer(TASKS, scales=[1])(image, network)
    flipped = MultiScaleFlipInferer(TASKS, scales=[1], flip_axes=axes)(image, network)
    for name in ("denoise", "depth", "normals"):
        close(flipped[name], plain[name])
    for name in ("segment", "classify"):  # four logits are summed, so that probabilities sharpen
        close(flipped[name], (4 * plain[name]).log_softmax(1))


def test_logits_are_summed_before_the_softmax_and_scales_averaged_after_it():
    """One pixel of logits (0, 1), and (0, 3) when flipped; twice as large, (0, -1) and (0, -2)."""

    def network(x):
        wide = x.shape[-1] == 2
        flipped = bool(x[0, 0, 0, 0] > x[0, 0, 0, -1]) if wide else bool(x[0, 0, 0, 0] > x[0, 0, 0, 3])
        logit = {(True, False): 1.0, (True, True): 3.0, (False, False): -1.0, (False, True): -2.0}[wide, flipped]
        return {"segment": torch.stack([torch.zeros_like(x[:, 0]), torch.full_like(x[:, 0], logit)], dim=1)}

    task = SegmentationTask("segment", ["a", "b"])
    inferer = MultiScaleFlipInferer([task], scales=[1, 2], flip_axes=[1])
    result = inferer(torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]]), network)["segment"]
    expected = (torch.tensor(1.0 + 3.0).sigmoid() + torch.tensor(-1.0 - 2.0).sigmoid()) / 2
    close(result.exp()[:, 1], expected.expand(1, 2, 2))
    close(result.exp().sum(1), torch.ones(1, 2, 2))


@pytest.mark.parametrize("size", [(13, 17), (5, 9, 7)])
def test_scales_step_by_step(size):
    """Against the procedure written out: resize, predict, softmax, resize back, renormalize, average."""
    network, image = AllTasks(len(size)), torch.randn(2, 1, *size)
    mode = "bilinear" if len(size) == 2 else "trilinear"
    probabilities = torch.zeros(2, 3, *size)
    for scale in (0.5, 1.25):
        small = [round(scale * n) for n in size]
        logits = network(F.interpolate(image, size=small, mode=mode))["segment"]
        back = F.interpolate(logits.softmax(1), size=size, mode=mode)
        probabilities += back / back.sum(1, keepdim=True) / 2
    result = MultiScaleFlipInferer(TASKS, scales=[0.5, 1.25])(image, network)
    close(result["segment"].exp(), probabilities)
    assert {name: values.shape[2:] for name, values in result.items()} == {
        **dict.fromkeys(["segment", "normals", "depth", "denoise"], torch.Size(size)),
        "classify": torch.Size([]),
    }
    assert (result["normals"].norm(dim=1) <= 1 + 1e-5).all()


def test_windows_are_merged_as_probabilities():
    network, image = AllTasks(), torch.randn(1, 1, 8, 12)
    windows = MultiTaskSlidingWindowInferer(roi_size=(8, 8), overlap=0.5, tasks=TASKS)
    result = MultiScaleFlipInferer(TASKS, scales=[1], flip_axes=[1], inferer=windows)(image, network)["segment"]
    parts = [image[..., :8], image[..., 4:]]
    left, right = ((network(x)["segment"] + network(x.flip(3))["segment"].flip(3)).softmax(1) for x in parts)
    close(result.exp()[..., :4], left[..., :4])
    close(result.exp()[..., 4:8], (left[..., 4:] + right[..., :4]) / 2)


def test_windows_342_pixels_apart():
    starts = []

    def network(x):
        starts.append(x[0, 0, 0, 0].item())
        return {"denoise": x}

    image = torch.arange(900.0).expand(1, 1, 512, 900)
    windows = MultiTaskSlidingWindowInferer(roi_size=(512, 512), overlap=0.332)
    MultiScaleFlipInferer(TASKS[:1], scales=[1], inferer=windows)(image, network)
    assert starts == [0, 342, 900 - 512]


@pytest.mark.parametrize(("shape", "expected"), [((20, 30), (8, 12)), ((5, 4), (10, 8)), ((4, 8, 6), (8, 16, 12))])
def test_the_shorter_side(shape, expected):
    sizes = []

    def network(x):
        sizes.append(tuple(x.shape[2:]))
        return {"denoise": x}

    MultiScaleFlipInferer(TASKS[:1], scales=[0.5], shorter_side=16)(torch.zeros(1, 1, *shape), network)
    assert sizes == [expected]


@pytest.mark.parametrize("quantity", ["depth", "disparity"])
def test_a_zoomed_image_looks_nearer(quantity):
    """A network that knows sizes: the object spans all columns, at a distance of 100 / its width."""

    def network(x):
        width = x.shape[-1]
        distances = {"depth": 100 / width, "disparity": width / 100}
        return {quantity: torch.full_like(x, distances[quantity]), "distance": torch.full_like(x, width / 2)}

    tasks = [DepthTask(quantity, quantity=quantity), DistanceTask("distance", unit="mm")]
    image = torch.zeros(1, 1, 8, 20)
    result = MultiScaleFlipInferer(tasks, scales=[0.5, 1, 2], shorter_side=16)(image, network)
    for name, values in network(image).items():
        close(result[name], values)


@pytest.mark.parametrize(("size", "axes"), [((4, 6), (0, 1)), ((3, 5, 4), (0, 1, 2))])
def test_normals_turn_as_the_augmentation_turns_targets(size, axes):
    task, vectors = NormalsTask("normals"), torch.randn(3, *size)
    for axis in axes:
        flip = RandFlipGeometryd(TaskList([task]), prob=1, spatial_axis=axis)
        flipped = torch.as_tensor(flip({"image": vectors[:1], "normals": vectors})["normals"])
        assert not torch.equal(flipped, vectors)
        close(task.undo_flip(flipped.flip(axis + 1)[None], axis)[0], vectors)


@pytest.mark.parametrize("size", [(7, 9), (5, 6, 7)])
def test_gradients_are_the_same_in_every_flip(size):
    """The image's own gradient as normals: it turns with the image, so that flips may change nothing."""

    def network(x):
        axes = (3, 2) if x.ndim == 4 else (2, 3, 4)  # x, y (and z) are along these axes
        vectors = [torch.gradient(x, dim=axis)[0] for axis in axes]
        return {"normals": torch.cat([*vectors, torch.ones_like(x)][:3], dim=1)}

    image = torch.randn(1, 1, *size)
    tasks, axes = [NormalsTask("normals")], range(len(size))
    result = MultiScaleFlipInferer(tasks, scales=[1], flip_axes=axes)(image, network)["normals"]
    close(result, F.normalize(network(image)["normals"], dim=1))


def test_a_flat_direction_has_no_component_along_the_third_axis():
    with pytest.raises(ValueError, match="'normals': its vectors of 2 components have none along spatial axis 2"):
        NormalsTask("normals", channels=2).undo_flip(torch.zeros(1, 2, 3, 3, 3), 2)


def test_impossible_settings_are_named():
    with pytest.raises(ValueError, match=r"scales must hold positive factors, got \(1, 0\)"):
        MultiScaleFlipInferer(TASKS, scales=(1, 0))
    with pytest.raises(ValueError, match=r"scales must hold positive factors, got \(\)"):
        MultiScaleFlipInferer(TASKS, scales=())
    with pytest.raises(ValueError, match="shorter_side must be at least 1, got 0"):
        MultiScaleFlipInferer(TASKS, shorter_side=0)
    with pytest.raises(ValueError, match=r"flip_axes \[2\] are no axes of an image with 2 spatial axes \(0..1\)"):
        MultiScaleFlipInferer(TASKS, flip_axes=[1, 2])(torch.zeros(1, 1, 4, 4), AllTasks())
    with pytest.raises(ValueError, match=r"predicts \['depth', 'denoise', 'classify'\].*\['segment', 'normals'\]"):
        MultiScaleFlipInferer([SEGMENT, TASKS[3]], scales=[1])(torch.zeros(1, 1, 4, 4), AllTasks())


def test_negative_axes_count_from_the_end():
    network, image = AllTasks(), torch.randn(1, 1, 6, 5)
    expected = MultiScaleFlipInferer(TASKS, scales=[1], flip_axes=[1])(image, network)
    result = MultiScaleFlipInferer(TASKS, scales=[1], flip_axes=[-1, 1])(image, network)
    for name, values in expected.items():
        assert torch.equal(result[name], values)


def test_certain_classes_stay_finite():
    def network(x):
        return {"segment": torch.cat([1e4 * torch.ones_like(x), torch.zeros_like(x), -x], dim=1)}

    result = MultiScaleFlipInferer([SEGMENT], scales=[1])(torch.zeros(1, 1, 4, 4), network)["segment"]
    assert result.isfinite().all()
    assert (result.argmax(1) == 0).all()


def test_metrics_and_losses_take_its_results():
    """In MONAI's evaluator, one scale measures what the network measures; several and flips give finite values."""
    sample = {
        "image": torch.rand(1, 16, 20),
        "denoise": torch.rand(1, 16, 20),
        "segment": torch.randint(0, 3, (1, 16, 20)),
        "depth": torch.rand(1, 16, 20) + 1,
        "normals": torch.randn(3, 16, 20),
        "classify": torch.tensor([1]),
    }
    network, measured = AllTasks(), []
    one = MultiScaleFlipInferer(TASKS, scales=[1])
    for inferer in (None, one, MultiScaleFlipInferer(TASKS, scales=[0.5, 1.25], flip_axes=[0, 1])):
        evaluator = MultiTaskEvaluator(
            tasks=TASKS,
            device=torch.device("cpu"),
            val_data_loader=DataLoader(Dataset([sample]), batch_size=1),
            network=network,
            inferer=inferer,
            key_val_metric=TASKS.metrics(2, "segment_miou"),
        )
        evaluator.run()
        measured.append(evaluator.state.metrics)
        output = evaluator.state.output
        loss = sum(task.loss()(output["pred"][task.name], output["label"][task.name]) for task in TASKS)
        assert loss.isfinite()
    assert measured[1] == pytest.approx(measured[0], rel=1e-4, nan_ok=True)
    assert measured[2].keys() == measured[0].keys()
    assert measured[2] != measured[0]


def test_the_documented_configuration_is_the_papers():
    text = (Path(__file__).parents[3] / "docs" / "tasks.md").read_text()
    block = next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "MultiScaleFlip" in block)
    config = {**json.loads(f"{{{block}}}"), "active_tasks": TASKS}
    inferer = ConfigParser(config).get_parsed_content("inferer")
    assert type(inferer) is MultiScaleFlipInferer
    assert inferer.scales == MultiScaleFlipInferer(TASKS).scales == (0.5, 0.75, 1, 1.25)
    assert inferer.inferer.roi_size == [512, 512]
