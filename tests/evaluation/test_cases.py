"""Predictions and targets find each other by name."""

from pathlib import Path

import pytest

from monai_mtunet.evaluation.cases import Case, find_cases

TASKS = ("segment", "fine_segment", "kind")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def touch(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def pairs(cases: list[Case]) -> dict[str, tuple[set[str], set[str]]]:
    return {case.name: (set(case.predictions), set(case.targets)) for case in cases}


def test_folders_of_files_that_are_named_as_predictions_are() -> None:
    touch("out/a_segment.nii.gz", "out/a_fine_segment.png", "out/sub/b_segment.nii.gz", "out/sub/b_kind.json")
    touch("out/a_panel.png", "out/notes.json", "out/c_segment.nii.gz.partial", "out/.d_segment.png")
    touch("true/a_segment.nii", "true/a_fine_segment.png", "true/sub/c_segment.png", "true/README.txt")
    assert pairs(find_cases("out", ["true"], TASKS)) == {
        "a": ({"segment", "fine_segment"}, {"segment", "fine_segment"}),
        "sub/b": ({"segment", "kind"}, set()),
        "sub/c": (set(), {"segment"}),
    }


def test_folders_of_one_tasks_files_that_are_named_as_images_are() -> None:
    touch("out/a_segment.nii.gz", "out/case_1_0000_segment.nii.gz", "labels/a.nii.gz", "labels/case_1.nii.gz")
    cases = find_cases("out", ["segment=labels"], TASKS)
    assert pairs(cases) == {"a": ({"segment"}, {"segment"}), "case_1_0000": ({"segment"}, {"segment"})}
    assert cases[0].targets["segment"] == ("labels/a.nii.gz",)


def test_lists_name_targets_by_task_and_say_what_is_missing() -> None:
    touch("data/s1/t1.nii", "data/s1/t2.nii", "data/s2/t1.nii", "data/s1/labels.nii")
    Path("data/list.json").write_text(
        '{"train": [{"image": "s2/t1.nii", "segment": "gone.nii"}], "test": ['
        '{"image": ["s1/t1.nii", "s1/t2.nii"], "segment": "s1/labels.nii", "kind": 2, "other": "gone.nii"},'
        '{"image": "s2/t1.nii", "segment": null}]}'
    )
    touch("out/s1/t1_segment.nii.gz", "out/s1/t1_kind.json", "out/s2/t1_segment.nii.gz")
    first, second = find_cases("out", ["data/list.json#test"], TASKS)
    assert first.image == str(Path("data/s1/t1.nii").absolute())
    assert first.targets == {"segment": (str(Path("data/s1/labels.nii").absolute()),), "kind": (2,)}
    assert (second.name, second.targets, second.without_target) == ("s2/t1", {}, {"segment"})


def test_several_sources_are_joined_and_must_not_contradict() -> None:
    touch("out/a_segment.png", "out/a_fine_segment.png", "coarse/a.png", "fine/a.png", "other/a.png")
    (case,) = find_cases("out", ["segment=coarse", "fine_segment=fine"], TASKS)
    assert set(case.targets) == {"segment", "fine_segment"}
    with pytest.raises(ValueError, match=r"coarse/a\.png and other/a\.png are both targets of 'segment' for a"):
        find_cases("out", ["segment=coarse", "segment=other"], TASKS)


def test_what_is_not_there_is_told() -> None:
    touch("out/a_segment.png", "true/a_segment.png", "empty/notes.png")
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        find_cases("nowhere", ["true"], TASKS)
    with pytest.raises(ValueError, match="empty holds no prediction: no file's name ends in _segment or "):
        find_cases("empty", ["true"], TASKS)
    with pytest.raises(ValueError, match="empty holds no target of segment or"):
        find_cases("out", ["empty"], TASKS)
    with pytest.raises(FileNotFoundError, match="segmnt=true is neither a data list, nor a folder"):
        find_cases("out", ["segmnt=true"], TASKS)
    touch("out/a_segment.nii.gz")
    with pytest.raises(ValueError, match="are both the prediction of 'segment' for a: remove one"):
        find_cases("out", ["true"], TASKS)
