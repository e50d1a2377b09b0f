import json
import logging
from pathlib import Path
from typing import Any

import pytest

from monai_mtunet.data import read_datalist


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set in a folder that is not the current one."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name in ("a_t1.nii.gz", "a_t2.nii.gz", "a_labels.nii.gz", "b_t1.nii.gz", "b_t2.nii.gz", "c.png"):
        file = tmp_path / "set" / "files" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "set"


def written(folder: Path, content: Any, name: str = "list.json") -> Path:
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


A = {"image": ["files/a_t1.nii.gz", "files/a_t2.nii.gz"], "segment": "files/a_labels.nii.gz"}
B = {"image": ["files/b_t1.nii.gz", "files/b_t2.nii.gz"], "segment": None}
C = {"image": "files/c.png"}


def test_paths_are_relative_to_the_list(folder: Path) -> None:
    file = written(folder, {"training": [A, B], "validation": [C]})
    files = folder / "files"
    expected = [
        {
            "image": [str(files / "a_t1.nii.gz"), str(files / "a_t2.nii.gz")],
            "segment": str(files / "a_labels.nii.gz"),
        },
        {"image": [str(files / "b_t1.nii.gz"), str(files / "b_t2.nii.gz")], "segment": None},
    ]
    assert read_datalist(file, "train") == read_datalist(file, "training") == expected
    assert read_datalist(file, "val") == [{"image": str(files / "c.png")}]
    elsewhere = written(folder.parent, {"train": [A]}, "moved.json")
    assert read_datalist(elsewhere, "train", base_dir=folder) == expected[:1]
    absolute = written(folder.parent, [{"image": str(files / "c.png")}], "absolute.json")
    assert read_datalist(absolute) == [{"image": str(files / "c.png")}]


def test_csv_says_the_same_as_json(folder: Path) -> None:
    entries = [{"section": "train", **A, "age": 62, "subject": "p 1"}, {"section": "val", **B, "age": 0.5}]
    expected = written(folder, {"train": [{key: entries[0][key] for key in ("image", "segment", "age", "subject")}]})
    rows = ["section", "image", "image", "segment", "age", "subject"]
    rows = [";".join(rows), "train;files/a_t1.nii.gz;files/a_t2.nii.gz;files/a_labels.nii.gz;62;p 1"]
    rows += ["", "val; files/b_t1.nii.gz;files/b_t2.nii.gz;;0.5;"]
    for separator in ";,\t":
        table = written(folder, "\ufeff" + "\n".join(rows).replace(";", separator), "list.csv")
        assert read_datalist(table, "training") == read_datalist(expected, "train")
        (unlabeled,) = read_datalist(table, "val")
        assert (unlabeled["segment"], unlabeled["age"], unlabeled["subject"]) == (None, 0.5, None)


def test_of_one_section_its_name_may_be_left_out(folder: Path) -> None:
    assert len(read_datalist(written(folder, [A, C]))) == 2
    assert len(read_datalist(written(folder, {"labels": ["cell", "brick"], "numTest": 0, "train": [A]}))) == 1
    assert len(read_datalist(written(folder, "image\nfiles/c.png\n", "list.csv"))) == 1
    assert read_datalist(written(folder, {"test": ["files/c.png"]}), "test") == [{"image": str(folder / "files/c.png")}]


def test_what_names_no_file_stays(folder: Path) -> None:
    entry = {**C, "classify": 3, "box": [0.1, 0.2, 0.5, 0.5], "subject": "p01", "dose": "2.5", "fold": 0}
    (sample,) = read_datalist(written(folder, [entry]))
    assert sample == {**entry, "image": str(folder / "files/c.png")}


def test_for_prediction_targets_need_not_be_there(folder: Path) -> None:
    file = written(folder, [{**C, "segment": "files/gone.png"}])
    assert read_datalist(file, keys="image") == [{"image": str(folder / "files/c.png")}]


def test_keys_of_other_lists_are_renamed(folder: Path) -> None:
    file = written(folder, {"training": [{**C, "label": "files/a_labels.nii.gz"}]})
    assert set(read_datalist(file, "train", rename={"label": "segment"})[0]) == {"image", "segment"}
    with pytest.raises(ValueError, match="renamed to one key"):
        read_datalist(file, "train", rename={"label": "image"})


def test_samples_of_two_sections_are_told(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = written(folder, {"train": [A, C], "val": [{**C, "image": "./files/c.png"}]})
    with caplog.at_level(logging.WARNING):
        read_datalist(file, "val")
    assert "1 image(s) are in another section as well, such as files/c.png" in caplog.text


@pytest.mark.parametrize(
    ("content", "section", "message"),
    [
        ({"train": [C]}, "vall", r"has no section 'vall'; there are: \"train\"\. Correct its name"),
        ({"train": [C], "val": [C]}, None, r"has the sections \"train\", \"val\": say which"),
        ({"train": [C], "training": [C]}, "train", "of which two are 'train'"),
        ([C], "train", "has no sections, so that none is 'train'"),
        ({"train": []}, "train", "has no sample in section 'train': add some"),
        ([], None, "has no sample: add some"),
        ("{", None, r"is no JSON: line 1, .*\. Correct it"),
        ("3", None, "it must hold"),
        ('[{"image": "files/c.png", "image": "files/c.png"}]', None, r"\['image'\] stand twice.*remove one"),
        ([C, 3], None, "entry 2: 3 is no sample"),
        ([{"picture": "files/c.png"}], None, r"entry 1: \"image\" must name a file.*holds \['picture'\]"),
        ([{"image": ["files/c.png", None]}], None, r'entry 1: "image" must name a file'),
        ({"val": [A, C, {**C, "segment": None}]}, "val", 'section "val": entries 2 and 3 have the same "image"'),
    ],
)
def test_what_is_wrong_is_named(folder: Path, content: Any, section: str | None, message: str) -> None:
    file = written(folder, content)
    with pytest.raises(ValueError, match=message) as refused:
        read_datalist(file, section)
    assert str(file) in str(refused.value)


def test_csv_with_a_cell_too_many_is_refused(folder: Path) -> None:
    with pytest.raises(
        ValueError, match=r"list.csv cannot be read: .* has 2 cells, the first line names 1 columns: cor"
    ):
        read_datalist(written(folder, "image\nfiles/c.png,x\n", "list.csv"))


def test_missing_files_are_named_by_entry_and_key(folder: Path) -> None:
    file = written(folder, {"train": [A, {**C, "segment": "files/c_labels.png", "depth": ["files/d.png", "e.png"]}]})
    with pytest.raises(FileNotFoundError) as missing:
        read_datalist(file, "train")
    assert '3 of 7 files do not exist: entry 2, "segment": ' in str(missing.value)
    assert f"{folder / 'files' / 'c_labels.png'}; " in str(missing.value)
    assert "Correct them: they are relative to the list's own folder" in str(missing.value)
    assert "null (JSON) or an empty cell (CSV)" in str(missing.value)


def test_lists_that_are_none_are_refused(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist: give its path, from "):
        read_datalist(folder / "gone.json")
    with pytest.raises(ValueError, match="must be JSON or CSV"):
        read_datalist(written(folder, "a", "list.yaml"))
    (folder / "list.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ValueError, match=r"list.json is not in UTF-8, save it as such"):
        read_datalist(folder / "list.json")
