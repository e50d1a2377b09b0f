import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, Dataset, pad_list_data_collate
from PIL import Image

from monai_mtunet.data import SampleLoader
from monai_mtunet.engines.checks.size_check import SizeCheck
from monai_mtunet.transforms import LoadSampled


@pytest.fixture
def pictures(tmp_path):
    """The last two are of other sizes."""
    sizes = [(6, 8)] * 6 + [(6, 9), (5, 8)]
    for index, size in enumerate(sizes):
        Image.fromarray(np.zeros(size, np.uint8)).save(tmp_path / f"{index}.png")
    return [{"image": str(tmp_path / f"{index}.png")} for index in range(len(sizes))]


def cropped_to(size):
    load = LoadSampled("image")

    def transform(entry):
        return {"image": load(entry)["image"][:, :size, :size]}

    return transform


@pytest.mark.parametrize("dataset", [Dataset, lambda *args: CacheDataset(*args, progress=False)])
def test_sizes_that_differ_are_refused_before_training(pictures, dataset):
    loader = SampleLoader(dataset(pictures, cropped_to(6)), batch_size=2)
    with pytest.raises(ValueError, match=r"differ in size: .*0.png, 6 x 6; .*7.png, 5 x 6\. Bring them to one"):
        SizeCheck(loader)()


def test_sizes_that_crops_make_one_are_right(pictures):
    SizeCheck(SampleLoader(Dataset(pictures, cropped_to(5)), batch_size=2))()


def test_batches_of_one_and_loaders_that_pad_take_any_size(pictures):
    dataset = Dataset(pictures, cropped_to(9))
    SizeCheck(SampleLoader(dataset, batch_size=1))()
    SizeCheck(DataLoader(dataset, batch_size=2, collate_fn=pad_list_data_collate))()


class Untouched(Dataset):
    def __getitem__(self, index):
        raise AssertionError("where all are of one size nothing is loaded")


def test_of_one_size_nothing_is_loaded(pictures, tmp_path):
    SizeCheck(SampleLoader(Untouched(pictures[:6]), batch_size=2))()
    SizeCheck(SampleLoader(Untouched([{"seed": 1}, {"seed": 2}]), batch_size=2))()
    for index in range(2):
        nib.save(nib.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.eye(4)), tmp_path / f"{index}.nii.gz")
    SizeCheck(SampleLoader(Untouched([{"image": tmp_path / f"{index}.nii.gz"} for index in range(2)]), batch_size=2))()


def test_arrays_and_channels_of_several_files(pictures):
    arrays = [{"image": torch.zeros(1, 4, 4)}, {"image": torch.zeros(1, 4, 5)}]
    with pytest.raises(ValueError, match="in memory, 4 x 4; in memory, 4 x 5"):
        SizeCheck(SampleLoader(Dataset(arrays), batch_size=2))()
    two = [{"image": [entry["image"], entry["image"]]} for entry in pictures]
    with pytest.raises(ValueError, match="differ in size"):
        SizeCheck(SampleLoader(Dataset(two, cropped_to(9)), batch_size=2))()
