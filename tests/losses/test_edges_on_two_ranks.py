"""Two processes with unequal shares of the edges learn and measure what one process does from both batches."""

import pytest
import torch

from monai_mtunet.losses import BalancedEdgeLoss
from monai_mtunet.metrics import EdgeFMeasure

from .two_ranks import on_two_ranks


def batch():
    """Four images; the second rank's have few edges, and one of them no target."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 1, 6, 5, generator=generator)
    target = (torch.rand(4, 1, 6, 5, generator=generator) < 0.3).long()
    target[2, :, 1:] = 0
    target[3] = 255
    return logits, target


def learn_and_measure(rank=None):
    """The gradient of this process's part of the loss, and the metric."""
    part = slice(None) if rank is None else slice(2 * rank, 2 * rank + 2)
    logits, target = (values[part] for values in batch())
    leaf = logits.clone().requires_grad_()
    BalancedEdgeLoss()(leaf, target).backward()
    metric = EdgeFMeasure(tolerance=0)
    metric.update((logits.sigmoid()[:, 0], target[:, 0]))
    return leaf.grad, metric.compute()


def test_two_ranks_equal_one_process(tmp_path):
    (first_gradient, first_metric), (second_gradient, second_metric) = on_two_ranks(learn_and_measure, tmp_path)
    gradient, metric = learn_and_measure()
    # DistributedDataParallel takes the mean over ranks.
    torch.testing.assert_close(torch.cat([first_gradient, second_gradient]) / 2, gradient)
    assert first_metric.tolist() == second_metric.tolist()
    assert first_metric.tolist() == pytest.approx(metric.tolist())
