"""What is saved of a voxel does not depend on how much else is post-processed with it."""

import pytest
import torch

from monai_mtunet.tasks import DepthTask, EdgeTask, NormalsTask, RestorationTask, SegmentationTask


@pytest.mark.parametrize(
    "task",
    [
        EdgeTask("edges"),
        NormalsTask("normals"),
        DepthTask("depth"),
        RestorationTask("denoise", 2, mean=[3.0, 5.0], std=[0.7, 0.3]),
        SegmentationTask("segment", ["background", "cell", "wall"]),
    ],
    ids=lambda task: task.name,
)
def test_parts_have_the_bits_of_the_whole(task):
    prediction = 4 * torch.randn(task.channels, 100, 1001, generator=torch.Generator().manual_seed(0))
    parts = [task.postprocess(part) for part in prediction.split(13, dim=2)]
    assert torch.equal(torch.cat(parts, dim=2), task.postprocess(prediction))
