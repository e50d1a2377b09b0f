import pytest
import torch
from monai.data.box_utils import box_iou

from monai_mtunet.metrics import MissingAwareBoxIoUMetric

NAN = torch.nan


def measure(predicted, true):
    metric = MissingAwareBoxIoUMetric()
    metric(torch.tensor(predicted), torch.tensor(true))
    return metric.aggregate().item()


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [
        ([0.0, 0, 2, 2], 1),
        ([0.0, 1, 2, 3], 1 / 3),
        ([0.5, 0.5, 1.5, 1.5], 1 / 4),
        ([2.0, 0, 4, 2], 0),
        ([2.0, 2, 0, 0], 0),  # stops before it starts
        ([0.0, 0, NAN, 2], 0),
    ],
)
def test_golden(predicted, expected):
    assert measure([predicted], [[0.0, 0, 2, 2]]) == pytest.approx(expected)


@pytest.mark.parametrize("dims", [2, 3])
def test_equals_monais_matrix_on_its_diagonal(dims):
    generator = torch.Generator().manual_seed(0)
    starts, sizes = torch.rand(2, 10, dims, generator=generator)
    boxes = torch.cat([starts / 2, starts / 2 + sizes], dim=1)
    expected = box_iou(boxes, boxes.flip(0)).diagonal().mean().item()
    assert expected > 0
    assert measure(boxes.tolist(), boxes.flip(0).tolist()) == pytest.approx(expected, abs=1e-5)


def test_images_without_a_box_are_left_out():
    assert measure([[0.0, 0, 2, 2], [0.0, 0, 1, 1]], [[0.0, 1, 2, 3], [NAN] * 4]) == pytest.approx(1 / 3)
    assert torch.tensor(measure([[0.0, 0, 2, 2]], [[NAN] * 4])).isnan()
