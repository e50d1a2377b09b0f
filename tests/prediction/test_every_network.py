"""Every network, in 2D and 3D, with 1 to 4 tasks: equal bits in memory, block by block, and from two workers."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from monai_mtunet import networks
from monai_mtunet.files import open_image
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer
from monai_mtunet.prediction.blocks.block_job import BlockJob
from monai_mtunet.prediction.cluster import cluster_client, predict_on_cluster
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.memory import whole_image_bytes
from monai_mtunet.prediction.parts import PredictionParts
from monai_mtunet.prediction.predictor import Predictor
from monai_mtunet.tasks import DistanceTask, TaskList

pytestmark = pytest.mark.slow

SEGNET = {"features": (4, 6), "convolutions": (2, 2)}
NETWORKS = {
    "UMC": partial(networks.UMC, features=(4, 8)),
    "MTUNet": partial(networks.MTUNet, features=(4, 6, 8)),
    "MultiTaskHourglass": partial(networks.MultiTaskHourglass, **SEGNET),
    "SegNet": partial(networks.SegNet, **SEGNET),
    "DenseSegNet": partial(networks.DenseSegNet, **SEGNET),
    "CrossStitchSegNet": partial(networks.CrossStitchSegNet, **SEGNET),
    "MTAN": partial(networks.MTAN, **SEGNET),
    "STAN": partial(networks.STAN, **SEGNET),
    "DilatedResNet": partial(networks.DilatedResNet, layers=(1, 1, 1, 1), output_stride=8),
    "SUNet": partial(networks.sunet_64, modules=(1, 1, 1, 1), output_stride=16),
}
SIZE = {2: (40, 90), 3: (11, 60, 13)}
WINDOW = {2: 16, 3: 8}


def make(make_parts, name: str, dims: int, count: int) -> PredictionParts:
    parts = make_parts(dims, more=[DistanceTask("distance")])
    tasks = TaskList(parts.tasks, parts.tasks.names[:count])
    torch.manual_seed(0)
    network = NETWORKS[name](dims, 1, tasks.out_channels).eval()
    inferer = MultiTaskSlidingWindowInferer([WINDOW[dims]] * dims, 3, 0.5, "gaussian", tasks=tasks)
    return dataclasses.replace(parts, network=network, tasks=tasks, saved=tuple(tasks), inferer=inferer)


def little_memory(parts: PredictionParts, file: str) -> float:
    """In bytes, too few for the whole image."""
    return 0.9 * whole_image_bytes(open_image([file]), parts.tasks)


@pytest.fixture
def files(tmp_path: Path) -> dict[int, str]:
    """An image of each dimension."""
    rng, found = np.random.default_rng(0), {}
    for dims, size in SIZE.items():
        found[dims] = str(tmp_path / f"image{dims}.nii")
        nibabel.save(nibabel.Nifti1Image(rng.normal(50, 20, size).astype(np.float32), np.eye(4)), found[dims])
    return found


@pytest.fixture
def one_thread():
    """As workers have: sums of a convolution are divided among threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def equal(folders: list[Path], tasks: TaskList) -> None:
    for task in tasks.names:
        first, *others = (
            np.asanyarray(nibabel.load(next(folder.glob(f"*_{task}.nii*"))).dataobj) for folder in folders
        )
        for other in others:
            assert other.dtype == first.dtype
            np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("name", "count"), [(name, count) for name in NETWORKS for count in ((1,) if name == "STAN" else (1, 2, 3, 4))]
)
def test_equal_bits_by_blocks(tmp_path, make_parts, files, name, count, dims):
    parts = make(make_parts, name, dims, count)
    little = little_memory(parts, files[dims])
    assert len(BlockJob(parts, [files[dims]], tmp_path / "x", little).blocks) > 2
    for folder, memory in (("whole", 1e9), ("blocks", little)):
        Predictor(parts, memory).predict([files[dims]], tmp_path / folder / "image")
    equal([tmp_path / "whole", tmp_path / "blocks"], parts.tasks)


@pytest.fixture(scope="module")
def client():
    with cluster_client(workers=2) as client:
        yield client


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_equal_bits_from_two_workers(tmp_path, make_parts, files, one_thread, client, name, dims):
    parts = make(make_parts, name, dims, 1 if name == "STAN" else 4)
    little = little_memory(parts, files[dims])
    Predictor(parts, 1e9).predict([files[dims]], tmp_path / "one" / "image")
    report = predict_on_cluster(client, parts, find_inputs([files[dims]]), tmp_path / "two", little)
    assert not report.failed
    equal([tmp_path / "one", tmp_path / "two"], parts.tasks)
