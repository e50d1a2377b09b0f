import pytest
import torch
from monai.data import Dataset
from monai.engines import SupervisedTrainer
from torch import nn

from monai_mtunet.data import SampleLoader
from monai_mtunet.engines.checks.normalization_check import NormalizationCheck


def train(normalization, samples=4, batch_size=1, size=1, **loader):
    data = Dataset([{"image": torch.rand(1, size, size), "label": torch.zeros(1)} for _ in range(samples)])
    network = nn.Sequential(nn.Conv2d(1, 2, 1), normalization)
    batches = SampleLoader(data, batch_size=batch_size, **loader)
    trainer = SupervisedTrainer(
        torch.device("cpu"), 1, batches, network, torch.optim.SGD(network.parameters(), 0.1),
        lambda predicted, _: predicted.mean(), decollate=False, train_handlers=[NormalizationCheck(network, batches)],
    )  # fmt: skip
    trainer.run()
    assert not any(module._forward_pre_hooks for module in network.modules())
    return trainer


def test_one_value_per_channel_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"Batch normalization \(1\).* is 1 x 1, and the batch has one image: .*size"):
        train(nn.BatchNorm2d(2))
    with pytest.raises(ValueError, match=r"the last batch of an epoch has only one image: .*drop_last true.*levels"):
        train(nn.BatchNorm2d(2), samples=5, batch_size=4)
    with pytest.raises(ValueError, match=r"Instance normalization \(1\).* is 1 x 1"):
        train(nn.InstanceNorm2d(2), batch_size=4)


def test_a_partial_batch_is_refused_at_the_first_step():
    seen = []
    network = nn.BatchNorm2d(2)
    network.register_forward_hook(lambda *_: seen.append(1))
    with pytest.raises(ValueError, match="the last batch"):
        train(network, samples=9, batch_size=2)
    assert seen == []


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"size": 2}, id="larger maps"),
        pytest.param({"batch_size": 2}, id="larger batches"),
        pytest.param({"samples": 5, "batch_size": 4, "drop_last": True}, id="dropped"),
        pytest.param({"samples": 6, "batch_size": 4}, id="two left"),
    ],
)
def test_more_values_train(settings):
    assert train(nn.BatchNorm2d(2), **settings).state.iteration > 0


def test_layers_in_eval_mode_are_passed_by():
    class Frozen(nn.BatchNorm2d):
        def train(self, mode=True):
            return super().train(False)

    assert train(Frozen(2)).state.iteration == 4
