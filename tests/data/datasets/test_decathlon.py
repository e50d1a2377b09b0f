import json
from pathlib import Path

import pytest

from monai_mtunet.data import HIPPOCAMPUS, decathlon_datalist, hippocampus_scan


@pytest.fixture
def task(tmp_path):
    training = []
    for i in range(1, 7):
        for folder in ("imagesTr", "labelsTr"):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"hippocampus_{i:03}.nii.gz").touch()
        training.append({kind: f"./{kind}sTr/hippocampus_{i:03}.nii.gz" for kind in ("image", "label")})
    (tmp_path / "dataset.json").write_text(json.dumps({"training": training, "test": []}))
    (tmp_path / "splits.json").write_text(
        json.dumps({"folds": [["001", "002"], ["003", "hippocampus_004"], ["005", "006"]]})
    )
    return tmp_path


def cases(datalist):
    return [Path(item["image"]).name[12:15] for item in datalist]


def test_folds_partition_the_cases(task):
    assert cases(decathlon_datalist(task, "val", fold=1)) == ["003", "004"]
    assert cases(decathlon_datalist(task, "train", fold=1)) == ["001", "002", "005", "006"]
    assert len(decathlon_datalist(task, "all")) == 6


def test_keys_and_paths(task):
    first = decathlon_datalist(task)[0]
    assert first == {
        "image": str(task / "imagesTr" / "hippocampus_003.nii.gz"),
        "segment": str(task / "labelsTr" / "hippocampus_003.nii.gz"),
    }


def test_folds_can_be_given_themselves(task):
    (task / "splits.json").unlink()
    folds = [["001"], ["hippocampus_002", "003", "004", "005", "006"]]
    assert cases(decathlon_datalist(task, "val", fold=0, splits=folds)) == ["001"]
    assert len(decathlon_datalist(task, "train", fold=0, splits=folds)) == 5
    with pytest.raises(ValueError, match="hippocampus_006 must be in one fold"):
        decathlon_datalist(task, "val", splits=[["001", "002"], ["003", "004", "005"]])


def test_no_random_split(task):
    (task / "splits.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"splits\.json does not exist, and a random split"):
        decathlon_datalist(task, "train")
    assert len(decathlon_datalist(task, "all")) == 6


def test_groups_stay_together_without_a_splits_file(task):
    (task / "splits.json").unlink()
    folds = [cases(decathlon_datalist(task, "val", fold, group=hippocampus_scan)) for fold in range(3)]
    assert sorted(map(sorted, folds)) == [["001", "002"], ["003", "004"], ["005", "006"]]
    rest = cases(decathlon_datalist(task, "train", 0, group=hippocampus_scan))
    assert sorted(rest) == sorted(folds[1] + folds[2])
    with pytest.raises(ValueError, match="no samples"):
        decathlon_datalist(task, "val", 3, group=hippocampus_scan)  # there are three scans for five folds


def test_a_splits_file_goes_before_groups(task):
    assert decathlon_datalist(task, "val", 1, group=lambda sample: 0) == decathlon_datalist(task, "val", 1)


@pytest.mark.parametrize(
    ("folds", "match"),
    [
        ([["001", "002", "003", "004", "005"]], "hippocampus_006 must be in one fold, but is in none"),
        ([["001", "002", "003"], ["003", "004", "005", "006"]], r"hippocampus_003 .* in \[0, 1\]"),
        ([], "has the folds"),
    ],
)
def test_folds_that_leak_or_forget(task, folds, match):
    (task / "splits.json").write_text(json.dumps({"folds": folds}))
    with pytest.raises(ValueError, match=match):
        decathlon_datalist(task, "train")


def test_wrong_arguments_and_missing_files(task):
    with pytest.raises(ValueError, match=r"folds 0\.\.2, got 3"):
        decathlon_datalist(task, "val", fold=3)
    with pytest.raises(ValueError, match="section must be"):
        decathlon_datalist(task, "training")
    with pytest.raises(ValueError, match="no samples"):
        decathlon_datalist(task, "test")
    (task / "labelsTr" / "hippocampus_001.nii.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"11 of 12 .*labelsTr.*hippocampus_001.*medicaldecathlon"):
        decathlon_datalist(task, "all")
    (task / "dataset.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"dataset\.json"):
        decathlon_datalist(task, "all")


def test_real_folds_keep_scans_together(real_data):
    folder = real_data("hippocampus", "Task04_Hippocampus")
    seen = []
    for fold in range(5):
        scans = {
            section: {(int(case) + 1) // 2 for case in cases(decathlon_datalist(folder, section, fold))}
            for section in ("train", "val")
        }
        assert scans["train"].isdisjoint(scans["val"])
        seen += cases(decathlon_datalist(folder, "val", fold))
    assert sorted(seen) == sorted(cases(decathlon_datalist(folder, "all")))
    assert len(seen) == 202
    assert len(HIPPOCAMPUS.classes) == len(HIPPOCAMPUS.palette) == 3
