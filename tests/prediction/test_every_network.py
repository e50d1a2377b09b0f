"""Every network, in 2D and 3D, with 1 to 4 tasks: equal bits in memory, buffered, block by block, and from two workers
of which one is killed."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import dask
import nibabel
import numpy as np
import pytest
import torch
from distributed.utils import get_mp_context
from torch import Tensor, nn

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


def chain(dims: int, channels: int, out_channels: Mapping[str, int]) -> nn.Module:
    """A denoiser, and all else from what it restores."""
    first, tasks = next(iter(out_channels)), dict(out_channels)
    denoiser = networks.UMC(dims, channels, {first: tasks.pop(first)}, features=(4, 6))
    return networks.NetworkChain([denoiser, networks.SegNet(dims, channels, tasks, **SEGNET)], via=first)


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
    "NetworkChain": chain,
}
COUNTS = dict.fromkeys(NETWORKS, (1, 2, 3, 4)) | {"STAN": (1,), "NetworkChain": (2, 3, 4)}
SIZE = {2: (40, 90), 3: (11, 60, 13)}
WINDOW = {2: 16, 3: 8}


def make(make_parts, name: str, dims: int, count: int) -> PredictionParts:
    parts = make_parts(dims, more=[DistanceTask("distance")])
    tasks = TaskList(parts.tasks, parts.tasks.names[:count])
    torch.manual_seed(0)
    network = NETWORKS[name](dims, 1, tasks.out_channels).eval()
    return dataclasses.replace(
        parts, network=network, tasks=tasks, saved=tuple(tasks), inferer=windows(tasks, dims)
    )  # fmt: skip


def windows(tasks: TaskList, dims: int, **options: int) -> MultiTaskSlidingWindowInferer:
    return MultiTaskSlidingWindowInferer([WINDOW[dims]] * dims, 3, 0.5, "gaussian", tasks=tasks, **options)


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


def test_none_is_left_out():
    without_windows = {"ClassicalDenoiser"}  # it has no weights
    public = {name for name in networks.__all__ if isinstance(getattr(networks, name), type)}
    assert public - without_windows == set(NETWORKS)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("name", "count"), [(name, count) for name in NETWORKS for count in COUNTS[name]])
def test_equal_bits(tmp_path, make_parts, files, name, count, dims):
    parts = make(make_parts, name, dims, count)
    little = little_memory(parts, files[dims])
    assert len(BlockJob(parts, [files[dims]], tmp_path / "x", little).blocks) > 2
    buffered = dataclasses.replace(parts, inferer=windows(parts.tasks, dims, buffer_steps=2, buffer_dim=-1))
    ways = {"plain": (parts, 1e9), "buffered": (buffered, 1e9), "streamed": (parts, little)}
    for way, (made, memory) in ways.items():
        Predictor(made, memory).predict([files[dims]], tmp_path / way / "image")
    equal([tmp_path / way for way in ways], parts.tasks)


@pytest.fixture(scope="module")
def forks():
    """Workers are forks of a process that has imported everything, and start at once."""
    if sys.platform != "linux":
        yield
        return
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        get_mp_context().set_forkserver_preload(["distributed", "monai_mtunet.prediction.cluster"])
        yield


class Killed:
    """A network whose first worker is killed while it computes: when a block of the other worker is done and marked."""

    def __init__(self, network: nn.Module, folder: Path) -> None:
        self.network, self.folder = network, folder
        self.calls = 0

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        self.calls += 1
        if self.calls == 3 and self._is_first():
            while not any('"filled"' in ledger.read_text() for ledger in self.folder.glob("*.blocks.jsonl")):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        return self.network(image)

    def _is_first(self) -> bool:
        try:
            (self.folder / "killed").open("x").write(str(os.getpid()))
        except FileExistsError:
            return False
        return True


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_equal_bits_though_a_worker_dies(tmp_path, make_parts, files, one_thread, forks, name, dims):
    # Every number of tasks, in 2D and in 3D.
    count = COUNTS[name][(list(NETWORKS).index(name) + dims) % len(COUNTS[name])]
    parts = make(make_parts, name, dims, count)
    little, (item,) = little_memory(parts, files[dims]), find_inputs([files[dims]])
    Predictor(parts, 1e9).predict(item.files, tmp_path / "one" / item.stem)
    two = tmp_path / "two"
    mortal = dataclasses.replace(parts, network=Killed(parts.network, two))
    with cluster_client(workers=2) as client:
        workers = set(client.run(os.getpid).values())
        report = predict_on_cluster(client, mortal, [item], two, little)
    assert not report.failed
    assert int((two / "killed").read_text()) in workers
    equal([tmp_path / "one", two], parts.tasks)
