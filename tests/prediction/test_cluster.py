"""Workers of a Dask cluster against one process, one of them killed in between."""

from __future__ import annotations

import errno
import os
import signal
import threading
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from monai_mtunet.prediction.blocks.block_job import BlockJob
from monai_mtunet.prediction.cluster import cluster_client, predict_on_cluster
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.predict import predict_inputs
from monai_mtunet.prediction.predictor import Predictor

SMALL = 1e5  # bytes: the large volume is predicted block by block, the small one whole

pytestmark = pytest.mark.slow


def read_all(folder: Path) -> dict[str, bytes]:
    files = sorted(folder.glob("*.nii*"))
    return {file.name: np.asanyarray(nibabel.load(file).dataobj).tobytes() for file in files}


def test_equal_bits_though_a_worker_dies(tmp_path, make_parts, capfd):
    rng = np.random.default_rng(0)
    for name, shape in (("large.nii", (11, 40, 13)), ("small.nii", (4, 5, 6))):
        values = rng.normal(50, 20, shape).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / name)
    (tmp_path / "bad.nii").write_bytes(b"no image")
    parts, inputs = make_parts(), find_inputs([tmp_path / "large.nii", tmp_path / "small.nii", tmp_path / "bad.nii"])
    assert len(BlockJob(parts, inputs[0].files, tmp_path / "x", SMALL, workers=2).blocks) > 4
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as workers have: sums of a convolution are divided among threads
    try:
        predict_inputs(Predictor(parts, SMALL), inputs, tmp_path / "one")
    finally:
        torch.set_num_threads(threads)

    with cluster_client(workers=2) as client:
        first = next(iter(client.run(os.getpid).values()))
        # As soon as it has written something, so that a block is half done or unmarked.
        killer = threading.Thread(target=kill_when_there_is, args=(first, tmp_path / "two", "*.partial"))
        killer.start()
        report = predict_on_cluster(client, parts, inputs, tmp_path / "two", SMALL)
        killer.join()
        assert first not in client.run(os.getpid, on_error="ignore").values()
    assert sorted(Path(file).name for file in report.done) == ["large.nii", "small.nii"]
    assert "bad.nii" in next(iter(report.failed.values()))
    assert "Traceback" not in capfd.readouterr().err  # Dask's of the damaged file
    assert read_all(tmp_path / "two") == read_all(tmp_path / "one")
    assert not list((tmp_path / "two").glob("*.partial"))


def kill_when_there_is(process: int, folder: Path, pattern: str) -> None:
    while not list(folder.glob(pattern)):
        time.sleep(0.02)
    time.sleep(0.2)
    os.kill(process, signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="space is not reserved on this system")
def test_a_full_disk_ends_it(tmp_path, make_parts):
    values = np.random.default_rng(0).normal(50, 20, (4, 5, 6)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "small.nii")
    with cluster_client(workers=1) as client:
        client.run(fill_disk)
        with pytest.raises(OSError, match=r"written to .*out: No space left on device. 0 predicted"):
            predict_on_cluster(client, make_parts(), find_inputs([tmp_path / "small.nii"]), tmp_path / "out", SMALL)


def test_two_clusters_on_one_machine_say_nothing_of_ports(recwarn):
    with cluster_client(workers=1) as one, cluster_client(workers=1) as another:
        assert one.scheduler_info()["id"] != another.scheduler_info()["id"]
    assert not [warning for warning in recwarn if "is already in use" in str(warning.message)]


def fill_disk() -> None:
    """In a worker: nothing can be reserved from now on."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    os.posix_fallocate = refuse
