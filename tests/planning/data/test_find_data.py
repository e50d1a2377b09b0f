"""Which layout a folder has, names of tasks, and what is said where nothing fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_mtunet.planning.data import TargetKind, find_data

from .data_files import label_map, noisy, save, volume, write_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(2):
        save(tmp_path / "images" / f"{number}.png", noisy(number))
        save(tmp_path / "my labels" / f"{number}.png", label_map(number))
    return tmp_path


def test_named_targets_are_what_they_are_said_to_be(folder: Path) -> None:
    assert find_data(folder, {"my labels": "instances"}).targets == {"my_labels": TargetKind.INSTANCES}
    assert find_data(folder, {"my_labels": TargetKind.EDGES}).targets == {"my_labels": TargetKind.EDGES}
    assert find_data(folder).targets == {"my_labels": TargetKind.SEGMENTATION}


def test_wrong_names_of_targets_and_kinds_are_said(folder: Path) -> None:
    with pytest.raises(ValueError, match="has no target 'depth'; there are: my_labels"):
        find_data(folder, {"depth": "depth"})
    with pytest.raises(ValueError, match="'my labels' cannot be 'labels': say one of segmentation, "):
        find_data(folder, {"my labels": "labels"})
    with pytest.raises(ValueError, match=r"'my_labels' holds files, such as .*0\.png, which cannot be 'class'"):
        find_data(folder, {"my labels": "class"})
    (folder / "list.csv").write_text("image,sick\nimages/0.png,1\nimages/1.png,0")
    table = folder / "list.csv"
    assert find_data(table, {"sick": "number"}).targets == {"sick": TargetKind.NUMBER}
    with pytest.raises(ValueError, match=r"'sick' holds numbers, such as 1, which cannot be 'depth': say one of class"):
        find_data(table, {"sick": "depth"})


def test_two_layouts_are_not_chosen_from(folder: Path) -> None:
    (folder / "list.csv").write_text("image,sick\nimages/0.png,1\nimages/1.png,0")
    with pytest.raises(ValueError, match=r"can be read as the table list\.csv and as plain folders: give the table's"):
        find_data(folder)
    assert find_data(folder / "list.csv").targets == {"sick": TargetKind.CLASS}


def test_a_target_that_no_case_has_is_left_out(tmp_path: Path) -> None:
    write_json(tmp_path / "dataset.json", {"channel_names": {"0": "CT"}, "labels": {"b": 0}, "file_ending": ".nii"})
    volume(tmp_path / "imagesTr" / "a_0000.nii")
    found = find_data(tmp_path)
    assert found.targets == {}
    assert found.cases[0].targets == {}
    assert found.left_out == ((str(tmp_path), "no case has the target 'segment'"),)


def test_where_nothing_is_found_it_is_said_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none does not exist: give the folder"):
        find_data(tmp_path / "none")
    with pytest.raises(ValueError, match="is empty"):
        find_data(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match=r"notes\.txt is no table \(\.json, \.csv, \.tsv\)"):
        find_data(tmp_path / "notes.txt")
    (tmp_path / "index.csv").write_text("id,file\n1,a.png")
    save(tmp_path / "pictures" / "a.png", noisy(0))
    with pytest.raises(
        ValueError, match=r"holds index\.csv, notes\.txt, pictures, but.*index\.csv is not taken.*'image'"
    ):
        find_data(tmp_path)
    volume(tmp_path / "imagesTr" / "a_0000.nii.gz")
    with pytest.raises(ValueError, match=r"has imagesTr, but no dataset\.json"):
        find_data(tmp_path)


def test_cases_do_not_depend_on_where_the_path_is_given_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = find_data(folder)
    monkeypatch.chdir(folder.parent)
    assert find_data(folder.name) == whole
