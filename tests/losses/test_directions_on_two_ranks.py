"""Two processes with unequal shares of the normals learn and measure what one process does from both batches."""

import pytest
import torch

from monai_mtunet.losses import MissingAwareCosineLoss
from monai_mtunet.metrics import MissingAwareAngularErrorMetric, MissingAwareDeltaMetric

from .two_ranks import on_two_ranks


def batch():
    """Four images; the second rank's have few normals, and one of them none."""
    generator = torch.Generator().manual_seed(0)
    prediction, target = torch.randn(2, 4, 3, 5, 6, generator=generator)
    target[2, :, 1:] = torch.nan
    target[3] = torch.nan
    return prediction, target


def learn_and_measure(rank=None):
    """The gradient of this process's part of the loss, and the metrics."""
    part = slice(None) if rank is None else slice(2 * rank, 2 * rank + 2)
    prediction, target = (values[part] for values in batch())
    leaf = prediction.clone().requires_grad_()
    MissingAwareCosineLoss()(leaf, target).backward()
    metrics = [MissingAwareAngularErrorMetric(), MissingAwareAngularErrorMetric("median"), MissingAwareDeltaMetric()]
    for metric in metrics:
        metric(prediction.abs(), target.abs())
    return leaf.grad, [metric.aggregate().item() for metric in metrics]


def test_two_ranks_equal_one_process(tmp_path):
    (first_gradient, first_metrics), (second_gradient, second_metrics) = on_two_ranks(learn_and_measure, tmp_path)
    gradient, metrics = learn_and_measure()
    # DistributedDataParallel takes the mean over ranks.
    torch.testing.assert_close(torch.cat([first_gradient, second_gradient]) / 2, gradient)
    assert first_metrics == second_metrics
    assert first_metrics == pytest.approx(metrics)
