"""All files of a data set are looked at, and all that is wrong with them is told at once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_mtunet.planning.data.case import DataCase, FoundData, TargetKind
from monai_mtunet.planning.fingerprint import DataFingerprint, data_fingerprint, fingerprint_data
from monai_mtunet.planning.fingerprint.case_fingerprint import fingerprint_case

SIZE = (12, 10, 8)
AFFINE = np.diag([-1.5, 1.5, 3.0, 1.0])
KINDS = {"labels": TargetKind.SEGMENTATION, "clean": TargetKind.RESTORATION, "age": TargetKind.NUMBER}


def save(path: Path, values: np.ndarray, affine=AFFINE) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return str(path)


def image(seed: int, size=SIZE) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 10, size).astype(np.float32)


def labels(seed: int, size=SIZE) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, size).astype(np.uint8)


@pytest.fixture
def data(tmp_path: Path) -> FoundData:
    """Four images, the last without labels."""
    cases = []
    for number in range(4):
        targets = {
            "labels": save(tmp_path / "labels" / f"{number}.nii", labels(number)) if number < 3 else None,
            "clean": save(tmp_path / "clean" / f"{number}.nii", image(number)),
            "age": float(20 + number),
        }
        cases.append(DataCase(str(number), (save(tmp_path / "images" / f"{number}.nii", image(number)),), targets))
    return FoundData(tuple(cases), KINDS, ("t1",), "folders", labels={"labels": {"none": 0, "cell": 1, "wall": 2}})


def said(result: DataFingerprint) -> dict[str, str]:
    return {Path(problem.file).name: problem.what for problem in result.all_problems}


def test_one_case_in_numbers(data):
    found = fingerprint_case(data.cases[0], KINDS)
    values, mask = image(0), labels(0)
    assert found.shape == list(SIZE)
    assert found.spacing == [1.5, 1.5, 3.0]
    assert found.orientation == "LAS"
    assert found.dtype == "float32"
    assert found.problems == []
    (channel,) = found.channels
    assert channel["mean"] == pytest.approx(values.mean())
    assert channel["p99.5"] == pytest.approx(np.percentile(values, 99.5))
    assert channel["noise"] == pytest.approx(10, rel=0.15)
    assert channel["foreground_voxels"] == np.count_nonzero(mask)
    assert channel["foreground_std"] == pytest.approx(values[mask > 0].std())
    numbers, counts = np.unique(mask, return_counts=True)
    assert found.targets["labels"] == {"labels": dict(zip(map(str, numbers), counts.tolist(), strict=True))}
    assert found.targets["clean"]["channels"][0]["mean"] == pytest.approx(values.mean())
    assert found.targets["age"] == 20


def test_labels_of_a_scaled_header_are_counted_once(data, tmp_path):
    mask = labels(0).astype(np.float32)
    mask[0] += 1e-4 * (mask[0] > 0)
    case = replace(data.cases[0], targets={"labels": save(tmp_path / "mask.nii", mask)})
    found = fingerprint_case(case, KINDS)
    assert found.targets["labels"] == fingerprint_case(data.cases[0], KINDS).targets["labels"]


def test_all_cases_and_the_way_back(data, tmp_path):
    result = fingerprint_data(data, tmp_path / "out" / "data.json", workers=2)
    assert [case.name for case in result.cases] == ["0", "1", "2", "3"]
    assert result.all_problems == []
    assert result.label_counts("labels").total() == 3 * np.prod(SIZE)
    saved = json.loads((tmp_path / "out" / "data.json").read_text())
    assert [case["name"] for case in saved["cases"]] == ["0", "1", "2", "3"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["data.json"]


def test_ten_ways_of_being_broken_are_told_at_once(data, tmp_path):
    files = tmp_path / "images", tmp_path / "labels"
    (files[0] / "0.nii").write_bytes(b"no image")
    save(files[0] / "1.nii", np.full(SIZE, 7, np.float32))
    values = image(2)
    values[0, 0, :3] = np.nan
    save(files[0] / "2.nii", values)
    save(files[1] / "0.nii", np.where(labels(0) == 2, 9, 0).astype(np.uint8))
    save(files[1] / "1.nii", labels(1), np.diag([1.5, 1.5, 3.0, 1.0]))
    save(files[1] / "2.nii", labels(2)[:-1])
    cases = [*data.cases]
    for name, channels, mask in (
        ("4", image(4, (*SIZE, 2)), np.where(labels(4) > 0, 255, 0).astype(np.uint8)),
        ("5", image(3), labels(5) + np.float32(0.5)),
    ):
        cases.append(
            DataCase(
                name,
                (save(files[0] / f"{name}.nii", channels),),
                {"labels": save(files[1] / f"{name}_mask.nii", mask)},
            )
        )
    cases.append(DataCase("6", (str(files[0] / "nothing.nii"),), {}))
    kinds = {**KINDS, "depth": TargetKind.DEPTH}
    broken = FoundData(tuple(cases), kinds, ("t1",), "folders", data.labels, {}, (("x.txt", "it is no image"),))
    result = fingerprint_data(broken, tmp_path / "data.json", workers=1)
    told = {(Path(problem.file).parent.name, Path(problem.file).name): problem.what for problem in result.all_problems}
    for file, what in {
        ("images", "0.nii"): "0.nii",
        ("images", "1.nii"): "channel 0 is 7 everywhere",
        ("images", "2.nii"): "3 of 960 voxels are not finite",
        ("images", "3.nii"): "it has the values of 5",
        ("images", "4.nii"): "it has 2 channel(s), and",
        ("images", "nothing.nii"): "does not exist",
        ("labels", "0.nii"): "it holds 9",
        ("labels", "1.nii"): "do not lie in the same place",
        ("labels", "2.nii"): "have 12 x 10 x 8 and 11 x 10 x 8 voxels",
        ("labels", "4_mask.nii"): "255 says that there is no target",
        ("labels", "5_mask.nii"): "is no label map",
        (".", "x.txt"): "it is no image",
        (".", "depth"): "no image has this target",
    }.items():
        key = file if file in told else ("", file[1])
        assert what in told[key], (file, told)
    assert all(problem.remedy for problem in result.all_problems)
    stops = [problem.stops for problem in result.all_problems]
    assert stops == sorted(stops, reverse=True)


def test_goes_on_where_it_was(data, tmp_path, monkeypatch):
    looked = []

    class Here:
        """A pool in this process, which is killed at the third image."""

        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def submit(self, function, case, kinds):
            looked.append(case.name)
            return function(case, kinds)

    def as_they_come(futures):
        for number, future in enumerate(futures):
            if number == limit:
                raise KeyboardInterrupt
            yield future

    monkeypatch.setattr(data_fingerprint, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(data_fingerprint, "as_completed", as_they_come)
    monkeypatch.setattr(data_fingerprint.CaseFingerprint, "__hash__", lambda self: id(self))
    monkeypatch.setattr(data_fingerprint.CaseFingerprint, "result", lambda self: self, raising=False)
    limit = 2
    with pytest.raises(KeyboardInterrupt):
        fingerprint_data(data, tmp_path / "data.json")
    assert not (tmp_path / "data.json").exists()
    looked.clear()
    corrected = replace(data.cases[0], targets={**data.cases[0].targets, "age": 60.0})
    data = replace(data, cases=(corrected, *data.cases[1:]))
    with pytest.raises(KeyboardInterrupt):
        fingerprint_data(data, tmp_path / "data.json")
    assert looked == ["0", "2", "3"]  # the age was corrected
    looked.clear()
    limit = None
    save(tmp_path / "images" / "1.nii", image(9))  # which is looked at again
    result = fingerprint_data(data, tmp_path / "data.json")
    assert looked == ["1", "3"]
    assert result.cases[0].targets["age"] == 60


def test_what_a_library_says_of_a_damaged_file_is_no_remedy(tmp_path):
    (tmp_path / "0.nii.gz").write_bytes(b"this is no gzip file")
    case = DataCase("0", (str(tmp_path / "0.nii.gz"),), {})
    found = fingerprint_data(FoundData((case,), {}, ("0",), "a folder"), tmp_path / "data.json", workers=1)
    (problem,) = [one for one in found.all_problems if one.file.endswith("0.nii.gz")]
    assert problem.remedy == "Write the file anew, or leave it out."
    assert "0.nii.gz" in problem.what
