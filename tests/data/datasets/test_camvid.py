from pathlib import Path

import pytest

from monai_mtunet.data import CAMVID, CAMVID_CATEGORIES, camvid_datalist


@pytest.fixture
def camvid(tmp_path):
    lines = []
    for name in ("0001TP_1", "0006R0_1", "0006R0_2"):
        for folder in ("train", "trainannot"):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{name}.png").touch()
        lines.append(f"train/{name}.png trainannot/{name}.png")
    (tmp_path / "train.txt").write_text("\n".join(lines) + "\n\n")
    return tmp_path


def test_pairs_are_absolute(camvid, monkeypatch):
    monkeypatch.chdir(camvid.parent)
    first = camvid_datalist(camvid.name)[0]
    assert first == {
        "image": str(camvid / "train" / "0001TP_1.png"),
        "segment": str(camvid / "trainannot" / "0001TP_1.png"),
    }


def test_lists_of_the_segnet_repository(camvid):
    (camvid / "train.txt").write_text("/SegNet/CamVid/train/0001TP_1.png /SegNet/CamVid/trainannot/0001TP_1.png\n")
    assert camvid_datalist(camvid)[0]["image"] == str(camvid / "train" / "0001TP_1.png")


def test_held_out_sequence_splits_the_training_section(camvid):
    names = {
        section: [Path(item["image"]).stem for item in camvid_datalist(camvid, section, held_out="0006R0")]
        for section in ("train", "val")
    }
    assert names == {"train": ["0001TP_1"], "val": ["0006R0_1", "0006R0_2"]}


def test_missing_files_are_named_and_counted(camvid):
    (camvid / "trainannot" / "0006R0_1.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"5 of 6 files .*0006R0_1\.png.*github.*--dataset_dir"):
        camvid_datalist(camvid)


def test_missing_list_folder_or_setting(camvid, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"val\.txt"):
        camvid_datalist(camvid, "val")
    with pytest.raises(FileNotFoundError, match=r"nowhere is no folder.*--dataset_dir"):
        camvid_datalist(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="MONAI_DATA_DIRECTORY"):
        camvid_datalist(None)


def test_lists_that_make_no_sense(camvid):
    with pytest.raises(ValueError, match="no samples"):
        camvid_datalist(camvid, "val", held_out="0016E5")
    with pytest.raises(ValueError, match="held_out splits the training section"):
        camvid_datalist(camvid, "test", held_out="0006R0")
    (camvid / "train.txt").write_text("train/a.png\n")
    with pytest.raises(ValueError, match="line 1: expected an image and a label map"):
        camvid_datalist(camvid)


def test_tables_fit_together():
    assert len(CAMVID.classes) == len(CAMVID.palette) == 11
    assert len(CAMVID_CATEGORIES.classes) == len(CAMVID_CATEGORIES.palette) == 5
    assert len(CAMVID.labels) == len(CAMVID.class_of_label) == len(CAMVID_CATEGORIES.class_of_label) == 12
    assert CAMVID.class_of_label[11] == CAMVID_CATEGORIES.class_of_label[11] == 255


def test_real_data(real_data):
    folder = real_data("camvid")
    assert len(camvid_datalist(folder, "train")) == 367
    assert len(camvid_datalist(folder, "val")) == 101
    assert len(camvid_datalist(folder, "train", held_out="0006R0")) == 266
    assert len(camvid_datalist(folder, "val", held_out="0006R0")) == 101
