"""Files that are damaged, or no image: the error names the file, and says what to do."""

import builtins
import re
import struct

import nibabel as nib
import numpy as np
import pytest
import tifffile

from monai_mtunet.files import open_image
from monai_mtunet.transforms import LoadSampled

from .samples import FILES, OBLIQUE, VOLUME, dicom, ome_zarr

zarr = pytest.importorskip("zarr", minversion="3.0.8")

CUT = [name for name in FILES if name.endswith((".nii", ".nii.gz", ".nrrd", ".mha", ".npy", ".png", ".tif"))]


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("part", [0, 0.5, 0.9])
def test_cut_files_are_errors_that_name_them(tmp_path, name, part):
    path = FILES[name][0](tmp_path / name)
    content, whole = path.read_bytes(), open_image(path).read()
    path.write_bytes(content[: int(len(content) * part)])
    try:
        values = open_image(path).read()
    except OSError as error:
        assert re.match(rf"{path} cannot be read\. .*The reader said", str(error))  # noqa: PT017 - or the values are all
        with pytest.raises(OSError, match=rf"image: .*{name} cannot be read"):
            LoadSampled("image")({"image": path})
    else:
        # What follows the values in some formats may lack.
        assert part == 0.9 or name.endswith(".tif")
        np.testing.assert_array_equal(values, whole)


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_a_header_that_claims_too_much_takes_no_memory(tmp_path, name):
    path = tmp_path / name
    nib.save(nib.Nifti1Image(VOLUME, OBLIQUE), path)
    opener = nib.openers.Opener(path)
    content = bytearray(opener.read())
    content[42:48] = struct.pack("<3h", 30000, 30000, 30000)
    with nib.openers.Opener(path, "wb") as file:
        file.write(bytes(content))
    with pytest.raises(OSError, match=r"cannot be read.*claims 30000 x 30000 x 30000 values of uint16, 54\d+ bytes"):
        open_image(path)


def test_an_npy_that_claims_too_much(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (9**9, 9, 9)})
    with pytest.raises(OSError, match="its header claims 387420489 x 9 x 9"):
        open_image(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("axes", "shape", "message"),
    [("TYX", (3, 8, 9), "axes TYX of lengths 3 x 8 x 9.*Save each time point"), ("TZYX", (3, 2, 8, 9), "axes TZYX")],
)
def test_time_is_no_axis_of_an_image(tmp_path, axes, shape, message):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros(shape, "uint8"), imagej=True, metadata={"axes": axes})
    with pytest.raises(OSError, match=message):
        open_image(tmp_path / "x.tif")
    with pytest.raises(OSError, match=r"x\.zarr has axes t, .*Save each time point"):
        open_image(ome_zarr(tmp_path / "x.zarr", np.zeros(shape, "uint8"), axes.lower(), "0.5"))


def test_a_tiff_of_several_images(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.ome.tif") as file:
        for _ in range(2):
            file.write(np.zeros((8, 9), "uint8"), metadata={"axes": "YX"})
    with pytest.raises(OSError, match="holds 2 images: save the one that is meant"):
        open_image(tmp_path / "x.ome.tif")


def test_a_group_without_ome_metadata(tmp_path):
    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    group.create_array("raw", data=VOLUME)
    assert open_image(tmp_path / "x.zarr").shape == (1, 5, 6, 7)  # the only one
    group.create_array("labels", data=VOLUME)
    with pytest.raises(OSError, match=r"a zarr group without OME metadata, of labels, raw: give .*x\.zarr/labels"):
        open_image(tmp_path / "x.zarr")
    assert open_image(tmp_path / "x.zarr" / "raw").shape == (1, 5, 6, 7)


@pytest.mark.parametrize("values", [np.zeros(4), np.zeros((1, 1, 1, 1, 1)), np.zeros((2, 2), "complex64")])
def test_arrays_that_are_no_image(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(OSError, match=r"x\.npy holds .*where numbers of shape"):
        open_image(tmp_path / "x.npy")
    zarr.create_array(tmp_path / "x.zarr", data=values)
    if values.dtype.kind != "c" and values.ndim < 5:
        with pytest.raises(OSError, match=r"x\.zarr"):
            open_image(tmp_path / "x.zarr")


def test_series_of_colors_and_time_in_nifti(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((2, 2, 2, 3, 3), "float32"), OBLIQUE), tmp_path / "x.nii")
    with pytest.raises(OSError, match=r"x\.nii holds float32 of shape \(2, 2, 2, 3, 3\)"):
        open_image(tmp_path / "x.nii")


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone"):
        open_image(tmp_path / "gone.nii")
    with pytest.raises(OSError, match="holds no series of DICOM slices"):
        open_image(tmp_path)


def test_a_missing_package_is_an_error_with_its_install_line(tmp_path, monkeypatch):
    path = ome_zarr(tmp_path / "x.zarr", VOLUME, "zyx", "0.5")
    imported = builtins.__import__

    def without_zarr(name):
        if name == "zarr":
            raise ImportError(name)
        return imported(name)

    monkeypatch.setattr("monai_mtunet.files.missing_package.import_module", without_zarr)
    with pytest.raises(ImportError, match=r"x\.zarr needs the package zarr: pip install 'monai_mtunet\[files\]'"):
        LoadSampled("image")({"image": path})
    # A compressed TIFF is read, but as a whole.
    tiff = open_image(FILES["lzw.tif"][0](tmp_path / "lzw.tif"))
    assert "pip install" in tiff.reason
    np.testing.assert_array_equal(tiff.read(np.s_[1:3, :, :])[0], VOLUME[1:3])


def test_a_dicom_slice_by_itself(tmp_path):
    folder = dicom(tmp_path / "series", VOLUME[..., :1])
    (file,) = folder.iterdir()
    np.testing.assert_array_equal(open_image(file).read(), VOLUME[None, ..., :1])
    bare = file.rename(tmp_path / "bare")
    np.testing.assert_array_equal(open_image(bare).read(), VOLUME[None, ..., :1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_volume_that_lies_nowhere_is_told_so(tmp_path, value):
    path = tmp_path / "x.nii.gz"
    header = nib.Nifti1Header()
    header.set_sform(np.diag([1, value, 1, 1]), code=1)
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.float32), None, header), path)
    with pytest.raises(OSError, match=rf"{path} lies nowhere, its affine is .*: write its header anew"):
        open_image(path)
    with pytest.raises(OSError, match=rf"image: {path} lies nowhere"):
        LoadSampled("image")({"image": path})
