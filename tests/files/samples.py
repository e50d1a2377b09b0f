"""Files of every format, written by the formats' own libraries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK
import tifffile
from PIL import Image
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

zarr = pytest.importorskip("zarr", minversion="3.0.8")

OBLIQUE = np.array([[-2.0, 0.1, 0, 9], [0, 0.2, 1, 8], [0, 3, 0, 7], [0, 0, 0, 1]])
SPACING = (2.0, 0.5, 0.25)
CHECKED = dict[str, Any]


def values_of(shape: tuple[int, ...], dtype: str = "uint16") -> np.ndarray:
    """Different at every voxel, and over 8 bits."""
    values = np.random.default_rng(0).permutation(int(np.prod(shape))).reshape(shape)
    return values.astype(dtype)


VOLUME, COLOR, GRAY = values_of((7, 6, 5)), values_of((3, 9, 8), "uint8"), values_of((9, 8))


def _nifti(path: Path) -> Path:
    image = nib.Nifti1Image(VOLUME, OBLIQUE)
    image.header.set_xyzt_units("micron")
    nib.save(image, path)
    return path


def _scaled_nifti(path: Path) -> Path:
    image = nib.Nifti1Image(VOLUME.astype(np.int16), OBLIQUE)
    image.header.set_slope_inter(0.1, 3)
    nib.save(image, path)
    return path


def itk(path: Path, values: np.ndarray, compressed: bool = False) -> Path:
    """(C, X, Y, Z) or (C, H, W) by SimpleITK, oblique."""
    volume = values.ndim == 4
    stored = np.moveaxis(values, 0, -1)
    stored = stored.transpose(2, 1, 0, 3) if volume else stored
    image = SimpleITK.GetImageFromArray(stored if len(values) > 1 else stored[..., 0], isVector=len(values) > 1)
    dims = 3 if volume else 2
    image.SetSpacing(SPACING[:dims])
    image.SetOrigin((9.0, 8.0, 7.0)[:dims])
    turned = np.array([[0.8, -0.6, 0.0], [0.6, 0.8, 0.0], [0.0, 0.0, -1.0]])
    image.SetDirection(turned[:dims, :dims].ravel().tolist())
    SimpleITK.WriteImage(image, str(path), useCompression=compressed)
    return path


def dicom(folder: Path, values: np.ndarray, series: str | None = None) -> Path:
    """A series of slices, whose file names are not in their order."""
    folder.mkdir(exist_ok=True)
    study, series = generate_uid(), series or generate_uid()
    for index, plane in enumerate(values.transpose(2, 1, 0)):
        dataset = pydicom.Dataset()
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = generate_uid()
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.Modality, dataset.PatientName, dataset.PatientID = "CT", "Doe^Jo", "1"
        dataset.ImagePositionPatient = [-10, 20, 2.5 * index]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing, dataset.SliceThickness = [0.5, 2.0], 2.5
        dataset.InstanceNumber = index + 1
        dataset.Rows, dataset.Columns = plane.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 0
        dataset.PixelData = plane.astype("<u2").tobytes()
        dataset.save_as(folder / f"{(7 * index) % 11:02}.dcm", enforce_file_format=True)
    return folder


def ome_zarr(path: Path, values: np.ndarray, names: str, version: str) -> Path:
    """An OME-Zarr of two levels, in micrometers, with an origin."""
    spaces = {"x": 2.0, "y": 0.5, "z": 0.25}
    axes = [
        {"name": name, "type": "space", "unit": "micrometer"}
        if name in spaces
        else {"name": name, "type": {"t": "time", "c": "channel"}[name]}
        for name in names
    ]
    scale = {"type": "scale", "scale": [spaces.get(name, 1.0) for name in names]}
    moved = {"type": "translation", "translation": [{"x": 10.0, "y": 20.0}.get(name, 0.0) for name in names]}
    datasets = [{"path": str(level), "coordinateTransformations": [scale, moved]} for level in (0, 1)]
    content = {"multiscales": [{"name": "x", "axes": axes, "datasets": datasets}]}
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    if version == "0.4":
        content["multiscales"][0]["version"] = version
    group.attrs.update(content if version == "0.4" else {"ome": {"version": version, **content}})
    for level in range(2):
        extra = {"dimension_names": list(names)} if version == "0.5" else {}
        group.create_array(str(level), data=values[..., :: level + 1, :: level + 1], chunks=(4,) * values.ndim, **extra)
    return path


def _zarr(path: Path, version: int, names: list[str] | None = None) -> Path:
    extra = {} if names is None else {"dimension_names": names}
    zarr.create_array(path, data=VOLUME.transpose(2, 1, 0), chunks=(2, 3, 4), zarr_format=version, **extra)
    return path


def _tiff(path: Path, values: np.ndarray, **written: Any) -> Path:
    tifffile.imwrite(path, values, **written)
    return path


def _picture(path: Path, values: np.ndarray, **saved: Any) -> Path:
    Image.fromarray(values).save(path, **saved)
    return path


def _npy(path: Path, values: np.ndarray) -> Path:
    np.save(path, values)
    return path


PAGES = VOLUME.transpose(2, 1, 0)
HWC = COLOR.transpose(1, 2, 0)
MICROSCOPE = {"resolution": (1 / 2.0, 1 / 0.5), "metadata": {"axes": "ZYX", "spacing": 0.25, "unit": "um"}}
OME = {"axes": "ZYX", **{f"PhysicalSize{a}": s for a, s in zip("XYZ", SPACING, strict=True)}}

# name: (writes the file, what it holds as (C, *spatial), whether boxes are read by themselves)
FILES: dict[str, tuple[Callable[[Path], Path], np.ndarray, bool]] = {
    "x.nii": (_nifti, VOLUME[None], True),
    "x.nii.gz": (_nifti, VOLUME[None], False),
    "scaled.nii": (_scaled_nifti, VOLUME[None], True),
    "flat.nii": (lambda path: _saved(nib.Nifti1Image(GRAY.T, OBLIQUE), path), GRAY[None], True),
    "vector.nii": (lambda p: _saved(nib.Nifti1Image(np.stack([VOLUME, VOLUME + 1], -1), OBLIQUE), p),
                   np.stack([VOLUME, VOLUME + 1]), True),
    "x.nrrd": (lambda path: itk(path, VOLUME[None]), VOLUME[None], True),
    "packed.nrrd": (lambda path: itk(path, VOLUME[None], True), VOLUME[None], False),
    "vector.nrrd": (lambda path: itk(path, np.stack([VOLUME, VOLUME + 1])), np.stack([VOLUME, VOLUME + 1]), True),
    "flat.nrrd": (lambda path: itk(path, GRAY[None]), GRAY[None], True),
    "x.mha": (lambda path: itk(path, VOLUME[None]), VOLUME[None], True),
    "packed.mha": (lambda path: itk(path, VOLUME[None], True), VOLUME[None], False),
    "vector.mha": (lambda path: itk(path, np.stack([VOLUME, VOLUME + 1])), np.stack([VOLUME, VOLUME + 1]), True),
    "color.mha": (lambda path: itk(path, COLOR), COLOR, True),
    "x.mhd": (lambda path: itk(path, VOLUME[None]), VOLUME[None], False),
    "series": (lambda path: dicom(path, VOLUME), VOLUME[None], False),
    "gray.tif": (lambda path: _tiff(path, GRAY), GRAY[None], True),
    "color.tif": (lambda path: _tiff(path, HWC, photometric="rgb"), COLOR, True),
    "deep.tif": (lambda path: _tiff(path, HWC.astype("u2") * 200, photometric="rgb"), COLOR.astype("u2") * 200, True),
    "planes.tif": (lambda path: _tiff(path, COLOR, photometric="rgb", planarconfig="separate"), COLOR, True),
    "float.tif": (lambda path: _tiff(path, GRAY.astype("float32") / 7), GRAY[None].astype("float32") / 7, True),
    "stack.tif": (lambda path: _tiff(path, PAGES, photometric="minisblack"), VOLUME[None], True),
    "big-endian.tif": (lambda path: _tiff(path, PAGES, photometric="minisblack", byteorder=">"), VOLUME[None], True),
    "big.tif": (lambda path: _tiff(path, PAGES, photometric="minisblack", bigtiff=True), VOLUME[None], True),
    "zlib.tif": (lambda path: _tiff(path, PAGES, photometric="minisblack", compression="zlib"), VOLUME[None], True),
    "lzw.tif": (lambda path: _tiff(path, PAGES, photometric="minisblack", compression="lzw"), VOLUME[None], True),
    "tiles.tif": (lambda path: _tiff(path, GRAY, tile=(16, 16), compression="zlib"), GRAY[None], False),
    "imagej.tif": (lambda path: _tiff(path, PAGES, imagej=True, **MICROSCOPE), VOLUME[None], True),
    "channels.tif": (lambda path: _tiff(path, np.stack([PAGES, PAGES + 1], 1), imagej=True, metadata={"axes": "ZCYX"}),
                     np.stack([VOLUME, VOLUME + 1]), True),
    "x.ome.tif": (lambda path: _tiff(path, PAGES, metadata=OME), VOLUME[None], True),
    "series.ome.tif": (lambda path: _tiff(path, np.stack([PAGES, PAGES + 1])[None], metadata={"axes": "TCZYX"}),
                       np.stack([VOLUME, VOLUME + 1]), True),
    "4.ome.zarr": (lambda path: ome_zarr(path, PAGES, "zyx", "0.4"), VOLUME[None], True),
    "5.ome.zarr": (lambda path: ome_zarr(path, PAGES[None, None], "tczyx", "0.5"), VOLUME[None], True),
    "channels.zarr": (lambda path: ome_zarr(path, np.stack([PAGES, PAGES + 1]), "czyx", "0.5"),
                      np.stack([VOLUME, VOLUME + 1]), True),
    "flat.zarr": (lambda path: ome_zarr(path, COLOR[None, :, None], "tczyx", "0.4"), COLOR, True),
    "2.zarr": (lambda path: _zarr(path, 2), VOLUME[None], True),
    "3": (lambda path: _zarr(path, 3), VOLUME[None], True),
    "named.zarr": (lambda path: _zarr(path, 3, ["z", "y", "x"]), VOLUME[None], True),
    "x.npy": (lambda path: _npy(path, VOLUME), VOLUME[None], True),
    "columns.npy": (lambda path: _npy(path, np.asfortranarray(VOLUME)), VOLUME[None], True),
    "big-endian.npy": (lambda path: _npy(path, VOLUME.astype(">u2")), VOLUME[None], True),
    "channels.npy": (lambda path: _npy(path, np.stack([VOLUME, VOLUME + 1])), np.stack([VOLUME, VOLUME + 1]), True),
    "flat.npy": (lambda path: _npy(path, GRAY), GRAY[None], True),
    "x.png": (lambda path: _picture(path, HWC), COLOR, False),
    "deep.png": (lambda path: _picture(path, GRAY), GRAY[None], False),
    "x.bmp": (lambda path: _picture(path, HWC), COLOR, False),
    "bare": (lambda path: _picture(path, HWC, format="png"), COLOR, False),
}  # fmt: skip


def _saved(image: Any, path: Path) -> Path:
    nib.save(image, path)
    return path
