"""Label maps carry the names and colors of the numbers that they hold, which need not be 0, 1, 2."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from monai_mtunet.files import create_like, open_image
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


@pytest.mark.parametrize("variant", ["", "ome"])
def test_tiff(tmp_path, variant):
    path = written(tmp_path, Header(Kind.TIFF, 2, "uint8", variant=variant))
    with tifffile.TiffFile(path) as file:
        assert file.is_ome == (variant == "ome")
        colors = np.asarray(file.pages[0].colormap) // 257
    assert open_image(path).read().tolist() == NUMBERS.tolist()
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
    assert [entry["rgba"][3] for entry in label["colors"]] == [0, 255, 255]
    assert [(entry["label-value"], entry["name"]) for entry in label["properties"]] == [
        (number, name) for number, (name, _) in LEGEND.items()
    ]


@pytest.mark.parametrize(
    ("number", "name", "color", "opacity"),
    [
        (0, "Background", (9, 9, 9), 0),
        (0, "outside", (0, 0, 0), 0),
        (0, "road", (128, 64, 128), 255),
        (3, "x", (0, 0, 0), 255),
    ],
)
def test_the_image_is_seen_below_the_background_alone(tmp_path, number, name, color, opacity):
    zarr = pytest.importorskip("zarr")
    header = Header(Kind.ZARR, 2, "uint8", variant="0.5")
    with create_like(header, tmp_path / "a", NUMBERS.shape, "uint8", labels={number: (name, color)}) as writer:
        writer.write(None, NUMBERS)
    (entry,) = zarr.open_group(writer.path, mode="r")["labels/a"].attrs["ome"]["image-label"]["colors"]
    assert entry["rgba"] == [*color, opacity]
