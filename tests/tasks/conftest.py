import pytest
import torch
from monai.engines import SupervisedEvaluator

from monai_mtunet.engines import MultiTaskPrepareBatch


class _Predicts(torch.nn.Module):
    """A network that predicts its input."""

    def __init__(self, name):
        super().__init__()
        self.name = name

    def forward(self, image):
        return {self.name: image}


@pytest.fixture
def measure():
    """The metrics of a task, from a real evaluation of batched predictions and targets (N, C, *spatial)."""

    def run(task, predictions, targets):
        data = [{"image": p, task.name: t} for p, t in zip(predictions, targets, strict=True)]
        evaluator = SupervisedEvaluator(
            device=torch.device("cpu"),
            val_data_loader=torch.utils.data.DataLoader(data, batch_size=2),
            network=_Predicts(task.name),
            prepare_batch=MultiTaskPrepareBatch([task]),
            key_val_metric=task.metrics(spatial_dims=predictions.ndim - 2),
            decollate=False,
        )
        evaluator.run()
        return dict(evaluator.state.metrics)

    return run
