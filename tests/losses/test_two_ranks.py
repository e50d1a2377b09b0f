"""Two processes, whose batches hold unequal shares of the targets, learn what one process learns from both batches."""

import pytest
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from monai_mtunet.losses import (
    MissingAwareRegressionLoss,
    MissingAwareSegmentationLoss,
    MultiTaskLoss,
    parameter_groups,
)

from .two_ranks import on_two_ranks
from .weighting.methods import METHODS

TASKS = ["denoise", "segment", "depth"]
STEPS = 6


class Pointwise(nn.Module):
    """One 1 x 1 convolution per task."""

    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleDict({"denoise": nn.Conv2d(1, 1, 1), "segment": nn.Conv2d(1, 2, 1)})
        self.heads["depth"] = nn.Conv2d(1, 1, 1)

    def forward(self, x):
        return {name: head(x) for name, head in self.heads.items()}


def batch(step):
    """Four images; depth is missing here and there, in step 2 from the first two images, in step 4 altogether."""
    generator = torch.Generator().manual_seed(step)
    image = torch.rand(4, 1, 6, 6, generator=generator)
    targets = {"denoise": image**2, "segment": (image > 0.5).long(), "depth": 1 - image}
    targets["depth"][torch.rand(4, 1, 6, 6, generator=generator) < 0.3] = torch.nan
    targets["segment"][0, :, 1:] = 255
    targets["segment"][3] = 255
    if step in (2, 4):
        targets["depth"][:step] = torch.nan
    return image, targets


def train(name, rank=None):
    """The trained network's and the loss's state, and what was logged."""
    torch.manual_seed(0)
    network = Pointwise()
    losses = {
        "denoise": MissingAwareRegressionLoss(),
        "segment": MissingAwareSegmentationLoss(lambda_dice=1.0, class_weights=[0.3, 1.0]),
        "depth": MissingAwareRegressionLoss("l1"),
    }
    loss = MultiTaskLoss(losses, METHODS[name](TASKS))
    optimizer = torch.optim.Adam(parameter_groups(network, loss, 0.05), lr=0.05)
    model = network if rank is None else DistributedDataParallel(network)
    part = slice(None) if rank is None else slice(2 * rank, 2 * rank + 2)
    logged = []
    for step in range(STEPS):
        image, targets = batch(step)
        optimizer.zero_grad()
        loss(model(image[part]), {task: target[part] for task, target in targets.items()}).backward()
        optimizer.step()
        logged.append((loss.raw_losses, loss.applied_weights))
        if step % 2:
            loss.epoch_completed()
    return {"network": network.state_dict(), "loss": loss.state_dict(), "logged": logged}


def train_all(rank):
    return {name: train(name, rank) for name in METHODS}


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    return on_two_ranks(train_all, tmp_path_factory.mktemp("ranks"))


@pytest.mark.parametrize("name", METHODS)
def test_ranks_agree_bit_for_bit(ranks, name):
    first, second = (rank[name] for rank in ranks)
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.parametrize("name", METHODS)
def test_two_ranks_equal_one_process(ranks, name):
    torch.testing.assert_close(ranks[0][name], train(name), rtol=1e-3, atol=1e-5)
    present = [set(weights) for _, weights in ranks[0][name]["logged"]]
    assert present == [set(TASKS)] * 4 + [{"denoise", "segment"}] + [set(TASKS)]
