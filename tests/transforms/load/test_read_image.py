"""Every 2D reader gives (C, H, W) as displayed, and what cannot be read is told with advice that fits."""

import pickle

import itk
import nibabel as nib
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageOps

from monai_mtunet.transforms import LoadSampled, PictureReader

MASK = np.zeros((48, 64), np.uint8)
MASK[5:20, 10:50] = 1
LOAD = LoadSampled(["image", "segment"], "segment")


def pair(tmp_path, image):
    Image.fromarray(MASK).save(tmp_path / "mask.png")
    return LOAD({"image": tmp_path / image, "segment": tmp_path / "mask.png"})


@pytest.mark.parametrize(
    "name",
    ["i.png", "i.tif", "i.tiff", "i.jp2", "i.bmp", "i.webp", "i.ppm", "i.pgm", "i.gif", "i.tga", "i.TIF", "bare"],
)
def test_pictures_fit_their_png_mask(tmp_path, name):
    picture = Image.fromarray(MASK * 255)
    if name == "i.webp":
        picture.convert("RGB").save(tmp_path / name, lossless=True)
    else:
        picture.save(tmp_path / name, format="png" if name == "bare" else None)
    sample = pair(tmp_path, name)
    image = sample["image"]
    assert image.shape[1:] == (48, 64)
    assert image[:1][sample["segment"] == 1].unique().tolist() == [255]
    assert image[:1][sample["segment"] == 0].unique().tolist() == [0]


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int16])
def test_the_values_of_deep_tiffs_stay(tmp_path, dtype):
    values = (MASK * 20000.0 + 3000).astype(dtype)
    tifffile.imwrite(tmp_path / "cell.tif", values)
    assert np.array_equal(pair(tmp_path, "cell.tif")["image"][0], values)


def test_colors_of_16_bits_are_not_cut_to_8(tmp_path):
    values = MASK[..., None] * np.array([20000, 300, 7], np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", values, photometric="rgb")
    assert np.array_equal(pair(tmp_path, "deep.tif")["image"], values.transpose(2, 0, 1))


def test_a_stack_of_pages_is_a_volume_as_before(tmp_path):
    pages = np.random.default_rng(0).integers(0, 255, (5, 48, 64), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", pages, photometric="minisblack")
    loaded = LoadSampled("image")({"image": tmp_path / "stack.tif"})["image"]
    assert np.array_equal(loaded[0], pages.transpose(2, 1, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["image", "label"])
def test_orientation_is_that_of_the_display(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[274] = orientation
    values = np.zeros((48, 64), np.uint8)
    values[:12, :20] = 1
    name = "i.jpg" if kind == "image" else "l.png"
    Image.fromarray(values * (255 if kind == "image" else 1)).save(tmp_path / name, exif=exif)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / name)))
    key = "image" if kind == "image" else "segment"
    loaded = LoadSampled(key, "segment" if kind == "label" else ())({key: tmp_path / name})[key]
    assert np.array_equal(loaded[0], shown)


def test_2d_nifti_fits_a_png_and_knows_its_place(tmp_path):
    affine = np.array([[-2.0, 0, 0, 9], [0, 0, 1, 8], [0, 3, 0, 7], [0, 0, 0, 1]])
    nib.save(nib.Nifti1Image((MASK * 5.0).T, affine), tmp_path / "slice.nii.gz")
    sample = pair(tmp_path, "slice.nii.gz")
    image = sample["image"]
    assert image[sample["segment"] == 1].unique().tolist() == [5]
    # Row 7, column 4 is the file's voxel (4, 7).
    place = image.affine.numpy() @ [7, 4, 0, 1]
    np.testing.assert_allclose(place, affine @ [4, 7, 0, 1])


def test_2d_images_of_itk(tmp_path):
    itk.imwrite(itk.image_from_array(MASK * np.float32(5)), tmp_path / "slice.mha")
    sample = pair(tmp_path, "slice.mha")
    assert sample["image"][sample["segment"] == 1].unique().tolist() == [5]


def test_images_are_converted_without_a_lambda(tmp_path):
    Image.fromarray(MASK).save(tmp_path / "gray.png")
    load = pickle.loads(pickle.dumps(LoadSampled("image", reader=PictureReader("RGB"))))
    assert load({"image": tmp_path / "gray.png"})["image"].shape == (3, 48, 64)


def nifti(path, values, affine=None):
    nib.save(nib.Nifti1Image(np.asarray(values, np.float32), np.eye(4) if affine is None else affine), path)
    return path


def test_files_given_together(tmp_path):
    one, two = np.random.default_rng(0).random((2, 4, 5, 6))
    files = [nifti(tmp_path / "t1.nii.gz", one), nifti(tmp_path / "t2.nii.gz", two)]
    assert np.array_equal(LoadSampled("x")({"x": files})["x"], np.stack([one, two]).astype(np.float32))
    nifti(files[1], two[..., :3])
    with pytest.raises(ValueError, match=r"x \(.*t1\.nii\.gz, 4 x 5 x 6\) and x \(.*t2.*, 4 x 5 x 3\) differ in size"):
        LoadSampled("x")({"x": files})
    nifti(files[1], two, np.diag([1, 1, 2, 1.0]))
    with pytest.raises(ValueError, match=r"same place: voxels of 1 x 1 x 1 and 1 x 1 x 2 mm.*channels of one image"):
        LoadSampled("x")({"x": files})
    files[1].write_bytes(b"")
    with pytest.raises(OSError, match=r"x: .*t2\.nii\.gz cannot be read"):
        LoadSampled("x")({"x": files})


@pytest.mark.parametrize(("shape", "loaded"), [((4, 5, 6, 1, 1), (1, 4, 5, 6)), ((4, 5, 6, 1, 3), (3, 4, 5, 6))])
def test_axes_of_vectors(tmp_path, shape, loaded):
    file = nifti(tmp_path / "x.nii.gz", np.zeros(shape))
    assert LoadSampled("x")({"x": file})["x"].shape == loaded


@pytest.mark.parametrize("value", [1.0000001, 1.00001526, 0.9995])
def test_labels_that_are_nearly_whole(tmp_path, value):
    file = nifti(tmp_path / "l.nii.gz", np.full((3, 3, 3), value))
    labels = LoadSampled("x", "x")({"x": file})["x"]
    assert labels.dtype == torch.int16
    assert labels.unique().tolist() == [1]


def test_labels_that_are_not_are_printed_with_their_digits(tmp_path):
    file = nifti(tmp_path / "l.nii.gz", np.full((3, 3, 3), 1.00201))
    with pytest.raises(ValueError, match=r"it holds 1\.00200999, where"):
        LoadSampled("x", "x")({"x": file})


@pytest.mark.parametrize(
    ("name", "advice"),
    [("notes.txt", "Its format is unknown"), ("._x.nii.gz", "It is a hidden file"), ("x.nii.gz", "It is truncated")],
)
def test_advice_fits(tmp_path, name, advice):
    (tmp_path / name).write_text("no image " * 50)
    with pytest.raises(OSError, match=rf"x: .* cannot be read\. {advice}"):
        LoadSampled("x")({"x": tmp_path / name})


def test_a_folder_is_told_what_it_lacks(tmp_path):
    with pytest.raises(OSError, match="It is a folder, but holds no series of DICOM slices"):
        LoadSampled("x")({"x": tmp_path})
