"""A prediction is of its input's kind: another library reads it, with the input's axes, place and units."""

import json

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
import tifffile
from PIL import Image

from monai_mtunet.files import create_like, open_image
from monai_mtunet.transforms import LoadSampled

from .samples import FILES, GRAY, HWC, OBLIQUE, SPACING, VOLUME, dicom

zarr = pytest.importorskip("zarr", minversion="3.0.8")
open_ome_zarr = pytest.importorskip("ome_zarr_models").open_ome_zarr

CLASSES = {0: ("back", (1, 2, 3)), 1: ("front", (200, 0, 10))}
FRONT = CLASSES[1][1]
ENDINGS = {
    ".nii.gz": ["x.nii", "x.nii.gz", "series"],
    ".nrrd": ["x.nrrd", "packed.nrrd"],
    ".mha": ["x.mha", "x.mhd"],
    ".tif": ["stack.tif", "imagej.tif", "lzw.tif", "channels.tif"],
    ".ome.tif": ["x.ome.tif", "series.ome.tif"],
    ".ome.zarr": ["4.ome.zarr", "5.ome.zarr"],
    ".zarr": ["channels.zarr", "2.zarr", "named.zarr"],
    ".npy": ["x.npy", "channels.npy"],
}


def like(tmp_path, name):
    return open_image(FILES[name][0](tmp_path / name))


def written(image, folder, dtype="uint8", labels=CLASSES, channels=1, **options):
    """A label map of 0 and 1, or values with fractions."""
    shape = (channels, *image.shape[1:])
    values = np.arange(np.prod(shape)).reshape(shape) % 7
    values = values > 3 if dtype == "uint8" else values / 4
    with create_like(image, folder / "out" / "case_seg", shape, dtype, labels, **options) as writer:
        writer.write(None, values)
    return writer.path, values.astype(dtype)


@pytest.mark.parametrize(("ending", "name"), [(ending, name) for ending, names in ENDINGS.items() for name in names])
@pytest.mark.parametrize("kind", ["labels", "values", "channels"])
def test_the_prediction_lies_where_the_image_does(tmp_path, ending, name, kind):
    image = like(tmp_path, name)
    options = {"labels": {}, "values": {"dtype": "float32", "labels": None}}
    options["channels"] = {**options["values"], "channels": 3}
    path, values = written(image, tmp_path, **options[kind])
    assert path.name == f"case_seg{ending}"
    predicted = open_image(path)
    np.testing.assert_array_equal(predicted.read(), values)
    assert predicted.unit == image.unit
    assert predicted.header.variant == image.header.variant or ending == ".nii.gz"
    for ours, theirs in ((predicted.affine, image.affine), (predicted.spacing, image.spacing)):
        if theirs is None:
            assert ours is None
        else:
            np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_nifti_by_nibabel(tmp_path):
    path, values = written(like(tmp_path, "x.nii"), tmp_path)
    file = nib.load(path)
    np.testing.assert_array_equal(file.dataobj, values[0])
    np.testing.assert_allclose(file.affine, OBLIQUE)
    assert file.get_data_dtype() == np.uint8
    assert file.header.get_xyzt_units()[0] == "micron"


@pytest.mark.parametrize(
    ("qform", "sform", "expected"),
    [(1, 1, (1, 1)), (1, 0, (1, 0)), (0, 4, (0, 4)), (0, 0, (0, 2)), ("elsewhere", 4, (0, 4))],
)
def test_nifti_says_its_place_as_the_image_does(tmp_path, qform, sform, expected):
    angle = np.deg2rad(20)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine[:3] = affine[:3] @ np.diag([1, 2, 3, 1.0])
    affine[:3, 3] = 5, 6, 7
    file = nib.Nifti1Image(np.zeros((3, 4, 5), np.float32), affine)
    file.header.set_sform(affine if sform else None, sform)
    file.header.set_qform(np.eye(4) if qform == "elsewhere" else affine, 1 if qform == "elsewhere" else qform)
    nib.save(file, tmp_path / "x.nii")
    path, _ = written(open_image(tmp_path / "x.nii"), tmp_path)
    saved = nib.load(path)
    np.testing.assert_allclose(saved.affine, nib.load(tmp_path / "x.nii").affine, atol=1e-5)
    assert (int(saved.header["qform_code"]), int(saved.header["sform_code"])) == expected
    np.testing.assert_allclose(saved.header.get_zooms(), (1, 2, 3), rtol=1e-6)


def test_flat_nifti_by_nibabel(tmp_path):
    path, values = written(like(tmp_path, "flat.nii"), tmp_path)
    np.testing.assert_array_equal(nib.load(path).dataobj, values[0].T)
    np.testing.assert_allclose(nib.load(path).affine, OBLIQUE)


def test_blocks_of_nifti_are_uncompressed_unless_the_image_was(tmp_path):
    assert written(like(tmp_path, "x.nii"), tmp_path, blocks=(4, 4, 4))[0].name == "case_seg.nii"
    path, values = written(like(tmp_path, "x.nii.gz"), tmp_path, blocks=(4, 4, 4))
    assert path.name == "case_seg.nii.gz"
    np.testing.assert_array_equal(nib.load(path).dataobj, values[0])


def test_the_same_prediction_is_the_same_file(tmp_path):
    for name in ("x.nii", "x.ome.tif", "x.nrrd"):
        image = like(tmp_path, name)
        assert written(image, tmp_path)[0].read_bytes() == written(image, tmp_path / "2")[0].read_bytes()


@pytest.mark.parametrize("name", ["x.nrrd", "x.mha", "vector.nrrd", "vector.mha", "flat.nrrd", "color.mha"])
@pytest.mark.parametrize("channels", [1, 3])
def test_nrrd_and_mha_by_simpleitk(tmp_path, name, channels):
    image = like(tmp_path, name)
    path, values = written(image, tmp_path, "float32", None, channels)
    ours, theirs = SimpleITK.ReadImage(str(path)), SimpleITK.ReadImage(str(image.path))
    array = SimpleITK.GetArrayFromImage(ours)
    expected = (
        values.transpose(*range(values.ndim - 1, 0, -1), 0) if image.spatial_dims == 3 else values.transpose(1, 2, 0)
    )
    np.testing.assert_array_equal(array if channels > 1 else array[..., None], expected)
    for asked in ("GetSpacing", "GetOrigin", "GetDirection"):
        np.testing.assert_allclose(getattr(ours, asked)(), getattr(theirs, asked)(), atol=1e-12)
    assert ours.GetSize() == theirs.GetSize()


def test_an_imagej_stack_stays_one(tmp_path):
    path, values = written(like(tmp_path, "imagej.tif"), tmp_path)
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert file.series[0].axes == "ZYX"
        assert file.imagej_metadata["spacing"] == SPACING[2]
        assert file.imagej_metadata["unit"] == "um"
        np.testing.assert_array_equal(file.imagej_metadata["LUTs"][:, 1], FRONT)
        numerator, denominator = file.pages[0].tags["XResolution"].value
        assert denominator / numerator == pytest.approx(SPACING[0])
        np.testing.assert_array_equal(file.asarray(), values[0].T)


def test_ome_tiff_stays_one(tmp_path):
    path, values = written(like(tmp_path, "series.ome.tif"), tmp_path, "float32", None, 2)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert file.series[0].axes == "CZYX"
        np.testing.assert_array_equal(file.asarray(), values.transpose(0, 3, 2, 1))
    path, _ = written(like(tmp_path, "x.ome.tif"), tmp_path)
    pixels = tifffile.xml2dict(tifffile.TiffFile(path).ome_metadata)["OME"]["Image"]["Pixels"]
    assert [pixels[f"PhysicalSize{axis}"] for axis in "XYZ"] == list(SPACING)
    assert pixels["PhysicalSizeXUnit"] == "µm"


def test_imagej_lacks_types_and_sizes_which_ome_has(tmp_path):
    path, _ = written(like(tmp_path, "imagej.tif"), tmp_path, "int32", None)
    assert tifffile.TiffFile(path).is_ome
    np.testing.assert_allclose(open_image(path).spacing, SPACING)
    huge = (1, 2048, 2048, 1100)
    writer = create_like(like(tmp_path, "imagej.tif"), tmp_path / "huge", huge, "uint8", {})
    with tifffile.TiffFile(writer.partial) as file:
        assert file.is_bigtiff
        assert file.is_ome
    writer.write(np.s_[2000:2040, 5:9, 1090:1100], np.ones((1, 40, 4, 10)))
    writer.close()
    assert open_image(writer.path).read(np.s_[2039:2041, 8:9, 1099:1100]).ravel().tolist() == [1, 0]
    writer.path.unlink()


def test_labels_of_a_plain_tiff_have_their_colors(tmp_path):
    path, values = written(like(tmp_path, "gray.tif"), tmp_path)
    picture = Image.open(path)
    assert picture.mode == "P"
    np.testing.assert_array_equal(picture, values[0])
    np.testing.assert_array_equal(np.asarray(picture.convert("RGB"))[0, 4], FRONT)


def test_colors_of_a_tiff_stay_colors(tmp_path):
    image = like(tmp_path, "color.tif")
    with create_like(image, tmp_path / "restored", image.shape, image.dtype) as writer:
        writer.write(None, image.read() + 0.4)
    picture = Image.open(writer.path)
    assert picture.mode == "RGB"
    np.testing.assert_array_equal(picture, HWC)


@pytest.mark.parametrize("name", ["4.ome.zarr", "5.ome.zarr"])
def test_labels_in_ome_zarr_are_as_the_specification_has_them(tmp_path, name):
    path, values = written(like(tmp_path, name), tmp_path, blocks=(4, 4, 4), name="seg")
    version = name[0]
    root = zarr.open_group(path, mode="r")
    parsed = [open_ome_zarr(group) for group in (root, root["labels"], root["labels/seg"])]
    assert [type(one).__name__ for one in parsed] == ["Image", "Labels", "ImageLabel"]
    assert all(f".v0{version}." in type(one).__module__ for one in parsed)
    attributes = dict(root["labels/seg"].attrs)
    attributes = attributes.get("ome", attributes)
    assert attributes["image-label"]["colors"][1] == {"label-value": 1, "rgba": [200, 0, 10, 255]}
    assert attributes["image-label"]["properties"][1] == {"label-value": 1, "name": "front"}
    axes = attributes["multiscales"][0]["axes"]
    assert "".join(axis["name"] for axis in axes) == ("zyx" if version == "4" else "tczyx")
    assert axes[-1] == {"name": "x", "type": "space", "unit": "micrometer"}
    scale, translation = attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert scale["scale"][-3:] == list(SPACING[::-1])
    assert translation["translation"][-3:] == [0, 20, 10]
    np.testing.assert_array_equal(np.squeeze(root["labels/seg/0"][...]), values[0].T)
    # The group is an image too, for programs that know nothing of labels.
    multiscale = dict(root.attrs).get("ome", dict(root.attrs))["multiscales"][0]
    assert root[multiscale["datasets"][0]["path"]] == root["labels/seg/0"]


def test_one_shard_per_block(tmp_path):
    image = like(tmp_path, "5.ome.zarr")
    writer = create_like(image, tmp_path / "x", (2, 100, 50, 40), "float32", None, (48, 32, 40))
    array = zarr.open_array(writer.partial / "0")
    assert array.shards == (1, 2, 40, 32, 48)
    assert all(shard % chunk == 0 for shard, chunk in zip(array.shards, array.chunks, strict=True))
    writer.write(np.s_[48:96, 0:32, 0:40], np.zeros((2, 48, 32, 40)))
    shards = [file for file in (writer.partial / "0" / "c").rglob("*") if file.is_file()]
    assert len(shards) == 1  # also of zeros: what is there is done


def test_pngs_hold_classes_ids_and_pictures_and_npy_the_rest(tmp_path):
    image = like(tmp_path, "x.png")
    path, values = written(image, tmp_path)
    assert (path.name, Image.open(path).mode) == ("case_seg.png", "P")
    np.testing.assert_array_equal(Image.open(path), values[0])
    path, _ = written(image, tmp_path, "uint16", {})
    assert Image.open(path).mode == "I;16"
    path, values = written(image, tmp_path, "float32", None, 2)
    assert path.name == "case_seg.npy"
    np.testing.assert_array_equal(np.load(path), values)
    with create_like(image, tmp_path / "picture", (3, 9, 8), "uint8") as writer:
        writer.write(None, image.read())
    np.testing.assert_array_equal(Image.open(writer.path), HWC)


def test_dicom_becomes_nifti(tmp_path):
    image = open_image(dicom(tmp_path / "series", VOLUME))
    path, _ = written(image, tmp_path)
    np.testing.assert_allclose(nib.load(path).affine, image.affine)
    np.testing.assert_allclose(image.affine @ [0, 0, 1, 1], [10, -20, 2.5, 1])


def test_integers_are_rounded_and_limited(tmp_path):
    image = like(tmp_path, "flat.npy")
    values = np.array([[[-3.0, 0.5, 1.5, 99.6, 256, np.inf, -np.inf, np.nan]]])
    with create_like(image, tmp_path / "x", values.shape, "uint8") as writer:
        writer.write(None, values)
    assert np.load(writer.path).tolist() == [[0, 0, 2, 100, 255, 255, 0, 0]]
    with create_like(image, tmp_path / "x", (1, 1, 3), "int64") as writer:
        writer.write(None, np.array([[[1e30, -1e30, 2.0**53]]]))
    assert np.load(writer.path).tolist() == [[2**63 - 1, -(2**63), 2**53]]
    with create_like(image, tmp_path / "x", (1, 1, 3), "uint16") as writer:
        writer.write(None, np.array([[[70000, -1, 5]]]))
    assert np.load(writer.path).tolist() == [[65535, 0, 5]]


def test_meta_data_of_a_loaded_image_say_enough(tmp_path):
    image = like(tmp_path, "imagej.tif")
    meta = LoadSampled("image")({"image": image.path})["image"].meta
    assert json.loads(meta["file_header"])["kind"] == "TIFF"
    ours, theirs = (written(one, tmp_path / name)[0] for name, one in (("a", image), ("b", image)))
    with create_like(meta, tmp_path / "c" / "case_seg", (1, *image.shape[1:]), "uint8", CLASSES) as writer:
        writer.write(None, open_image(ours).read())
    assert writer.path.read_bytes() == theirs.read_bytes()


def test_wrong_shapes_are_refused(tmp_path):
    image = like(tmp_path, "x.nii")
    with pytest.raises(ValueError, match=r"seg: shape \(1, 7, 6\) does not fit an image of 3 dimensions"):
        create_like(image, tmp_path / "seg", (1, 7, 6), "uint8")
    with pytest.raises(ValueError, match="seg: complex64 is no type of these files"):
        create_like(image, tmp_path / "seg", (1, 7, 6, 5), "complex64")
    writer = create_like(image, tmp_path / "seg", (1, 7, 6, 5), "uint8")
    with pytest.raises(ValueError, match=r"takes values of shape \(1, 1, 6, 5\), got \(1, 7, 6, 5\)"):
        writer.write(np.s_[0:1, :, :], np.zeros((1, 7, 6, 5)))
    assert GRAY.shape == (9, 8)
