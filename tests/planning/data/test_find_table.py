"""Tables: files, channels, classes, numbers, boxes, groups and sections by columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_mtunet.planning.data import TargetKind, find_data

from .data_files import label_map, noisy, save, write_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        save(tmp_path / "files" / f"{number}.png", noisy(number))
        save(tmp_path / "files" / f"{number}_labels.png", label_map(number))
    return tmp_path


def table(folder: Path, *lines: str, name: str = "list.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines))
    return file


def rows(*columns: list[object]) -> list[str]:
    """Of four images."""
    return [",".join([f"files/{n}.png", *(str(column[n]) for column in columns)]) for n in range(4)]


def test_a_column_per_target(folder: Path) -> None:
    labels = ["files/0_labels.png", "", "files/2_labels.png", "files/3_labels.png"]
    columns = rows(labels, ["cat", "dog", "", "cat"], [0, 1, 1, 0], [0.5, 2, "", 4], [7, 7, 8, "p"])
    header = "image,ground truth,species,sick,age,patient"
    found = find_data(table(folder, header, *columns))
    assert found.layout == "the table list.csv"
    assert found.channels == ("0",)
    assert found.targets == {
        "ground_truth": TargetKind.SEGMENTATION,
        "species": TargetKind.CLASS,
        "sick": TargetKind.CLASS,
        "age": TargetKind.NUMBER,
    }
    assert found.labels == {"species": {"cat": 0, "dog": 1}}
    assert [case.name for case in found.cases] == ["0", "1", "2", "3"]
    assert [case.group for case in found.cases] == ["7", "7", "8", "p"]
    assert {case.section for case in found.cases} == {None}
    truth = str(folder / "files" / "0_labels.png")
    assert found.cases[0].targets == {"ground_truth": truth, "species": 0, "sick": 0, "age": 0.5}
    assert found.cases[1].targets == {"ground_truth": None, "species": 1, "sick": 1, "age": 2.0}
    assert found.cases[2].targets["species"] is None
    assert found.cases[2].targets["age"] is None


def test_channels_sections_and_boxes_of_json(folder: Path) -> None:
    def entry(first: int, second: int, box: list[float] | None) -> dict[str, object]:
        return {"image": [f"files/{first}.png", f"files/{second}.png"], "box": box}

    file = write_json(
        folder / "list.json",
        {
            "training": [entry(0, 1, [0.1, 0.2, 0.5, 1]), entry(1, 2, None)],
            "val": [entry(3, 0, None)],
            "palette": ["a"],
        },
    )
    found = find_data(file)
    assert found.channels == ("0", "1")
    assert found.targets == {"box": TargetKind.BOX}
    assert [(case.name, case.section) for case in found.cases] == [("0", "train"), ("1", "train"), ("3", "val")]
    assert found.cases[0].targets == {"box": (0.1, 0.2, 0.5, 1.0)}
    assert found.cases[2].targets == {"box": None}
    assert found.cases[0].images == (str(folder / "files" / "0.png"), str(folder / "files" / "1.png"))


def test_a_folder_is_searched_for_its_table(folder: Path) -> None:
    table(folder, "image,sick", *rows([0, 1, 0, 1]))
    write_json(folder / "classes.json", {"classes": ["a", "b"]})
    table(folder, "id,age", "1,2", name="other.csv")
    assert find_data(folder).targets == {"sick": TargetKind.CLASS}
    table(folder, "image,sick", *rows([0, 1, 0, 1]), name="second.csv")
    with pytest.raises(ValueError, match=r"holds 2 tables .*list\.csv, second\.csv: give the path"):
        find_data(folder)


def test_whole_numbers_that_do_not_recur_are_no_classes(folder: Path) -> None:
    found = find_data(table(folder, "image,age,worse", *rows([31, 45, 60, 45], [-1, 1, 1, -1])))
    assert found.targets == {"age": TargetKind.NUMBER, "worse": TargetKind.NUMBER}
    assert found.cases[0].targets == {"age": 31.0, "worse": -1.0}


def test_columns_that_are_no_targets_are_left_out(folder: Path) -> None:
    found = find_data(table(folder, "image,remark,empty", *rows(["good", "fair", "poor", "moved"], [""] * 4)))
    assert found.targets == {}
    assert found.cases[0].targets == {}
    reasons = {place.partition(", ")[2]: reason for place, reason in found.left_out}
    assert "nothing" in reasons["column 'empty'"]
    assert "classes" in reasons["column 'remark'"]


def test_names_of_files_in_several_folders_are_kept_apart(folder: Path) -> None:
    save(folder / "more" / "0.png", noisy(9))
    found = find_data(table(folder, "image,sick", "files/0.png,1", "more/0.png,0"))
    assert [case.name for case in found.cases] == ["files/0", "more/0"]
    save(folder / "files" / "0.jpg", noisy(9))
    with pytest.raises(ValueError, match=r"0\.png and .*0\.jpg would be one case"):
        find_data(table(folder, "image,sick", "files/0.png,1", "files/0.jpg,0"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["image,label", "files/0.png,files/0_labels.png", "files/1.png,3"],
            r"column 'label' holds a file, .*a number, 3",
        ),
        (["image,a b,a_b", "files/0.png,1,2"], '"a b" and "a_b" are one name, a_b'),
        (["section,image", "fold1,files/0.png"], "has the section 'fold1', but sections are"),
        (["section,image", "train,files/0.png", ",files/1.png"], "only some lines have a section"),
        (["picture,label", "files/0.png,1"], r'"image" must name a file'),
        (["image,label"], "has no sample"),
        (["section,image", "train,files/0.png", "val,files/0.png"], "0.png is in two sections, one case, '0'"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(folder: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        find_data(table(folder, *lines))


def test_files_that_do_not_exist_and_uneven_channels_are_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'entry 1, "label": .*none\.png'):
        find_data(table(folder, "image,label", "files/0.png,none.png"))
    entries = [{"image": ["files/0.png", "files/1.png"]}, {"image": ["files/2.png"]}]
    with pytest.raises(ValueError, match=r"0\.png has 2 image file\(s\), .*2\.png 1"):
        find_data(write_json(folder / "list.json", entries))
