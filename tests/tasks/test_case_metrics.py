"""What metrics of a data set are of a single image."""

import math

import pytest
import torch

from monai_mtunet.tasks import (
    ClassificationTask,
    EdgeTask,
    InstanceTask,
    RestorationTask,
    SegmentationTask,
    TaskList,
)
from monai_mtunet.tasks.case_metrics import CaseMetrics

NAN = math.nan


def one_hot(labels, classes):
    """Logits (B, classes, H, W) of labels (B, 1, H, W)."""
    return torch.nn.functional.one_hot(labels[:, 0].clamp(max=classes - 1), classes).movedim(-1, 1).float()


def measured(tasks, image=None, **maps):
    """The metrics of each image, of {task: (prediction, target)}."""
    output = {
        "image": torch.zeros(len(next(iter(maps.values()))[0]), 1, 2, 2) if image is None else image,
        "pred": {name: prediction for name, (prediction, _) in maps.items()},
        "label": {name: target for name, (_, target) in maps.items()},
    }
    return CaseMetrics(TaskList(tasks), 2)(output)


def test_classes_of_each_image():
    target = torch.tensor([[[[0, 0], [1, 1]]], [[[0, 0], [0, 255]]], [[[255, 255], [255, 255]]]])
    predicted = torch.tensor([[[[0, 1], [1, 1]]], [[[0, 0], [0, 2]]], [[[0, 1], [2, 2]]]])
    task = SegmentationTask("segment", ["a", "b", "c"], dice=True)
    first, second, third = measured([task], segment=(one_hot(predicted, 3), target))
    # Of the first 1 of 2 and 2 of 3; class c neither occurs nor is predicted.
    assert first == pytest.approx(
        {"segment_miou": (1 / 2 + 2 / 3) / 2, "segment_accuracy": 3 / 4, "segment_iou_a": 1 / 2,
         "segment_iou_b": 2 / 3, "segment_iou_c": NAN}, nan_ok=True,
    )  # fmt: skip
    assert (second["segment_miou"], second["segment_accuracy"]) == (1, 1)
    assert all(map(math.isnan, third.values()))


def test_one_class_per_image():
    task = ClassificationTask("classify", [str(number) for number in range(6)])
    logits = torch.eye(6)[[0, 1, 2]] * 2 + torch.eye(6)[[3, 3, 3]]
    cases = measured([task], classify=(logits, torch.tensor([[0], [3], [-1]])))
    assert [case["classify_accuracy"] for case in cases] == pytest.approx([1, 0, NAN], nan_ok=True)
    assert [case["classify_top5_error"] for case in cases] == pytest.approx([0, 0, NAN], nan_ok=True)


def test_edges_of_each_image_are_at_its_own_best_threshold():
    target = torch.tensor([[[[1, 0, 0, 0]]], [[[1, 0, 0, 0]]], [[[0, 0, 0, 0]]]])
    probability = torch.tensor([[[[0.9, 0.5, 0.1, 0.1]]], [[[0.3, 0.1, 0.2, 0.1]]], [[[0.9, 0.1, 0.1, 0.1]]]])
    cases = measured([EdgeTask("edges", tolerance=0)], edges=(probability.logit(), target))
    assert [case["edges_f"] for case in cases] == pytest.approx([1, 1, NAN], nan_ok=True)


def test_objects_of_each_image():
    segment = SegmentationTask("segment", ["background", "cell"])
    true = torch.tensor([[[[1, 1, 0, 2]]], [[[1, 1, 0, 2]]], [[[-1, -1, -1, -1]]]])
    found = torch.tensor([[[[4, 4, 0, 7]]], [[[4, 4, 0, 0]]], [[[4, 4, 0, 0]]]])
    classes = (found > 0).long()
    cases = measured(
        [segment, InstanceTask("instances", "segment", method="components")],
        segment=(one_hot(classes, 2), torch.where(true > 0, 1, 0).where(true >= 0, 255)), instances=(found, true),
    )  # fmt: skip
    assert [case["instances_pq"] for case in cases] == pytest.approx([1, 2 / 3, NAN], nan_ok=True)
    assert [case["instances_split"] for case in cases] == pytest.approx([0, 0, NAN], nan_ok=True)


def test_means_over_images_are_left_to_who_keeps_them():
    tasks = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["a", "b"], dice=True)])
    assert set(CaseMetrics(tasks, 2).names) == {"segment_miou", "segment_accuracy", "segment_iou_a", "segment_iou_b"}
