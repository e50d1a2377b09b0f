"""What is saved of a prediction is measured as the prediction itself."""

import pytest
import torch

from monai_mtunet.tasks import (
    BoundingBoxTask,
    ClassificationTask,
    ColorTask,
    DepthTask,
    DistanceTask,
    EdgeTask,
    InstanceTask,
    NormalsTask,
    QuantityTask,
    RestorationTask,
    SegmentationTask,
    Task,
    TaskList,
)

SEGMENT = SegmentationTask("segment", ["background", "cell", "other cell"], dice=True, f1=True, fwiou=True)
SHAPE = (2, 12, 10)


def labels(high: int, low: int = 0) -> torch.Tensor:
    return torch.randint(low, high, (SHAPE[0], 1, *SHAPE[1:]))


def real(channels: int, scale: float = 1.0) -> torch.Tensor:
    return torch.randn(SHAPE[0], channels, *SHAPE[1:]) * scale


# Each with a prediction, and a target as it is collated.
CASES = {
    "segmentation": lambda: (SEGMENT, real(3), labels(3)),
    "restoration": lambda: (
        RestorationTask("clean", 3, (0, 255), [120, 110, 100], [40, 50, 60], input_metric=False), real(3), real(3)
    ),
    "quantity": lambda: (QuantityTask("height", "m", (0, 9), scale=7), real(1), real(1, 7)),
    "depth": lambda: (DepthTask("depth", scale=10), real(1).abs() + 0.1, real(1, 10).abs() + 0.1),
    "distance": lambda: (DistanceTask("distance", truncate=3, scale=2), real(1), real(1, 4)),
    "normals": lambda: (NormalsTask("normals"), real(3), real(3)),
    "color": lambda: (ColorTask("color"), real(2), real(2).clamp(-1, 1)),
    "edges": lambda: (EdgeTask("edges"), real(1, 3), labels(2)),
    "class": lambda: (ClassificationTask("kind", list("abcdefg")), torch.randn(2, 7), torch.tensor([2, 5])),
    "box": lambda: (
        BoundingBoxTask("box", unit="voxel"),
        torch.tensor([[0.01, 0.02, 0.07, 0.08]]).repeat(2, 1),
        torch.tensor([[1.0, 1, 6, 9], [2, 2, 8, 8]]),
    ),
}  # fmt: skip


def measured(task: Task, predictions: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]) -> dict[str, float]:
    from monai_mtunet.evaluation.meter import Meter

    output = {"image": torch.zeros(SHAPE[0], 1, *SHAPE[1:]), "pred": predictions, "label": targets}
    return Meter([task], 2)([output])


@pytest.mark.parametrize("kind", CASES)
def test_saved_values_are_measured_as_predictions(kind: str) -> None:
    torch.manual_seed(0)
    task, prediction, target = CASES[kind]()
    targets = {task.name: task.prepare_target(target)}
    saved = [task.postprocess(one) for one in prediction]
    if not task.is_dense:
        saved = [task.from_json(task.to_json(values)) for values in saved]
    again = torch.stack([task.undo_postprocess(values) for values in saved])
    expected = measured(task, {task.name: prediction}, targets)
    assert all(value == value for value in expected.values())
    assert measured(task, {task.name: again}, targets) == pytest.approx(expected, rel=1e-5)
    for values, one in zip(saved, again, strict=True):
        torch.testing.assert_close(task.postprocess(one).to(values.dtype), values, rtol=1e-5, atol=1e-5)


def test_instances_are_measured_with_their_classes() -> None:
    torch.manual_seed(0)
    task = TaskList([SEGMENT, InstanceTask("instances", "segment", method="components")])[1]
    assert task.measured_with == ("segment",)
    classes, ids = real(3), labels(9)
    targets = {"segment": labels(3), "instances": task.prepare_target(ids)}
    predicted = labels(9).int()
    saved = {
        "segment": torch.stack([SEGMENT.undo_postprocess(SEGMENT.postprocess(one)) for one in classes]),
        "instances": torch.stack([task.undo_postprocess(task.postprocess(one)) for one in predicted]),
    }
    expected = measured(task, {"segment": classes, "instances": predicted}, targets)
    assert measured(task, saved, targets) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("kind", ["restoration", "color"])
def test_targets_in_the_units_of_files_are_as_loaded(kind: str) -> None:
    task, _, target = CASES[kind]()
    torch.testing.assert_close(task.target_of_values(task.values_of_target(target[0])), target[0])


def test_what_cannot_have_been_saved_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'segment': a label map has one channel of class numbers 0\.\.2, got \[3\]"):
        SEGMENT.undo_postprocess(torch.tensor([[[0, 3]]]))
    with pytest.raises(ValueError, match="got 3 channels"):
        SEGMENT.undo_postprocess(torch.zeros(3, 2, 2))
    with pytest.raises(ValueError, match="probabilities are within"):
        EdgeTask("edges").undo_postprocess(torch.tensor([[[1.5]]]))
    with pytest.raises(ValueError, match="has 2 classes"):
        ClassificationTask("kind", ["a", "b"]).undo_postprocess(torch.rand(3))
    with pytest.raises(ValueError, match="unit 'normalized', the box in 'voxel'"):
        BoundingBoxTask("box").from_json(BoundingBoxTask("box", unit="voxel").to_json(torch.rand(4)))


def test_a_kind_that_does_not_say_so_is_told_to() -> None:
    class Own(QuantityTask):
        undo_postprocess = Task.undo_postprocess

    with pytest.raises(NotImplementedError, match="'own': Own does not say how saved values are measured"):
        Own("own", "m", (0, 1)).undo_postprocess(torch.zeros(1, 2, 2))
