"""nnU-Net's raw data: channels, missing labels, test cases, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monai_mtunet.planning.data import FoundData, TargetKind, find_data

from .data_files import volume, write_json

DATASET = {
    "channel_names": {"1": "T2", "0": "T1"},
    "labels": {"background": 0, "tumor": 1},
    "numTraining": 2,
    "file_ending": ".nii.gz",
}


def nnunet(folder: Path, **changes: Any) -> Path:
    content = {key: value for key, value in {**DATASET, **changes}.items() if value is not None}
    write_json(folder / "dataset.json", content)
    for case in ("b_0012", "a"):
        for channel in ("_0000", "_0001"):
            volume(folder / "imagesTr" / f"{case}{channel}.nii.gz")
    volume(folder / "labelsTr" / "a.nii.gz", labels=True)
    return folder


def test_channels_are_one_image_and_a_label_that_is_not_there_is_missing(tmp_path: Path) -> None:
    found = find_data(nnunet(tmp_path))
    assert found.layout == "nnU-Net"
    assert found.channels == ("T1", "T2")
    assert [case.name for case in found.cases] == ["a", "b_0012"]
    first, second = found.cases
    assert first.images == tuple(str(tmp_path / "imagesTr" / f"a_000{number}.nii.gz") for number in (0, 1))
    assert first.targets == {"segment": str(tmp_path / "labelsTr" / "a.nii.gz")}
    assert second.targets == {"segment": None}
    assert {case.section for case in found.cases} == {"train"}
    assert {case.group for case in found.cases} == {None}
    assert found.targets == {"segment": TargetKind.SEGMENTATION}
    assert found.labels == {"segment": {"background": 0, "tumor": 1}}
    assert found.ignored == {}
    assert not found.left_out


def test_test_cases_and_what_is_no_part_of_a_case(tmp_path: Path) -> None:
    nnunet(tmp_path)
    for channel in ("_0000", "_0001"):
        volume(tmp_path / "imagesTs" / f"c{channel}.nii.gz")
        volume(tmp_path / "imagesTr" / f"png{channel}.nii")
    volume(tmp_path / "labelsTr" / "z.nii.gz", labels=True)
    volume(tmp_path / "labelsTr" / "._z.nii.gz", labels=True)
    volume(tmp_path / "imagesTr" / "d.nii.gz")
    found = find_data(tmp_path)
    assert [(case.name, case.section) for case in found.cases] == [("a", "train"), ("b_0012", "train"), ("c", "test")]
    reasons = {Path(file).name: reason for file, reason in found.left_out}
    assert reasons == {
        "d.nii.gz": "its name does not end in _0000.nii.gz ... _0001.nii.gz",
        "png_0000.nii": "its name does not end in _0000.nii.gz ... _0001.nii.gz",
        "png_0001.nii": "its name does not end in _0000.nii.gz ... _0001.nii.gz",
        "z.nii.gz": "imagesTr has no image of its name",
    }


def test_overlapping_regions_become_classes_and_ignore_is_missing(tmp_path: Path) -> None:
    regions = {"background": 0, "enhancing": [3], "core": [2, 3], "whole": [1, 2, 3, 5], "ignore": 4}
    found = find_data(nnunet(tmp_path, labels=regions))
    assert found.labels["segment"] == {"background": 0, "whole": (1, 5), "whole+core": 2, "whole+core+enhancing": 3}
    assert found.ignored == {"segment": (4,)}


def test_cases_that_dataset_json_lists(tmp_path: Path) -> None:
    def listed(images: list[str]) -> FoundData:
        one = {"images": images, "label": "labelsTr/a.nii.gz"}
        return find_data(nnunet(tmp_path, dataset={"one": one}))

    found = listed(["imagesTr/b_0012_0000.nii.gz", "imagesTr/a_0001.nii.gz"])
    assert [case.name for case in found.cases] == ["one"]
    assert [Path(file).name for file in found.cases[0].images] == ["b_0012_0000.nii.gz", "a_0001.nii.gz"]
    with pytest.raises(FileNotFoundError, match=r"'one'.*none\.nii\.gz does not exist"):
        listed(["imagesTr/none.nii.gz", "imagesTr/a_0001.nii.gz"])
    with pytest.raises(ValueError, match=r"'one'.*2 channel\(s\)"):
        listed(["imagesTr/a_0001.nii.gz"])


def test_version_1_lists_names_without_the_channel(tmp_path: Path) -> None:
    listed = [{"image": "./imagesTr/a.nii.gz", "label": "./labelsTr/a.nii.gz"}]
    changes: dict[str, Any] = {"channel_names": None, "file_ending": None, "modality": {"0": "CT", "1": "PET"}}
    found = find_data(nnunet(tmp_path, **changes, labels={"0": "background", "1": "tumor"}, training=listed))
    assert found.layout == "nnU-Net"
    assert found.channels == ("CT", "PET")
    assert len(found.cases) == 2
    assert found.labels == {"segment": {"background": 0, "tumor": 1}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"file_ending": None}, r'dataset\.json: "file_ending" must be such as'),
        ({"channel_names": {"0": "T1", "2": "T2"}}, r'dataset\.json: "channel_names" must name the channels'),
        ({"channel_names": ["T1", "T2"]}, r'dataset\.json: "channel_names" must name the channels'),
        ({"labels": None}, r'dataset\.json: "labels" must give each class its number'),
        ({"labels": {"tumor": "one", "background": 0}}, r'dataset\.json: "labels" must give each class its number'),
        ({"file_ending": ".png"}, r"imagesTr has no image that ends in _0000\.png.* it holds .*nii\.gz"),
    ],
)
def test_an_incomplete_dataset_json_is_said_to_be(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_data(nnunet(tmp_path, **changes))


def test_a_missing_channel_and_folder_are_named(tmp_path: Path) -> None:
    nnunet(tmp_path / "1")
    (tmp_path / "1" / "imagesTr" / "a_0001.nii.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"a_0000\.nii\.gz, but no file that ends in _0001"):
        find_data(tmp_path / "1")
    write_json(tmp_path / "2" / "dataset.json", DATASET)
    with pytest.raises(ValueError, match="imagesTr does not exist"):
        find_data(tmp_path / "2")


def test_a_dataset_json_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(ValueError, match=r"dataset\.json is no JSON"):
        find_data(tmp_path)
    (tmp_path / "dataset.json").write_text("[]")
    with pytest.raises(ValueError, match=r"dataset\.json must hold braces"):
        find_data(tmp_path)
