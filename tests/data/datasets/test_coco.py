"""A miniature of COCO in its official layout; masks against those of pycocotools."""

import json

import numpy as np
import pytest
from PIL import Image

from monai_mtunet.data import VOC, coco_voc_datalist, write_coco_voc_labels
from monai_mtunet.data.datasets.coco import COCO_NAMES
from monai_mtunet.data.datasets.coco_segmentation import coco_mask

# The 20 of COCO's 80 categories that VOC has, and one that it has not.
CATEGORIES = {
    1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 5: "airplane", 6: "bus", 7: "train", 9: "boat", 16: "bird",
    17: "cat", 18: "dog", 19: "horse", 20: "sheep", 21: "cow", 44: "bottle", 62: "chair", 63: "couch",
    64: "potted plant", 67: "dining table", 72: "tv", 8: "truck",
}  # fmt: skip
HEIGHT, WIDTH = 40, 60


def rectangle(x, y, width, height):
    return [[x, y, x + width, y, x + width, y + height, x, y + height]]


INSTANCES = [
    {"id": 1, "image_id": 7, "category_id": 63, "segmentation": rectangle(10, 5, 40, 30)},  # a couch
    {"id": 2, "image_id": 7, "category_id": 1, "segmentation": rectangle(20, 10, 8, 9) + rectangle(40, 0, 10, 4)},
    {"id": 3, "image_id": 7, "category_id": 8, "segmentation": rectangle(0, 0, 60, 40)},  # a truck: no class of VOC
    # A crowd, everywhere but in the first two columns; a person is one, and it is behind the couch.
    {"id": 4, "image_id": 8, "category_id": 1, "iscrowd": 1, "segmentation": {"size": [40, 60], "counts": [80, 2320]}},
    {"id": 5, "image_id": 8, "category_id": 72, "segmentation": rectangle(0, 0, 60, 40)},
    {"id": 6, "image_id": 9, "category_id": 1, "segmentation": rectangle(0, 0, 37, 27)},  # 999 pixels
    {"id": 7, "image_id": 10, "category_id": 1, "segmentation": rectangle(0, 0, 40, 25)},  # 1000 pixels
]


def write(folder, instances=INSTANCES, **changes):
    content = {
        "images": [{"id": i, "file_name": f"{i:012}.jpg", "height": HEIGHT, "width": WIDTH} for i in (10, 9, 8, 7, 6)],
        "annotations": instances,
        "categories": [{"id": number, "name": name} for number, name in CATEGORIES.items()],
        **changes,
    }
    for part in ("annotations", "train2017"):
        (folder / part).mkdir(exist_ok=True)
    (folder / "annotations" / "instances_train2017.json").write_text(json.dumps(content))
    for image in content["images"]:
        Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "train2017" / image["file_name"])
    return folder


def test_label_maps_in_the_classes_of_voc(tmp_path):
    names = write_coco_voc_labels(write(tmp_path))
    assert names == ["000000000007.jpg", "000000000008.jpg", "000000000010.jpg"]  # 1,000 labeled pixels at least
    datalist = coco_voc_datalist(tmp_path)
    assert datalist[0] == {
        "image": str(tmp_path / "train2017" / "000000000007.jpg"),
        "segment": str(tmp_path / "voc_labels" / "train2017" / "000000000007.png"),
    }
    living_room, crowd, person = (np.asarray(Image.open(sample["segment"])) for sample in datalist)
    expected = np.zeros((HEIGHT, WIDTH))
    expected[5:35, 10:50] = VOC.classes.index("sofa")
    expected[10:19, 20:28] = expected[0:4, 40:50] = VOC.classes.index("person")
    np.testing.assert_array_equal(living_room, expected)
    assert (crowd == VOC.classes.index("tvmonitor")).all()
    assert (person == VOC.classes.index("person")).sum() == 1000


def test_every_class_of_voc_has_a_category():
    names = [COCO_NAMES.get(name, name) for name in VOC.classes[1:]]
    assert sorted(names) == sorted(set(CATEGORIES.values()) - {"truck"})


def test_run_lengths_go_down_the_columns():
    mask = coco_mask({"size": [3, 4], "counts": [2, 3, 7]}, 3, 4)
    assert mask.astype(int).tolist() == [[0, 1, 0, 0], [0, 1, 0, 0], [1, 0, 0, 0]]


def test_masks_are_those_of_pycocotools():
    """Decoded by pycocotools 2.0.11 (`frPyObjects`, `encode`, `decode`)."""
    rows = ["000000000", "001110000", "001111100", "001111100", "001111000", "001111000", "000010000", "000000000"]
    expected = np.array([[pixel == "1" for pixel in row] for row in rows])
    for counts in ("a0530010N1N`0", b"a0530010N1N`0"):
        np.testing.assert_array_equal(coco_mask({"size": [8, 9], "counts": counts}, 8, 9), expected)
    outline = coco_mask([[1.3, 0.7, 7.6, 2.1, 5.2, 6.9, 2.4, 5.5]], 8, 9)
    assert (outline != expected).sum() <= 5  # along the outline
    square = np.zeros((8, 9), dtype=bool)
    square[2:5, 2:5] = True
    np.testing.assert_array_equal(coco_mask([[2.0, 2, 5, 2, 5, 5, 2, 5]], 8, 9), square)


def test_long_run_lengths_with_several_characters():
    """From `encode` of 300 x 200 pixels, rows 20 to 249 of columns 30 to 119."""
    mask = np.zeros((300, 200), dtype=bool)
    mask[20:250, 30:120] = True
    counts = "li8V7V2" + 177 * "0" + "\\]g0"
    np.testing.assert_array_equal(coco_mask({"size": [300, 200], "counts": counts}, 300, 200), mask)


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"instances_train2017\.json.*annotations_trainval2017\.zip"):
        write_coco_voc_labels(tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"train2017\.txt does not exist.*write_coco_voc_labels\('.*', 'train2017'"
    ):
        coco_voc_datalist(tmp_path)
    wrong = {"id": 3, "image_id": 7, "category_id": 1, "segmentation": {"size": [4, 4], "counts": [16]}}
    with pytest.raises(ValueError, match=r"instances_train2017\.json, instance 3: Run lengths of 16 .* of 40 x 60"):
        write_coco_voc_labels(write(tmp_path, [wrong]))
    with pytest.raises(ValueError, match="instance 3: A polygon has pairs of coordinates, got 3 numbers"):
        write_coco_voc_labels(write(tmp_path, [wrong | {"segmentation": [[1, 2, 3]]}]))
    (tmp_path / "annotations" / "instances_train2017.json").write_text(json.dumps({"images": [], "info": {}}))
    with pytest.raises(ValueError, match="has no annotations, categories: it does not hold COCO's instances"):
        write_coco_voc_labels(tmp_path)
    write_coco_voc_labels(write(tmp_path))
    (tmp_path / "train2017" / "000000000008.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"5 of 6 files .*000000000008\.jpg"):
        coco_voc_datalist(tmp_path)
