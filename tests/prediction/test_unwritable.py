"""A full or read-only disk ends a prediction in one sentence; what was finished is kept, and it goes on later."""

import errno
import logging
import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_mtunet.bundle.plain_errors import root_cause
from monai_mtunet.prediction.inputs import find_inputs
from monai_mtunet.prediction.predict import predict_inputs
from monai_mtunet.prediction.predictor import Predictor


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in "abc":
        values = np.random.default_rng(0).normal(50, 20, (8, 9, 8)).astype(np.float32)
        nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), folder / f"{name}.nii.gz")
    return find_inputs([folder])


class Disk:
    """Has room for so many files that are reserved, and counts the images that are computed."""

    def __init__(self, monkeypatch, room):
        self.room = room
        self.reserve = os.posix_fallocate
        monkeypatch.setattr(os, "posix_fallocate", self)

    def __call__(self, file, start, size):
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1
        self.reserve(file, start, size)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="space is not reserved on this system")
def test_a_full_disk(inputs, tmp_path, make_parts, monkeypatch, caplog):
    predictor, output = Predictor(make_parts(), 1e9), tmp_path / "out"
    computed = []
    inferer = predictor.parts.inferer
    monkeypatch.setattr(type(inferer), "__call__", counted(computed, type(inferer).__call__))
    disk = Disk(monkeypatch, room=4)  # three tasks of the first image, and one of the second
    with pytest.raises(OSError, match="written to") as caught, caplog.at_level(logging.ERROR):
        predict_inputs(predictor, inputs, output)
    told = str(root_cause(caught.value))
    assert told.startswith(f"Nothing more can be written to {output}: No space left on device. 1 predicted image(s)")
    assert not caplog.records  # nothing of engines and transforms
    assert len(computed) == 2, "the third image would be computed in vain"
    assert not [path for path in output.rglob("*") if "partial" in path.name or path.name.startswith(".")]

    disk.room = 100
    report = predict_inputs(predictor, inputs, output)
    assert [len(report.done), len(report.kept), len(report.failed)] == [2, 1, 0]


def counted(computed, call):
    def count(self, *args, **kwargs):
        computed.append(1)
        return call(self, *args, **kwargs)

    return count


def test_a_read_only_folder(inputs, tmp_path, make_parts, monkeypatch):
    def refuse(path, *args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OSError, match=r"written to .*out: Read-only file system. 0 .*choose another output folder"):
        predict_inputs(Predictor(make_parts(), 1e9), inputs, tmp_path / "out")
