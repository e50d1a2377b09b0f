"""Label maps carry the names and colors of the numbers that they hold, which need not be 0, 1, 2."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from monai_mtunet.files import create_like
from monai_mtunet.files.header import Header, Kind

LEGEND = {0: ("background", (10, 20, 30)), 7: ("cell", (200, 0, 0)), 255: ("wall", (0, 0, 250))}
NUMBERS = np.array([[[0, 7, 255, 7]]], np.uint8)
COLORS = [[list(LEGEND[number][1]) for number in NUMBERS[0, 0].tolist()]]


def written(tmp_path, header):
    with create_like(header, tmp_path / "a", NUMBERS.shape, "uint8", labels=LEGEND) as writer:
        writer.write(None, NUMBERS)
    return writer.path


def test_png(tmp_path):
    picture = Image.open(written(tmp_path, Header(Kind.PICTURE, 2, "uint8")))
    assert np.asarray(picture).tolist() == NUMBERS[0].tolist()
    assert np.asarray(picture.convert("RGB")).tolist() == COLORS


def test_tiff(tmp_path):
    with tifffile.TiffFile(written(tmp_path, Header(Kind.TIFF, 2, "uint8"))) as file:
        colors = np.asarray(file.pages[0].colormap) // 257
    assert colors[:, NUMBERS[0, 0]].T.tolist() == COLORS[0]


@pytest.mark.parametrize("variant", ["0.4", "0.5"])
def test_ome_zarr(tmp_path, variant):
    zarr = pytest.importorskip("zarr")
    path = written(tmp_path, Header(Kind.ZARR, 2, "uint8", variant=variant))
    attributes = dict(zarr.open_group(path, mode="r")["labels/a"].attrs)
    label = attributes.get("ome", attributes)["image-label"]
    assert [(entry["label-value"], entry["rgba"][:3]) for entry in label["colors"]] == [
        (number, list(color)) for number, (_, color) in LEGEND.items()
    ]
    assert [(entry["label-value"], entry["name"]) for entry in label["properties"]] == [
        (number, name) for number, (name, _) in LEGEND.items()
    ]
