"""Groups stay together, and every fold has its share of labels."""

import json
from collections import Counter
from pathlib import Path

import pytest

from monai_mtunet.data import fold_datalist
from monai_mtunet.planning.data import DataCase, FoundData, TargetKind
from monai_mtunet.planning.folds import deal_folds, list_cases


def cases(count=20, labeled=20, group=None, section=None):
    return [
        DataCase(f"{n:02d}", (f"/data/{n}.png",), {"segment": f"/data/{n}_l.png" if n < labeled else None},
                 group and group(n), section and section(n))
        for n in range(count)
    ]  # fmt: skip


def test_all_images_are_dealt_evenly():
    dealt, choice = deal_folds(cases(), 5)
    assert set(Counter(dealt.values()).values()) == {4}
    assert choice.value == "5"


def test_groups_stay_together():
    dealt, choice = deal_folds(cases(group=lambda n: f"patient{n // 3}"), 3)
    assert all(len({dealt[f"{n:02d}"] for n in range(20) if n // 3 == patient}) == 1 for patient in range(7))
    assert "7 groups" in choice.reason


def test_labels_are_dealt_evenly_too():
    dealt, _ = deal_folds(cases(labeled=5), 5)
    assert {dealt[f"{n:02d}"] for n in range(5)} == set(range(5))
    assert set(Counter(dealt.values()).values()) == {4}


def test_where_the_data_say_what_validates_there_is_one_fold():
    dealt, choice = deal_folds(cases(section=lambda n: "val" if n > 17 else "train"), 5)
    assert Counter(dealt.values()) == {None: 18, 0: 2}
    assert choice.value == "1"


def test_fewer_groups_are_fewer_folds_and_one_is_none():
    assert set(deal_folds(cases(3), 5)[0].values()) == {0, 1, 2}
    with pytest.raises(ValueError, match=r"/data/0.png is the only image"):
        deal_folds(cases(1), 5)
    with pytest.raises(ValueError, match="all are of one group"):
        deal_folds(cases(4, group=lambda n: "a"), 5)


def test_the_list_is_read_fold_by_fold_from_wherever_the_data_are(tmp_path: Path):
    (tmp_path / "data").mkdir()
    found = []
    for n in range(4):
        image, label = tmp_path / "data" / f"{n}.png", tmp_path / "data" / f"{n}_l.png"
        image.touch()
        label.touch()
        found.append(
            DataCase(str(n), (str(image),), {"segment": str(label) if n else None, "kind": n % 2, "box": (1, 2)})
        )
    data = FoundData(tuple(found), {"segment": TargetKind.SEGMENTATION}, ("0",), "a folder")
    dealt, _ = deal_folds(found, 2)
    entries = list_cases(data, dealt, ["segment", "kind", "box"], str(tmp_path / "data"))
    assert entries[1]["image"] == "1.png"
    assert entries[1]["box"] == [1, 2]
    (tmp_path / "mine.cases.json").write_text(json.dumps(entries))
    folds = [
        {s: fold_datalist(tmp_path / "mine.cases.json", s, fold, tmp_path / "data") for s in ("train", "val")}
        for fold in (0, 1)
    ]
    assert [sample["image"] for sample in folds[0]["val"]] == [sample["image"] for sample in folds[1]["train"]]
    assert all("fold" not in sample for fold in folds for section in fold.values() for sample in section)
    assert {sample["segment"] for fold in folds for sample in fold["val"]} >= {None, str(tmp_path / "data" / "1_l.png")}
