"""Two processes with unequal numbers of instances measure what one process does from all images."""

import pytest
import torch

from monai_mtunet.metrics import InstanceAveragePrecision, PanopticQuality, SplitMerge

from .two_ranks import on_two_ranks


def batch():
    """Four images; the second rank's hold few instances, and one of them no target."""
    prediction = torch.tensor([[1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 1, 0], [1, 1, 0, 0, 0, 0], [1, 1, 2, 2, 3, 3]])
    target = torch.tensor([[5, 5, 5, 5, 6, 6], [4, 4, 4, 3, 3, 0], [1, 1, 1, 0, 0, 0], [-1, -1, -1, -1, -1, -1]])
    return prediction[:, None, None], target[:, None, None]


def measured(rank=None):
    part = slice(None) if rank is None else slice(2 * rank, 2 * rank + 2)
    figures = []
    for metric in (PanopticQuality(), InstanceAveragePrecision(), SplitMerge()):
        metric.update(tuple(values[part] for values in batch()))
        figures += metric.compute().tolist()
    return figures


def test_two_ranks_equal_one_process(tmp_path):
    first, second = on_two_ranks(measured, tmp_path)
    assert first == second
    assert first == pytest.approx(measured())
    assert measured(0) != pytest.approx(measured())
