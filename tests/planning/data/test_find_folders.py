"""Plain folders: names that match, sections, groups, missing targets, and what is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from monai_mtunet.planning.data import TargetKind, find_data

from .data_files import label_map, noisy, save, scene


def images(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        save(folder / name, noisy(number))


def labels(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        save(folder / name, label_map(number))


def test_stems_match_and_missing_targets_are_none(tmp_path: Path) -> None:
    images(tmp_path / "images", "a.png", "b.bmp", "c.tif", "._a.png")
    labels(tmp_path / "labels", "a.png", "b.png", "z.png")
    save(tmp_path / "clean" / "b.npy", scene(1).astype(np.float32))
    (tmp_path / "images" / "Thumbs.db").write_text("x")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "readme.txt").write_text("x")
    found = find_data(tmp_path)
    assert found.layout == "plain folders"
    assert found.channels == ("0",)
    assert found.targets == {"clean": TargetKind.RESTORATION, "labels": TargetKind.SEGMENTATION}
    a, b, c = found.cases
    assert (a.name, a.images) == ("a", (str(tmp_path / "images" / "a.png"),))
    assert a.targets == {"clean": None, "labels": str(tmp_path / "labels" / "a.png")}
    assert b.targets["clean"] == str(tmp_path / "clean" / "b.npy")
    assert c.targets == {"clean": None, "labels": None}
    assert {case.group for case in found.cases} == {None} == {case.section for case in found.cases}
    assert {Path(file).name: reason for file, reason in found.left_out} == {
        "Thumbs.db": "it is no image",
        "z.png": "images has no image of its name",
        "readme.txt": "it is no image",
        "docs": "it holds no image, and so no target",
    }


def test_folders_within_are_kept_and_are_groups(tmp_path: Path) -> None:
    images(tmp_path / "Images", "p1/scan.png", "p1/second.png", "p2/scan.png")
    labels(tmp_path / "labels", "p2/scan.png", "p1/scan.png")
    found = find_data(tmp_path)
    assert [(case.name, case.group) for case in found.cases] == [
        ("p1/scan", "p1"),
        ("p1/second", "p1"),
        ("p2/scan", "p2"),
    ]
    assert found.cases[2].targets == {"labels": str(tmp_path / "labels" / "p2" / "scan.png")}


def test_one_folder_within_is_no_group(tmp_path: Path) -> None:
    images(tmp_path / "images", "all/a.png", "all/b.png")
    labels(tmp_path / "labels", "all/a.png")
    assert {case.group for case in find_data(tmp_path).cases} == {None}


def test_sections_around_the_folders(tmp_path: Path) -> None:
    images(tmp_path / "training" / "images", "a.png", "b.png")
    labels(tmp_path / "training" / "labels", "a.png", "b.png")
    images(tmp_path / "test" / "images", "a.png")
    found = find_data(tmp_path)
    assert [(case.name, case.section) for case in found.cases] == [
        ("test/a", "test"),
        ("train/a", "train"),
        ("train/b", "train"),
    ]
    assert found.cases[0].targets == {"labels": None}


def test_sections_within_the_folders(tmp_path: Path) -> None:
    images(tmp_path / "images", "train/x/a.png", "train/y/b.png", "val/z/c.png")
    labels(tmp_path / "labels", "train/x/a.png", "train/y/b.png", "val/z/c.png")
    found = find_data(tmp_path)
    assert [(case.name, case.section, case.group) for case in found.cases] == [
        ("train/x/a", "train", "x"),
        ("train/y/b", "train", "y"),
        ("val/z/c", "val", "z"),
    ]
    assert all(case.targets["labels"] for case in found.cases)


def test_endings_that_all_names_share_are_left_out(tmp_path: Path) -> None:
    images(tmp_path / "images", "1_001_left.png", "1_002_left.png")
    labels(tmp_path / "fine", "1_001_fine_labels.png", "1_003_fine_labels.png")
    labels(tmp_path / "coarse", "1_002_left.png")
    found = find_data(tmp_path)
    assert [case.name for case in found.cases] == ["1_001_left", "1_002_left"]
    assert [Path(case.targets["fine"]).name if case.targets["fine"] else None for case in found.cases] == [
        "1_001_fine_labels.png",
        None,
    ]
    assert [bool(case.targets["coarse"]) for case in found.cases] == [False, True]
    assert [Path(file).name for file, _ in found.left_out] == ["1_003_fine_labels.png"]


def test_targets_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    images(tmp_path / "images", "a.png", "b.png")
    labels(tmp_path / "annotations" / "trimaps", "a.png", "b.png")
    (tmp_path / "annotations" / "list.txt").write_text("x")
    assert find_data(tmp_path).targets == {"trimaps": TargetKind.SEGMENTATION}


def test_images_alone_have_no_targets(tmp_path: Path) -> None:
    images(tmp_path / "1" / "images", "a.png", "b.png")
    images(tmp_path / "2", "a.png", "b.png")
    for folder in ("1", "2"):
        found = find_data(tmp_path / folder)
        assert [(case.name, case.targets) for case in found.cases] == [("a", {}), ("b", {})]
        assert found.targets == {}


def test_colors_are_channels(tmp_path: Path) -> None:
    save(tmp_path / "images" / "a.png", np.stack([noisy(number) for number in range(3)], axis=-1))
    assert find_data(tmp_path).channels == ("red", "green", "blue")


def test_images_and_targets_without_a_name_in_common(tmp_path: Path) -> None:
    images(tmp_path / "images", "case_001.png")
    labels(tmp_path / "labels", "case_003.png", "case_004.png")
    shown = r"1 image\(s\) such as case_001\.png, 2 file\(s\) such as case_003\.png"
    with pytest.raises(ValueError, match=f"no name in common: {shown}. Name each"):
        find_data(tmp_path)
    (tmp_path / "labels" / "case_004.png").unlink()  # numbers of cases are no endings that could be left out
    with pytest.raises(ValueError, match="no name in common"):
        find_data(tmp_path)


def test_ambiguous_stems_are_named(tmp_path: Path) -> None:
    images(tmp_path / "images", "a.png", "b.png")
    labels(tmp_path / "labels", "a.png", "a.bmp")
    with pytest.raises(ValueError, match=r"a\.bmp and a\.png are both called 'a'"):
        find_data(tmp_path)


def test_two_folders_of_images_are_named(tmp_path: Path) -> None:
    images(tmp_path / "images", "a.png")
    images(tmp_path / "noisy", "a.png")
    with pytest.raises(ValueError, match="images and noisy could both hold the images: rename"):
        find_data(tmp_path)


def test_targets_beside_their_images_are_named(tmp_path: Path) -> None:
    images(tmp_path, "a.png", "b.png")
    labels(tmp_path, "a_mask.png")
    with pytest.raises(ValueError, match=r"a_mask\.png, which looks like a target.*move images into"):
        find_data(tmp_path)


def test_an_empty_folder_of_images_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    labels(tmp_path / "labels", "a.png")
    with pytest.raises(ValueError, match="images holds no image"):
        find_data(tmp_path)
