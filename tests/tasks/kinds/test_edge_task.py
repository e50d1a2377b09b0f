import numpy as np
import pytest
import torch

from monai_mtunet.losses import BalancedEdgeLoss
from monai_mtunet.tasks import EdgeTask, TaskList


@pytest.mark.parametrize("spatial", [(6, 6), (6, 6, 3)])
def test_metrics_are_of_the_data_set(spatial, measure):
    task = EdgeTask("edges", tolerance=1)
    target = torch.zeros(3, 1, *spatial, dtype=torch.int16)
    target[:, :, 2] = 1
    target[:, :, 5] = 255
    logits = torch.full((3, 1, *spatial), -5.0)
    logits[:2, :, 3] = 2.0  # within the tolerance
    logits[:2, :, 5] = 2.0  # nobody knows
    assert measure(task, logits, target) == pytest.approx(
        {"edges_f": 2 * (2 / 3) / (1 + 2 / 3), "edges_precision": 1, "edges_recall": 2 / 3}
    )


def test_without_any_target_metrics_are_nan(measure):
    metrics = measure(EdgeTask("edges"), torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 255))
    assert all(np.isnan(value) for value in metrics.values())


def test_the_higher_is_the_better():
    assert TaskList([EdgeTask("edges")]).metric_cmp_fn("edges_f")(0.8, 0.7)


def test_learns_by_the_balanced_loss_of_its_missing_label():
    loss = EdgeTask("edges", ignore_index=9).loss()
    assert isinstance(loss, BalancedEdgeLoss)
    assert loss.ignore_index == 9


def test_is_saved_and_drawn_as_probabilities():
    task = EdgeTask("edges")
    saved = task.postprocess(torch.tensor([[[-50.0, 0.0, 50.0]]]))
    assert saved.flatten().tolist() == pytest.approx([0, 0.5, 1])
    target = task.values_of_target(task.prepare_target(torch.tensor([[[[0, 1, 255]]]]))[0])
    none, edge, missing = task.draw(target)[0].tolist()
    assert [none, edge] == task.draw(saved)[0, [0, 2]].tolist()
    assert sum(none) < sum(edge) < sum(missing) == 3 * 255
    assert task.missing_value().tolist() == [255]
    assert task.metadata(3)["value_range"] == [0, 1]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (torch.tensor([[[[2]]]]), r"label\(s\) \[2\] are neither"),
        (torch.tensor([[[[0.5]]]]), "whole numbers"),
        (torch.zeros(1, 2, 1, 1), r"one channel .* got \(1, 2, 1, 1\)"),
    ],
)
def test_wrong_targets_are_refused(target, message):
    with pytest.raises(ValueError, match=f"Task 'edges'.*{message}"):
        EdgeTask("edges").prepare_target(target)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"tolerance": -1}, "tolerance must not be"), ({"ignore_index": 1}, "choose 255")]
)
def test_wrong_declarations_are_refused(arguments, message):
    with pytest.raises(ValueError, match=f"Task 'edges': .*{message}"):
        EdgeTask("edges", **arguments)
