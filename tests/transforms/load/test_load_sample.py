import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import PILReader
from monai.transforms import Compose
from PIL import Image

from monai_mtunet.tasks import BoundingBoxTask, DepthTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled

RNG = np.random.RandomState(0)
RGB = RNG.randint(0, 256, (20, 30, 3), dtype=np.uint8)
LABELS = RNG.randint(0, 5, (20, 30), dtype=np.uint8)
LABELS[0, 0] = 255
VOLUME = RNG.rand(7, 8, 9).astype(np.float32)
AFFINE = np.diag([-0.5, 0.5, 2.0, 1.0])


@pytest.fixture
def files(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "image.png")
    Image.fromarray(RGB).save(tmp_path / "image.jpg")
    Image.fromarray(LABELS).save(tmp_path / "labels.png")
    for suffix in (".nii", ".nii.gz"):
        nib.save(nib.Nifti1Image(VOLUME, AFFINE), tmp_path / f"volume{suffix}")
    return tmp_path


def test_images_are_channel_height_width(files):
    sample = LoadSampled(["image", "segment"], "segment")(
        {"image": files / "image.png", "segment": files / "labels.png"}
    )
    assert np.array_equal(sample["image"], RGB.transpose(2, 0, 1))
    assert sample["image"].dtype == torch.float32
    assert np.array_equal(sample["segment"], LABELS[None])
    assert sample["segment"].dtype == torch.int16
    assert sample["image"].meta["filename_or_obj"] == str(files / "image.png")


def test_volumes_keep_axes_and_affine(files):
    volume = LoadSampled("image")({"image": str(files / "volume.nii.gz")})["image"]
    assert np.array_equal(volume, VOLUME[None])
    assert np.allclose(volume.affine, AFFINE)


def test_labels_stored_as_float(files):
    nib.save(nib.Nifti1Image(np.round(VOLUME * 3).astype(np.float32), AFFINE), files / "labels.nii")
    labels = LoadSampled("segment", "segment")({"segment": files / "labels.nii"})["segment"]
    assert labels.dtype == torch.int16
    assert np.array_equal(labels, np.round(VOLUME * 3)[None])
    assert np.allclose(labels.affine, AFFINE)


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (1.5, "1.5"), (2**25, "33554432"), (np.inf, "inf")])
def test_labels_that_are_not_classes(files, value, shown):
    volume = np.zeros((4, 4, 4), np.float32)
    volume[0, 0] = value
    nib.save(nib.Nifti1Image(volume, AFFINE), files / "labels.nii")
    with pytest.raises(ValueError, match=rf"segment: .*labels\.nii is not a label map, it holds {shown}, .*Resample"):
        LoadSampled("segment", "segment")({"segment": files / "labels.nii"})
    values = LoadSampled("depth")({"depth": files / "labels.nii"})["depth"]  # a regression target may
    assert np.array_equal(values, volume[None], equal_nan=True)


@pytest.mark.parametrize("name", ["image.png", "image.jpg", "volume.nii", "volume.nii.gz"])
@pytest.mark.parametrize("damage", ["truncated", "empty", "other"])
def test_damaged_files_are_named(files, name, damage):
    file = Path(files / name)
    content = file.read_bytes()
    file.write_bytes(
        {"truncated": content[: len(content) // 2], "empty": b"", "other": b"<html>404</html>" * 30}[damage]
    )
    with pytest.raises(OSError, match=rf"image: .*{name} cannot be read. It is truncated, corrupt or not an image"):
        LoadSampled("image")({"image": str(file)})


def test_missing_files_are_named(files):
    with pytest.raises(FileNotFoundError, match=r"segment: .*absent\.png does not exist"):
        LoadSampled(["image", "segment"], "segment")({"image": files / "image.png", "segment": files / "absent.png"})


def test_the_message_survives_a_pipeline(files):
    with pytest.raises(RuntimeError) as error:
        Compose([LoadSampled("image")])({"image": str(files / "absent.png")})
    assert "absent.png does not exist" in str(error.value.__cause__)


def test_reader_can_convert(files):
    Image.fromarray(RGB[..., 0]).save(files / "gray.png")
    reader = PILReader(converter=lambda image: image.convert("RGB"), reverse_indexing=False)
    assert LoadSampled("image", reader=reader)({"image": files / "gray.png"})["image"].shape == (3, 20, 30)
    assert LoadSampled("image")({"image": files / "gray.png"})["image"].shape == (1, 20, 30)


def test_keys(files):
    with pytest.raises(ValueError, match=r"label_keys \['mask'\] must be among"):
        LoadSampled(["image", "segment"], "mask")
    with pytest.raises(KeyError):
        LoadSampled(["image", "segment"])({"image": files / "image.png"})
    assert set(LoadSampled(["image", "segment"], allow_missing_keys=True)({"image": files / "image.png"})) == {"image"}


def test_targets_may_be_missing_on_purpose(files):
    pair = {"image": files / "image.png", "segment": None}
    assert set(LoadSampled(["image", "segment"], "segment")(pair)) == {"image"}
    pair["segment"] = files / "absent.png"
    assert set(LoadSampled(["image", "segment"], "segment", optional_files="segment")(pair)) == {"image"}
    with pytest.raises(FileNotFoundError, match=r"image: .*gone\.png does not exist"):
        LoadSampled(["image", "segment"], optional_files="segment")({**pair, "image": "gone.png"})
    with pytest.raises(ValueError, match=r"optional_files \['mask'\] must be among"):
        LoadSampled(["image", "segment"], optional_files="mask")


TASKS = TaskList([SegmentationTask("segment", ["a", "b"]), DepthTask("depth"), BoundingBoxTask("box")], only="depth")


def test_the_tasks_say_what_is_loaded_and_how(files):
    sample = LoadSampled(tasks=TASKS)(
        {"image": files / "image.png", "segment": files / "labels.png", "depth": files / "labels.png", "box": [1, 2]}
    )
    assert sample["segment"].dtype == torch.int16  # though it is not trained
    assert sample["depth"].dtype == torch.float32
    assert sample["box"] == [1, 2]
    assert set(LoadSampled(tasks=TASKS)({"image": files / "image.png", "depth": None})) == {"image"}


def test_keys_narrow_what_the_tasks_say(files):
    pair = {"image": files / "image.png", "segment": files / "labels.png", "depth": files / "labels.png"}
    sample = LoadSampled(["image", "segment"], tasks=TASKS)(pair)
    assert sample["segment"].dtype == torch.int16
    assert sample["depth"] == pair["depth"]
    assert LoadSampled("image", tasks=TASKS)(pair)["segment"] == pair["segment"]
    with pytest.raises(ValueError, match="Give the keys to load, or the tasks"):
        LoadSampled()


def test_what_is_painted_already_is_passed_by(files):
    painted = {"image": torch.rand(3, 4, 5), "segment": np.zeros((1, 4, 5))}
    loaded = LoadSampled(tasks=TASKS)({**painted, "depth": files / "labels.png"})
    assert all(loaded[key] is value for key, value in painted.items())
    assert loaded["depth"].shape == (1, 20, 30)


@pytest.mark.skipif("MONAI_DATA_DIRECTORY" not in os.environ, reason="MONAI_DATA_DIRECTORY is not set")
def test_hippocampus_labels_are_integers_in_every_file():
    folder = Path(os.environ["MONAI_DATA_DIRECTORY"], "hippocampus", "Task04_Hippocampus", "labelsTr")
    paths = sorted(folder.glob("*.nii.gz"))
    if not paths:
        pytest.skip(f"{folder} has no labels")
    stored = {path: nib.load(path).get_data_dtype() for path in paths}
    floating = [path for path, dtype in stored.items() if dtype.kind == "f"]
    assert floating  # a few are stored as floating point, with whole numbers in them
    for path in (*floating, paths[0]):
        labels = LoadSampled("segment", "segment")({"segment": path})["segment"]
        assert labels.dtype == torch.int16
        assert labels.unique().tolist() == [0, 1, 2]


@pytest.mark.parametrize("ignored", [[], [-1]])
def test_declared_labels_of_files_become_class_numbers(files, ignored):
    volume = np.array([[[0, 1, 3], [255, 500, 40000]]], np.float32)
    volume[0, 1, 0] = ignored[0] if ignored else 255
    nib.save(nib.Nifti1Image(volume, AFFINE), files / "labels.nii")
    classes = ["background", "one", "three", "many"]
    task = SegmentationTask("segment", classes, labels=[0, 1, 3, [500, 40000]], ignored_labels=ignored)
    tasks = TaskList([SegmentationTask("other", ["a", "b"]), task], only="other")  # the declared, not the active ones
    labels = LoadSampled(tasks=tasks)({"segment": files / "labels.nii"})["segment"]
    assert labels.tolist() == [[[[0, 1, 2], [255, 3, 3]]]]
    assert labels.dtype == torch.int16
    assert np.allclose(labels.affine, AFFINE)


def test_numbers_that_are_not_declared_are_refused(files):
    nib.save(nib.Nifti1Image(np.array([[[0, 1, 2, 7]]], np.uint8), AFFINE), files / "labels.nii")
    load = LoadSampled(tasks=TaskList([SegmentationTask("segment", ["a", "b", "c"], labels=[0, 1, 3])]))
    with pytest.raises(ValueError, match=r"labels\.nii holds 2, 7, but the labels .* are \[0, 1, 3, 255\].*ignored_"):
        load({"segment": files / "labels.nii"})
    painted = torch.tensor([[[2]]])
    assert load({"segment": painted})["segment"] is painted  # class numbers already


@pytest.mark.parametrize("value", [7, {"path": "a.png"}, True, [None], [["a.png"]]])
def test_what_is_no_path_is_refused_by_key_and_value(value):
    with pytest.raises(ValueError, match=r"image: .* is no path: name a file in the data list"):
        LoadSampled("image")({"image": value})
    with pytest.raises(ValueError, match="image: no file is named"):
        LoadSampled("image")({"image": []})


@pytest.mark.parametrize("name", ["x" * 300, "a\0b.png"])
def test_names_that_no_file_can_have_do_not_exist(name):
    with pytest.raises(FileNotFoundError, match="does not exist: correct the data list"):
        LoadSampled("image")({"image": name})
