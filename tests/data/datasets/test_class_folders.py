import pytest
import torch
from PIL import Image

from monai_mtunet.data import class_folder_datalist, class_folder_names
from monai_mtunet.tasks import ClassificationTask, TaskList
from monai_mtunet.transforms import FillMissingTargetsd, LoadSampled

IMAGES = {
    "train": {"n02": ["b.JPEG", "a.JPEG"], "n01": ["c.JPEG"], "n10": ["d.png"]},
    "val": {"n10": ["e.JPEG"], "n02": ["f.jpg"]},
}


@pytest.fixture
def folder(tmp_path):
    for section, classes in IMAGES.items():
        for name, files in classes.items():
            (tmp_path / section / name).mkdir(parents=True)
            (tmp_path / section / name / "notes.txt").touch()
            for file in files:
                Image.new("RGB", (5, 4), (10, 20, 30)).save(tmp_path / section / name / file)
    return tmp_path


def test_classes_are_numbered_as_the_training_folders_sort(folder):
    assert class_folder_names(folder) == ["n01", "n02", "n10"]
    assert class_folder_datalist(folder) == [
        {"image": str(folder / "train" / "n01" / "c.JPEG"), "classify": 0},
        {"image": str(folder / "train" / "n02" / "a.JPEG"), "classify": 1},
        {"image": str(folder / "train" / "n02" / "b.JPEG"), "classify": 1},
        {"image": str(folder / "train" / "n10" / "d.png"), "classify": 2},
    ]


def test_sections_without_a_class_keep_the_numbers(folder):
    images = class_folder_datalist(folder, "val", task="species")
    assert images == [
        {"image": str(folder / "val" / "n02" / "f.jpg"), "species": 1},
        {"image": str(folder / "val" / "n10" / "e.JPEG"), "species": 2},
    ]


def test_samples_are_those_of_a_classification_task(folder):
    task = ClassificationTask("classify", class_folder_names(folder))
    sample = LoadSampled("image")(class_folder_datalist(folder, "val")[1])
    sample = FillMissingTargetsd(TaskList([task]))(sample)
    assert sample["image"].shape == (3, 4, 5)
    assert torch.equal(task.prepare_target(sample["classify"][None]), torch.tensor([[2]]))


def test_what_is_missing_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"test is no folder.*\{section\}/\{class\}/\{image\}.*--dataset_dir"):
        class_folder_datalist(folder, "test")
    with pytest.raises(ValueError, match="No folder was given for ImageNet"):
        class_folder_datalist("")
    with pytest.raises(ValueError, match=r"n01 holds no folders, which would be the classes"):
        class_folder_names(folder, "train/n01")
    (folder / "val" / "n11").mkdir()
    with pytest.raises(ValueError, match=r"val holds the classes \['n11'\], of which .*train has no folders"):
        class_folder_datalist(folder, "val")
    (folder / "train" / "n10" / "d.png").unlink()
    with pytest.raises(
        ValueError, match=r"class folder .*train/n10 holds no image: none of its files ends in .*\.jpeg"
    ):
        class_folder_datalist(folder)
