"""Every format: values, axes and places, read whole, in boxes, and by `LoadSampled`."""

import pickle

import nibabel as nib
import numpy as np
import pytest
import tifffile
import torch
from monai.data import ITKReader, NibabelReader
from monai.data.utils import to_affine_nd

from monai_mtunet.files import open_image
from monai_mtunet.transforms import LoadSampled

from .samples import COLOR, FILES, GRAY, OBLIQUE, SPACING, VOLUME, dicom, ome_zarr


@pytest.mark.parametrize("name", FILES)
def test_values_are_those_that_the_formats_own_library_wrote(tmp_path, name):
    write, expected, random_access = FILES[name]
    image = open_image(write(tmp_path / name))
    if name.startswith("scaled"):
        expected = expected * np.float64(np.float32(0.1)) + 3
    assert image.shape == expected.shape
    assert image.spatial_dims == expected.ndim - 1
    whole = image.read()
    assert whole.dtype == image.dtype == expected.dtype
    np.testing.assert_allclose(whole, expected, rtol=1e-12 if name.startswith("scaled") else 0)
    assert image.random_access == random_access
    assert bool(image.reason) != random_access
    # Another process reads the same box.
    box = tuple(slice(1, size - 1) for size in image.shape[1:])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(image)).read(box), whole[(slice(None), *box)])
    loaded = LoadSampled("image")({"image": tmp_path / name})["image"]
    np.testing.assert_array_equal(loaded.numpy(), whole.astype(np.float32))
    if image.affine is not None:
        np.testing.assert_array_equal(loaded.affine, image.affine)


@pytest.mark.parametrize(
    ("name", "reader"),
    [(name, NibabelReader(squeeze_non_spatial_dims=True)) for name in FILES if ".nii" in name]
    + [
        (name, ITKReader()) for name in ("x.nrrd", "packed.nrrd", "flat.nrrd", "x.mha", "packed.mha", "x.mhd", "series")
    ],
)
def test_values_and_affine_are_those_of_monais_readers(tmp_path, name, reader):
    path = FILES[name][0](tmp_path / name)
    image = open_image(path)
    values, meta = reader.get_data(reader.read(str(path)))
    values = values if image.shape[0] == 1 else np.moveaxis(values, -1, 0)
    affine = to_affine_nd(3, meta["affine"])
    if image.spatial_dims == 2:  # MONAI's have columns first
        values, affine = np.swapaxes(values, -1, -2), affine[:, [1, 0, 2, 3]]
    np.testing.assert_array_equal(np.squeeze(image.read()), values)
    np.testing.assert_allclose(image.affine, affine)


@pytest.mark.parametrize(
    ("name", "spacing", "unit"),
    [
        ("imagej.tif", SPACING, "um"),
        ("x.ome.tif", SPACING, "um"),
        ("4.ome.zarr", SPACING, "um"),
        ("5.ome.zarr", SPACING, "um"),
        ("x.nii", np.linalg.norm(OBLIQUE[:3, :3], axis=0), "um"),
        ("x.nrrd", SPACING, None),
        ("flat.nrrd", SPACING[1::-1], None),
        ("series", (2.0, 0.5, 2.5), "mm"),
        ("stack.tif", None, None),
        ("x.npy", None, None),
        ("x.png", None, None),
    ],
)
def test_spacing_and_unit(tmp_path, name, spacing, unit):
    image = open_image(FILES[name][0](tmp_path / name))
    assert image.unit == unit
    if spacing is None:
        assert image.spacing is None
        assert image.affine is None
    else:
        np.testing.assert_allclose(image.spacing, spacing)


def test_tags_in_inches_are_millimeters(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", GRAY, resolution=(254, 127), resolutionunit="INCH")
    assert open_image(tmp_path / "x.tif").unit == "mm"
    np.testing.assert_allclose(open_image(tmp_path / "x.tif").spacing, (0.2, 0.1))


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_place_of_an_ome_zarr(tmp_path, version):
    volume = open_image(ome_zarr(tmp_path / "x.zarr", VOLUME.transpose(2, 1, 0), "zyx", version))
    np.testing.assert_allclose(volume.affine @ [1, 1, 1, 1], [12, 20.5, 0.25, 1])
    flat = open_image(ome_zarr(tmp_path / "y.zarr", COLOR, "cyx", version))
    np.testing.assert_allclose(flat.affine @ [3, 1, 0, 1], [12, 21.5, 0, 1])  # row 3, column 1


def test_files_given_together_are_channels(tmp_path):
    files = [FILES[name][0](tmp_path / name) for name in ("x.nii", "vector.nii")]
    image = open_image(files)
    assert image.shape == (3, 7, 6, 5)
    assert image.random_access
    expected = np.stack([VOLUME, VOLUME, VOLUME + 1])
    np.testing.assert_array_equal(image.read(), expected)
    np.testing.assert_array_equal(image.read(np.s_[2:4, 1:3, :]), expected[:, 2:4, 1:3])
    np.testing.assert_array_equal(LoadSampled("x")({"x": files})["x"], expected)
    packed = open_image([files[0], FILES["x.nii.gz"][0](tmp_path / "x.nii.gz")])
    assert packed.reason == "x.nii.gz: x.nii.gz is compressed, unpack it once: gunzip --keep x.nii.gz"
    with pytest.raises(OSError, match=r"x\.nii and .*flat\.nii differ in size.*resample"):
        open_image([files[0], FILES["flat.nii"][0](tmp_path / "flat.nii")])


def test_label_maps_are_loaded_from_every_format(tmp_path):
    for name in ("4.ome.zarr", "stack.tif", "deep.png"):
        labels = LoadSampled("x", "x")({"x": FILES[name][0](tmp_path / name)})["x"]
        assert labels.dtype == torch.int16
        np.testing.assert_array_equal(labels, FILES[name][1])


@pytest.mark.parametrize("box", [(slice(0, 2),), np.s_[0:2, 0:2, 0:9], np.s_[0:2:2, 0:2, 0:2], np.s_[-1:2, 0:2, 0:2]])
def test_boxes_outside_of_the_image_are_refused(tmp_path, box):
    image = open_image(FILES["x.npy"][0](tmp_path / "x.npy"))
    with pytest.raises(ValueError, match="Box"):
        image.read(box)


def test_a_folder_of_two_series_is_refused(tmp_path):
    dicom(tmp_path / "both", VOLUME)
    for file in (tmp_path / "both").iterdir():
        file.rename(file.with_name("first" + file.name))
    dicom(tmp_path / "both", VOLUME)
    with pytest.raises(OSError, match=r"both holds several DICOM series: move each into a folder of its own"):
        open_image(tmp_path / "both")


def test_a_slice_of_a_series_is_no_image(tmp_path):
    """It was predicted as a volume of one slice."""
    one = sorted(dicom(tmp_path / "series", VOLUME).iterdir())[0]
    told = rf"{one.name} is one of the {VOLUME.shape[-1]} slices of a series: give its folder {one.parent}, or move"
    with pytest.raises(OSError, match=told):
        open_image(one)
    for other in one.parent.iterdir():
        if other != one:
            other.unlink()
    assert open_image(one).shape == (1, *VOLUME.shape[:2], 1)


def test_a_picture_is_not_kept_twice(tmp_path):
    image = open_image(FILES["x.png"][0](tmp_path / "x.png"))
    image.read()[:] = 0
    np.testing.assert_array_equal(image.read(), COLOR)


def test_nifti_of_2_and_endings_in_capitals(tmp_path):
    nib.save(nib.Nifti2Image(VOLUME, OBLIQUE), tmp_path / "X.NII")
    np.testing.assert_array_equal(open_image(tmp_path / "X.NII").read(), VOLUME[None])
