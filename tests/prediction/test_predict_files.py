"""What is looked at before an image is predicted, and before anything is replaced."""

from __future__ import annotations

import importlib
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from monai_mtunet.prediction import predict_files

module = importlib.import_module(predict_files.__module__)  # the package has a function of its name


@pytest.fixture
def scan(tmp_path):
    values = np.random.default_rng(0).normal(50, 20, (4, 5, 6)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "scan.nii")
    return tmp_path / "scan.nii"


@pytest.fixture
def parts(make_parts, monkeypatch):
    made = make_parts()
    monkeypatch.setattr(module, "TrainedBundle", lambda *_: None)
    monkeypatch.setattr(module, "bundle_parts", lambda *_: made)
    return made


@pytest.mark.parametrize("workers", [None, 2])
def test_a_file_in_the_place_of_the_folder_is_told(tmp_path, scan, parts, workers):
    place = tmp_path / "predictions"
    place.write_text("mine")
    with pytest.raises(FileExistsError, match="predictions is a file, where a folder is needed: choose"):
        predict_files("bundle", [scan], place, workers=workers, overwrite=True)
    assert place.read_text() == "mine"


def test_what_cannot_begin_replaces_nothing(tmp_path, scan, parts, monkeypatch):
    output = tmp_path / "out"
    predict_files("bundle", [scan], output)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    monkeypatch.setattr(module, "bundle_parts", lambda *_: replace(parts, network_bytes=10**13))
    with pytest.raises(ValueError, match="too little"):
        predict_files("bundle", [scan], output, overwrite=True)
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
