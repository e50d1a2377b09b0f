"""Files as the test servers of PASCAL VOC and Cityscapes take them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from PIL import Image

from monai_mtunet.data import CITYSCAPES, VOC
from monai_mtunet.inferers import SaveLabelMapd
from monai_mtunet.tasks import SegmentationTask, TaskList

VOC_TASK = SegmentationTask("segment", VOC.classes, VOC.palette)
CITYSCAPES_TASK = SegmentationTask("segment", CITYSCAPES.classes, CITYSCAPES.palette)


def sample(name, classes):
    labels = torch.as_tensor(classes, dtype=torch.uint8)[None]
    return {
        "image": MetaTensor(torch.zeros(3, *labels.shape[1:]), meta={"filename_or_obj": name}),
        "pred_segment": labels,
    }


def test_voc_takes_class_numbers_named_by_the_image(tmp_path):
    classes = np.arange(21).reshape(3, 7)
    SaveLabelMapd(VOC_TASK, tmp_path / "comp6_test_cls")(sample("JPEGImages/2008_000006.jpg", classes))
    saved = Image.open(tmp_path / "comp6_test_cls" / "2008_000006.png")
    assert saved.mode == "P"
    np.testing.assert_array_equal(np.asarray(saved), classes)
    np.testing.assert_array_equal(np.asarray(saved.convert("RGB")), np.array(VOC.palette)[classes])


def test_cityscapes_takes_its_ids(tmp_path):
    classes = np.arange(18, -1, -1).reshape(1, 19)
    save = SaveLabelMapd(CITYSCAPES_TASK, tmp_path, labels=CITYSCAPES.label_of_class, suffix="_leftImg8bit")
    save(sample("berlin/berlin_000000_000019_leftImg8bit.png", classes))
    saved = Image.open(tmp_path / "berlin_000000_000019.png")
    ids = np.asarray(saved)
    assert ids.min() == 7
    assert ids.max() == 33
    class_of = dict(zip(CITYSCAPES.labels, CITYSCAPES.class_of_label, strict=True))
    assert [class_of[number] for number in ids[0].tolist()] == classes[0].tolist()
    np.testing.assert_array_equal(np.asarray(saved.convert("RGB")), np.array(CITYSCAPES.palette)[classes])


def test_what_cannot_be_saved_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"one number in 0..255 for each of the 21 classes, got \(1, 2\)"):
        SaveLabelMapd(VOC_TASK, tmp_path, labels=(1, 2))
    with pytest.raises(ValueError, match=r"one number in 0..255"):
        SaveLabelMapd(VOC_TASK, tmp_path, labels=range(236, 257))
    save = SaveLabelMapd(VOC_TASK, tmp_path)
    with pytest.raises(ValueError, match=r"pred_segment has shape \(1, 2, 2, 2\): only label maps \(1, H, W\)"):
        save(sample("a.nii.gz", np.zeros((2, 2, 2))))
    save(sample("a/1.jpg", np.zeros((2, 2))))
    with pytest.raises(ValueError, match=r"b/1\.jpg and a/1\.jpg would both be saved as 1\.png"):
        save(sample("b/1.jpg", np.zeros((2, 2))))


def test_the_documented_configuration(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    block = next(block for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) if "SaveLabelMapd" in block)
    config = {"imports": ["$import os", "$import monai_mtunet"], **json.loads(f"{{{block}}}")}
    config |= {"active_tasks": TaskList([CITYSCAPES_TASK]), "output_dir": str(tmp_path), "preprocessing": None}
    logits = torch.zeros(19, 4, 6)
    logits[13] = 1  # cars everywhere
    image = MetaTensor(torch.zeros(3, 4, 6), meta={"filename_or_obj": "bonn_000001_000019_leftImg8bit.png"})
    ConfigParser(config).get_parsed_content("postprocessing")({"image": image, "pred": {"segment": logits}})
    (file,) = (tmp_path / "server").iterdir()
    assert file.name == "bonn_000001_000019.png"
    assert (np.asarray(Image.open(file)) == 26).all()
