"""What a list with folds says wrongly is told."""

import json

import pytest

from monai_mtunet.data import fold_datalist


def write(folder, *folds):
    for number in range(len(folds)):
        (folder / f"{number}.png").touch()
    entries = [{"image": f"{n}.png", **({} if fold == "none" else {"fold": fold})} for n, fold in enumerate(folds)]
    (folder / "list.json").write_text(json.dumps(entries))
    return folder / "list.json"


def names(samples):
    return [sample["image"].rpartition("/")[2] for sample in samples]


def test_what_is_in_no_fold_is_always_trained_on(tmp_path):
    file = write(tmp_path, 0, 1, None)
    assert names(fold_datalist(file, "train", 0)) == ["1.png", "2.png"]
    assert names(fold_datalist(file, "val", 1)) == ["1.png"]


@pytest.mark.parametrize(
    ("folds", "arguments", "message"),
    [
        ((0, 1), ("train", 2), r"has the folds \[0, 1\], got 2"),
        ((0, "none"), ("train", 0), r'entry 2, has no "fold"'),
        ((0, 0), ("train", 0), "nothing is left to train on"),
        ((0, 1), ("test", 0), "section must be 'train' or 'val'"),
    ],
)
def test_errors_say_what_is_wrong(folds, arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        fold_datalist(write(tmp_path, *folds), *arguments)
