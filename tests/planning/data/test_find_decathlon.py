"""Decathlon tasks: volumes of one or several channels, groups, and what is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monai_mtunet.planning.data import TargetKind, find_data

from .data_files import volume, write_json


def decathlon(folder: Path, channels: int = 1, **changes: Any) -> Path:
    training = [{"image": f"./imagesTr/brain_{n}.nii.gz", "label": f"./labelsTr/brain_{n}.nii.gz"} for n in (1, 2)]
    content = {
        "modality": {"0": "FLAIR", "1": "T1w"} if channels > 1 else {"0": "MRI"},
        "labels": {"0": "background", "1": "edema"},
        "training": [*training, {"image": "./imagesTr/brain_3.nii.gz"}],
        "test": [],
        **changes,
    }
    write_json(folder / "dataset.json", {key: value for key, value in content.items() if value is not None})
    for number in (1, 2, 3):
        volume(folder / "imagesTr" / f"brain_{number}.nii.gz", channels)
        volume(folder / "labelsTr" / f"brain_{number}.nii.gz", labels=True)
    return folder


def test_volumes_of_several_channels_in_one_file(tmp_path: Path) -> None:
    found = find_data(decathlon(tmp_path, channels=2))
    assert found.layout == "Medical Segmentation Decathlon"
    assert found.channels == ("FLAIR", "T1w")
    assert found.cases[0].name == "brain_1"
    assert found.cases[0].section == "train"
    assert found.cases[0].images == (str(tmp_path / "imagesTr" / "brain_1.nii.gz"),)
    assert found.cases[1].targets == {"segment": str(tmp_path / "labelsTr" / "brain_2.nii.gz")}
    assert found.cases[2].targets == {"segment": None}
    assert found.targets == {"segment": TargetKind.SEGMENTATION}
    assert found.labels == {"segment": {"background": 0, "edema": 1}}


def test_the_path_may_be_that_of_dataset_json(tmp_path: Path) -> None:
    assert find_data(decathlon(tmp_path) / "dataset.json") == find_data(tmp_path)


def test_test_cases_have_no_target_and_may_be_elsewhere(tmp_path: Path) -> None:
    volume(tmp_path / "imagesTs" / "brain_9.nii.gz")
    found = find_data(decathlon(tmp_path, test=["./imagesTs/brain_9.nii.gz"]))
    assert [(case.name, case.targets) for case in found.cases if case.section == "test"] == [
        ("brain_9", {"segment": None})
    ]
    found = find_data(decathlon(tmp_path, test=["./imagesTs/brain_10.nii.gz"]))
    assert len(found.cases) == 3
    [(file, reason)] = found.left_out
    assert file.endswith("dataset.json")
    assert "test images are not there" in reason
    assert "brain_10" in reason


def test_folds_are_groups(tmp_path: Path) -> None:
    write_json(tmp_path / "splits.json", {"folds": [["1", "brain_3"], ["2"]]})
    found = find_data(decathlon(tmp_path))
    assert [case.group for case in found.cases] == ["fold0", "fold1", "fold0"]
    write_json(tmp_path / "splits.json", {"fold": []})
    with pytest.raises(ValueError, match=r"splits\.json must hold"):
        find_data(tmp_path)


def test_volumes_that_are_not_there_are_named(tmp_path: Path) -> None:
    decathlon(tmp_path)
    (tmp_path / "labelsTr" / "brain_2.nii.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r'entry 2, "label": .*brain_2'):
        find_data(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"modality": None}, '"modality" must name'), ({"labels": {}}, '"labels"'), ({"training": []}, "no sample")],
)
def test_an_incomplete_dataset_json_is_said_to_be(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_data(decathlon(tmp_path, **changes))


def test_test_and_training_cases_of_one_name_are_named(tmp_path: Path) -> None:
    volume(tmp_path / "imagesTs" / "brain_1.nii.gz")
    found = find_data(decathlon(tmp_path, test=["./imagesTs/brain_1.nii.gz"]))
    assert [case.name for case in found.cases][0::3] == ["imagesTr/brain_1", "imagesTs/brain_1"]
