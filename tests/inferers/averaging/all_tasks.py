"""A small network with one head per sort of averaging."""

import torch
from torch import nn

from monai_mtunet.tasks import (
    ClassificationTask,
    DepthTask,
    NormalsTask,
    RestorationTask,
    SegmentationTask,
    TaskList,
)

SEGMENT = SegmentationTask("segment", ["a", "b", "c"])
CLASSIFY = ClassificationTask("classify", ["a", "b"])
TASKS = TaskList([RestorationTask("denoise", 1), SEGMENT, DepthTask("depth"), NormalsTask("normals"), CLASSIFY])


class AllTasks(nn.Module):
    """A head per task, in another order than the tasks; convolutions of 3 are not symmetric, of 1 they are."""

    def __init__(self, dims=2, kernel_size=3):
        super().__init__()
        conv = {2: nn.Conv2d, 3: nn.Conv3d}[dims]
        heads = {"segment": 3, "normals": 3, "depth": 1, "denoise": 1}
        self.heads = nn.ModuleDict(
            {name: conv(1, count, kernel_size, padding=kernel_size // 2) for name, count in heads.items()}
        )
        self.classify = nn.Linear(1, 2)

    def forward(self, x):
        assert type(x) is torch.Tensor
        predictions = {name: head(x) for name, head in self.heads.items()}
        return predictions | {"classify": self.classify(x.flatten(2).square().mean(-1))}
