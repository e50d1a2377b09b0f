"""Predictions lie where their image's file does, with its axes."""

import nibabel as nib
import numpy as np
import pytest
import tifffile
import torch
from monai.transforms import Compose, DivisiblePadd, Spacingd
from PIL import Image

from monai_mtunet.files.header import Header, Kind
from monai_mtunet.inferers import TaskPostprocessing
from monai_mtunet.inferers.save_dense import saved_dtype
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled

TASKS = TaskList([RestorationTask("denoise", 1), SegmentationTask("segment", ["none", "one"])])
AFFINE = np.array([[-2.0, 0, 0, 9], [0, 0, 1, 8], [0, 3, 0, 7], [0, 0, 0, 1]])


def predict(path, folder, steps=(), undo=True):
    """A network that denoises by giving back its input, and segments what is above 0.5."""
    preprocessing = Compose([LoadSampled("image"), *steps])
    sample = preprocessing({"image": str(path)})
    image = sample["image"].as_tensor()[:1]
    pred = {"denoise": image, "segment": torch.cat([0.5 - image, image - 0.5])}
    TaskPostprocessing(TASKS, folder, preprocessing if undo else None)({**sample, "pred": pred})


@pytest.mark.parametrize("shape", [(7, 6, 1), (7, 6, 5), (7, 1, 5)])
@pytest.mark.parametrize("undo", [True, False])
def test_volumes_keep_their_three_axes(tmp_path, shape, undo):
    values = np.random.default_rng(0).random(shape).astype(np.float32)
    nib.save(nib.Nifti1Image(values, AFFINE), tmp_path / "slice.nii.gz")
    predict(tmp_path / "slice.nii.gz", tmp_path / "out", undo=undo)
    for name, expected in (("denoise", values), ("segment", values > 0.5)):
        saved = nib.load(tmp_path / "out" / f"slice_{name}.nii.gz")
        assert saved.shape == shape
        np.testing.assert_array_equal(saved.get_fdata(), expected)
        np.testing.assert_allclose(saved.affine, AFFINE)


@pytest.mark.parametrize("steps", [[], [DivisiblePadd("image", k=8)]])
@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
def test_2d_nifti_comes_back_with_its_axes_and_affine(tmp_path, steps, ending):
    values = np.random.default_rng(0).random((7, 5)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, AFFINE), tmp_path / f"slice{ending}")
    predict(tmp_path / f"slice{ending}", tmp_path / "out", steps)
    for name, expected in (("denoise", values), ("segment", values > 0.5)):
        saved = nib.load(tmp_path / "out" / f"slice_{name}.nii.gz")
        np.testing.assert_array_equal(saved.get_fdata(), expected)
        np.testing.assert_allclose(saved.affine, AFFINE)


def test_resampled_2d_nifti_too(tmp_path):
    values = np.zeros((8, 6), np.float32)
    values[4:] = 1
    affine = np.diag([2.0, 2, 1, 1])
    nib.save(nib.Nifti1Image(values, affine), tmp_path / "slice.nii.gz")
    predict(tmp_path / "slice.nii.gz", tmp_path / "out", [Spacingd("image", pixdim=(1, 1), mode="nearest")])
    saved = nib.load(tmp_path / "out" / "slice_segment.nii.gz")
    np.testing.assert_array_equal(saved.get_fdata(), values)
    np.testing.assert_allclose(saved.affine, affine)


@pytest.mark.parametrize("name", ["i.tif", "i.jpg", "i.webp"])
def test_pictures_come_back_as_displayed(tmp_path, name):
    values = np.zeros((24, 40), np.uint8)
    values[:8, :16] = 255
    exif = Image.Exif()
    if name != "i.tif":
        exif[274] = 6  # displayed turned to the right
    Image.fromarray(values).save(tmp_path / name, exif=exif)
    predict(tmp_path / name, tmp_path / "out")
    shown = values if name == "i.tif" else np.rot90(values, -1)
    ending = "tif" if name == "i.tif" else "png"
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / f"i_segment.{ending}")), shown // 255)


@pytest.mark.parametrize("name", ["i.png", "i.jpg"])
def test_pictures_keep_their_pixels_per_inch(tmp_path, name):
    Image.fromarray(np.zeros((24, 40), np.uint8)).save(tmp_path / name, dpi=(300, 300))
    Image.fromarray(np.zeros((24, 40), np.uint8)).save(tmp_path / f"without_{name}")
    for path in (tmp_path / name, tmp_path / f"without_{name}"):
        predict(path, tmp_path / "out")
    for task in ("denoise", "segment"):
        assert Image.open(tmp_path / "out" / f"i_{task}.png").info["dpi"] == pytest.approx((300, 300), abs=0.01)
        assert "dpi" not in Image.open(tmp_path / "out" / f"without_i_{task}.png").info


def test_restored_colors_of_16_bits_are_colors_of_16_bits(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (12, 9, 3), np.uint16)
    tifffile.imwrite(tmp_path / "i.tif", values, photometric="rgb", resolution=(300, 300), resolutionunit="INCH")
    preprocessing, task = Compose([LoadSampled("image")]), RestorationTask("denoise", 3, data_range=(0, 65535))
    sample = preprocessing({"image": str(tmp_path / "i.tif")})
    output = {**sample, "pred": {"denoise": sample["image"].as_tensor()}}
    TaskPostprocessing(TaskList([task]), tmp_path / "out", preprocessing)(output)
    with tifffile.TiffFile(tmp_path / "out" / "i_denoise.tif") as file:
        assert file.series[0].axes == "YXS"
        assert file.pages[0].photometric == tifffile.PHOTOMETRIC.RGB
        np.testing.assert_array_equal(file.asarray(), values)
    assert saved_dtype(task, Header(Kind.TIFF, 2, "uint16", axes="yx")) == "float32"


def test_the_stem_of_an_ending_in_capitals(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.float32), AFFINE), tmp_path / "x.nii.gz")
    (tmp_path / "x.nii.gz").rename(tmp_path / "SUB01.NII.GZ")
    predict(tmp_path / "SUB01.NII.GZ", tmp_path / "out")
    assert (tmp_path / "out" / "SUB01_segment.nii.gz").exists()
