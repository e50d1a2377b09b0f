"""A miniature of PASCAL VOC 2012 and of SBD in their official layouts."""

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image

from monai_mtunet.data import VOC, voc_datalist, write_sbd_annotations
from monai_mtunet.pictures import label_png
from monai_mtunet.transforms import LoadSampled

TRAIN, VAL = ["2007_000032", "2007_000039"], ["2007_000033"]
SBD_TRAIN, SBD_VAL = ["2008_000002", "2007_000032"], ["2007_000033", "2008_000003"]
LABELS = np.array([[0, 20, 255], [15, 1, 0]], dtype=np.uint8)


@pytest.fixture
def voc(tmp_path):
    folder = tmp_path / "VOCdevkit" / "VOC2012"
    for part in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / part).mkdir(parents=True)
    for image_id in {*TRAIN, *VAL, *SBD_TRAIN, *SBD_VAL}:
        Image.fromarray(np.full((2, 3, 3), 90, dtype=np.uint8)).save(folder / "JPEGImages" / f"{image_id}.jpg")
    for image_id in TRAIN + VAL:
        label_png(LABELS, dict(enumerate(VOC.palette))).save(folder / "SegmentationClass" / f"{image_id}.png")
    for section, ids in {"train": TRAIN, "val": VAL, "test": SBD_VAL[1:]}.items():
        (folder / "ImageSets" / "Segmentation" / f"{section}.txt").write_text("\n".join(ids) + "\n")
    return folder


@pytest.fixture
def sbd(tmp_path):
    folder = tmp_path / "benchmark_RELEASE" / "dataset"
    (folder / "cls").mkdir(parents=True)
    for section, ids in {"train": SBD_TRAIN, "val": SBD_VAL}.items():
        (folder / f"{section}.txt").write_text("\n".join(ids) + "\n")
        for image_id in ids:
            # As SBD's files are: a structure with class numbers, and boundaries that are not needed.
            annotation = {"Segmentation": np.full((2, 3), 7, dtype=np.uint8), "CategoriesPresent": np.array([7])}
            scipy.io.savemat(folder / "cls" / f"{image_id}.mat", {"GTcls": annotation})
    return folder


@pytest.mark.filterwarnings("ignore:.*images of PASCAL VOC")
@pytest.mark.parametrize("levels", [0, 1, 2])
def test_official_layout(voc, levels):
    folder = [voc, *voc.parents][levels]
    assert voc_datalist(folder, "train") == [
        {"image": str(voc / f"JPEGImages/{i}.jpg"), "segment": str(voc / f"SegmentationClass/{i}.png")} for i in TRAIN
    ]
    assert voc_datalist(folder, "test") == [{"image": str(voc / "JPEGImages/2008_000003.jpg")}]


def test_palette_files_are_read_as_class_numbers(voc):
    with pytest.warns(UserWarning, match="1 of the 1449 images of PASCAL VOC's section 'val'"):
        sample = voc_datalist(voc, "val")[0]
    sample = LoadSampled(["image", "segment"], label_keys="segment")(sample)
    assert sample["image"].shape == (3, 2, 3)
    assert torch.equal(sample["segment"].as_tensor(), torch.as_tensor(LABELS[None], dtype=torch.int16))


@pytest.mark.filterwarnings("ignore:.*images of PASCAL VOC")
def test_trainaug_is_made_of_sbd(voc, sbd):
    ids = write_sbd_annotations(sbd.parent, voc.parent)
    assert ids == ["2007_000032", "2007_000039", "2008_000002", "2008_000003"]  # all but val's
    datalist = voc_datalist(voc, "trainaug")
    assert [sample["segment"] for sample in datalist] == [str(voc / f"SegmentationClassAug/{i}.png") for i in ids]
    maps = [np.asarray(Image.open(sample["segment"])) for sample in datalist]
    for labels in maps[:2]:  # VOC's own are finer
        np.testing.assert_array_equal(labels, LABELS)
    for labels in maps[2:]:
        np.testing.assert_array_equal(labels, np.full((2, 3), 7))


@pytest.mark.filterwarnings("ignore:.*images of PASCAL VOC")
def test_published_lists_of_pairs(voc):
    (voc / "SegmentationClassAug").mkdir()
    label_png(LABELS, dict(enumerate(VOC.palette))).save(voc / "SegmentationClassAug" / "2008_000002.png")
    line = "/JPEGImages/2008_000002.jpg /SegmentationClassAug/2008_000002.png\n"
    (voc / "ImageSets" / "Segmentation" / "trainaug.txt").write_text(line)
    assert voc_datalist(voc, "trainaug") == [
        {
            "image": str(voc / "JPEGImages/2008_000002.jpg"),
            "segment": str(voc / "SegmentationClassAug/2008_000002.png"),
        }
    ]


def test_missing_files_are_named(voc, sbd):
    with pytest.raises(ValueError, match="sections train, val, trainval, test, trainaug, got 'training'"):
        voc_datalist(voc, "training")
    with pytest.raises(FileNotFoundError, match=r"trainaug\.txt.*SBD from .*benchmark\.tgz.*write_sbd_annotations"):
        voc_datalist(voc, "trainaug")
    (voc / "SegmentationClass" / "2007_000039.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"3 of 4 files .*2007_000039\.png.*VOCtrainval_11-May-2012\.tar"):
        voc_datalist(voc, "train")
    (voc / "ImageSets" / "Segmentation" / "val.txt").write_text("\n")
    with pytest.raises(ValueError, match="no samples"):
        voc_datalist(voc, "val")
    (sbd / "cls" / "2008_000003.mat").unlink()
    with pytest.raises(FileNotFoundError, match=r"SBD is incomplete.*2008_000003\.mat"):
        write_sbd_annotations(sbd, voc)
    assert not (voc / "ImageSets" / "Segmentation" / "trainaug.txt").exists()
    (sbd / "val.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"val\.txt.*benchmark\.tgz"):
        write_sbd_annotations(sbd, voc)


def test_tables():
    """The palette is that of the development kit: the bits of the number, turn by turn to red, green and blue."""
    assert len(VOC.classes) == len(set(VOC.classes)) == 21
    assert (*range(21), 255) == VOC.labels
    for label, color in enumerate(VOC.palette):
        assert color == tuple(
            sum(((label >> (3 * k + channel)) & 1) << (7 - k) for k in range(3)) for channel in range(3)
        )


@pytest.mark.parametrize("classes", [1, 2, 16, 21])
def test_label_pngs_hold_255_whatever_the_palette(tmp_path, classes):
    label_png(np.array([[0, 255]]), dict(enumerate(VOC.palette[:classes]))).save(tmp_path / "a.png")
    saved = Image.open(tmp_path / "a.png")
    assert saved.mode == "P"
    assert np.asarray(saved).tolist() == [[0, 255]]
    assert np.asarray(saved.convert("RGB")).tolist() == [[[0, 0, 0], [255, 255, 255]]]
