"""Box, edges and color beside a segmentation: from transforms through a real network to metrics, panels and files."""

import json
import math

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, RandFlipd

from monai_mtunet.engines import (
    MultiTaskEvaluator,
    MultiTaskPredictor,
    MultiTaskTrainer,
    PanelHandler,
    TaskLossHandler,
)
from monai_mtunet.inferers import MultiScaleFlipInferer, TaskPostprocessing
from monai_mtunet.losses import MultiTaskLoss
from monai_mtunet.networks import MTAN
from monai_mtunet.tasks import BoundingBoxTask, ColorTask, EdgeTask, SegmentationTask, TaskList
from monai_mtunet.transforms import BoxOfMaskd, CannyEdgesd, PaintBoxd, SplitColord

BOX = [3.0, 2.0, 0.0, 9.0, 11.0, 3.0]  # the third axis only of volumes


def tasks_of(dims):
    color = [ColorTask("color")] if dims == 2 else []
    segment = SegmentationTask("segment", ["back", "front"])
    return TaskList([segment, BoundingBoxTask("box", dims), EdgeTask("edges"), *color])


def sample(dims, box=True):
    """A bright box on a dark ground, without its coordinates unless told."""
    size, corners = (12, 16, 4)[:dims], torch.tensor(BOX).view(2, 3)[:, :dims]
    inside = tuple(slice(int(start), int(stop)) for start, stop in corners.T)
    segment = torch.zeros(1, *size, dtype=torch.int16)
    segment[(0, *inside)] = 1
    image = (50 + 150 * segment.float()).expand(3 if dims == 2 else 1, *size).contiguous()
    missing = torch.full((2 * dims,), torch.nan)
    image = MetaTensor(image, meta={"filename_or_obj": "a/scene.png"})
    return {"image": image, "segment": segment, "box": corners.flatten() if box else missing}


def transforms(dims, flip=0.0):
    tasks, keys = tasks_of(dims), ["image", "segment", "box"]
    steps = [PaintBoxd(tasks), RandFlipd(keys, flip, 1), BoxOfMaskd(tasks), CannyEdgesd("image", "edges", slice_axis=2)]
    return Compose([*steps, *([SplitColord("image", "color")] if dims == 2 else [])])


def network_of(tasks, dims):
    torch.manual_seed(0)
    return MTAN(
        dims,
        1,
        tasks.out_channels,
        tasks.out_features,
        features=(4, 6),
        convolutions=(1, 1),
        strides=(2, 2),
        attention="encoder",
        pooled_size=2,
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_train_evaluate_and_draw(dims, tmp_path):
    tasks = tasks_of(dims)
    network, loss = network_of(tasks, dims), MultiTaskLoss(tasks.losses())
    data = Dataset([sample(dims), sample(dims, box=False)] * 2, transforms(dims, flip=0.5))
    trainer = MultiTaskTrainer(
        tasks=tasks,
        device=torch.device("cpu"),
        max_epochs=4,
        train_data_loader=DataLoader(data, batch_size=4),
        network=network,
        optimizer=torch.optim.Adam(network.parameters(), 0.02),
        loss_function=loss,
        train_handlers=[TaskLossHandler(loss)],
    )
    evaluator = MultiTaskEvaluator(
        tasks=tasks,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset([sample(dims), sample(dims, box=False)], transforms(dims)), batch_size=2),
        network=network,
        key_val_metric=tasks.metrics(dims, "box_iou"),
        val_handlers=[PanelHandler(tasks, tmp_path, samples=1, interval=2)],
    )
    evaluator.run(1)
    before = dict(evaluator.state.metrics)
    trainer.run()
    evaluator.run(2)
    after = evaluator.state.metrics
    assert {"box_iou", "box_l2", "edges_f", "edges_precision", "edges_recall", "segment_miou"} <= set(after)
    assert all(math.isfinite(value) for value in after.values())
    assert after["box_l2"] < before["box_l2"]
    assert (tmp_path / "epoch_0002.png").is_file()


def test_files_hold_boxes_with_their_unit_and_probabilities_of_edges(tmp_path):
    tasks = tasks_of(2)
    network = network_of(tasks, 2).eval()
    preprocessing = Compose([SplitColord("image", "color")])
    data = Dataset([{"image": sample(2)["image"]}], preprocessing)
    MultiTaskPredictor(
        tasks=tasks,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(data, batch_size=1),
        network=network,
        postprocessing=TaskPostprocessing(tasks, tmp_path, preprocessing),
    ).run()
    with torch.no_grad():
        expected = network(data[0]["image"].as_tensor()[None])
    content = json.loads((tmp_path / "scene_box.json").read_text())
    assert content["unit"] == "normalized"
    assert list(content["box"]) == ["top", "left", "bottom", "right"]
    assert list(content["box"].values()) == pytest.approx(expected["box"][0].tolist(), abs=1e-5)
    edges, color = np.load(tmp_path / "scene_edges.npy"), np.load(tmp_path / "scene_color.npy")
    np.testing.assert_allclose(edges, expected["edges"][0, 0].sigmoid(), atol=1e-5)
    np.testing.assert_allclose(color, expected["color"][0] * 128, atol=1e-3)
    assert (tmp_path / "scene_panel.png").is_file()


class Finds(torch.nn.Module):
    """A network that finds the box around what is bright."""

    def __init__(self, tasks):
        super().__init__()
        self.find = BoxOfMaskd(tasks)

    def forward(self, image):
        masks = (image > 100).to(torch.int16)
        return {"box": torch.stack([self.find({"box": mask})["box"] for mask in masks])}


@pytest.mark.parametrize("dims", [2, 3])
def test_flips_are_undone_of_boxes(dims):
    tasks = TaskList([BoundingBoxTask("box", dims)])
    network = Finds(tasks)
    image = sample(dims)["image"].as_tensor()[None, :1]
    inferer = MultiScaleFlipInferer(tasks, scales=(1.0,), flip_axes=list(range(dims)))
    torch.testing.assert_close(inferer(image, network)["box"], network(image)["box"])
