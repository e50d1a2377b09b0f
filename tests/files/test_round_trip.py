"""What is written, whole or in boxes, is what is read, whole or in boxes."""

import itertools
import pickle

import numpy as np
import pytest

from monai_mtunet.files import create_like, open_image
from monai_mtunet.files.header import Header, Kind

pytest.importorskip("zarr", minversion="3.0.8")

OBLIQUE = ((-2.0, 0.1, 0.0, 9.0), (0.0, 0.2, 1.0, 8.0), (0.0, 3.0, 0.0, 7.0), (0.0, 0.0, 0.0, 1.0))
HEADERS = {
    "nifti": lambda dims: Header(Kind.NIFTI, dims, "float32", affine=OBLIQUE, unit="um"),
    "npy": lambda dims: Header(Kind.NPY, dims, "float32"),
    "zarr2": lambda dims: Header(Kind.ZARR, dims, "float32", spacing=(2.0, 0.5, 0.25)[:dims], unit="um", variant="0.4"),
    "nrrd": lambda dims: Header(Kind.NRRD, dims, "float32", affine=OBLIQUE),
    "mha": lambda dims: Header(Kind.MHA, dims, "float32", affine=OBLIQUE),
    "tiff": lambda dims: Header(Kind.TIFF, dims, "float32", spacing=(2.0, 0.5, 0.25)[:dims], unit="mm"),
    "imagej": lambda dims: Header(Kind.TIFF, dims, "f4", spacing=(2.0, 0.5, 4.0)[:dims], unit="um", variant="imagej"),
    "ome": lambda dims: Header(Kind.TIFF, dims, "float32", spacing=(2.0, 0.5, 0.25)[:dims], unit="um", variant="ome"),
    "zarr3": lambda dims: Header(Kind.ZARR, dims, "float32", variant="0.5"),
}
SHAPES = [(1, 7, 5), (1, 7, 6, 5), (3, 7, 6, 5), (1, 9, 1, 4)]


def boxes(size, step):
    """A grid of boxes, the last of each axis smaller."""
    return list(itertools.product(*[[slice(i, min(i + step, n)) for i in range(0, n, step)] for n in size]))


def values_of(shape, dtype):
    return (np.random.default_rng(0).random(shape) * 100).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("format_name", HEADERS)
def test_whole_and_boxes_in_any_order_are_the_same(tmp_path, format_name, shape, dtype):
    header, values = HEADERS[format_name](len(shape) - 1), values_of(shape, dtype)
    with create_like(header, tmp_path / "whole", shape, dtype) as writer:
        writer.write(None, values)
    whole = open_image(writer.path)
    np.testing.assert_array_equal(whole.read(), values)
    assert whole.dtype == whole.read().dtype == dtype
    assert whole.shape == shape
    writer = create_like(header, tmp_path / "boxes", shape, dtype, blocks=(4,) * (len(shape) - 1))
    for box in reversed(boxes(shape[1:], 4)):
        pickle.loads(pickle.dumps(writer)).write(box, values[(slice(None), *box)])
    assert not writer.path.exists()
    writer.close()
    in_boxes = open_image(writer.path)
    np.testing.assert_array_equal(in_boxes.read(), values)
    assert in_boxes.random_access
    for box in boxes(shape[1:], 3):
        np.testing.assert_array_equal(in_boxes.read(box), values[(slice(None), *box)])
    assert [file.name for file in tmp_path.iterdir() if ".partial" in file.name or file.name.startswith(".")] == []
