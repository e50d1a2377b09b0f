import warnings

import numpy as np
import pytest
import torch
from monai.transforms import MapLabelValued

from monai_mtunet.data import CITYSCAPES, CITYSCAPES_CATEGORIES, CITYSCAPES_CATEGORIES_WITH_VOID, cityscapes_datalist

FRAMES = (("zurich", "zurich_000001_000019"), ("aachen", "aachen_000000_000019"), ("aachen", "aachen_000001_000019"))


@pytest.fixture
def cityscapes(tmp_path):
    for city, frame in FRAMES:
        for kind, suffix in (
            ("leftImg8bit", "leftImg8bit"),
            ("gtFine", "gtFine_labelIds"),
            ("gtFine", "gtFine_color"),
            ("gtFine", "gtFine_instanceIds"),
            ("gtCoarse", "gtCoarse_labelIds"),
            ("disparity", "disparity"),
            ("camera", "camera"),
        ):
            folder = tmp_path / kind / "train" / city
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{frame}_{suffix}.{'json' if kind == 'camera' else 'png'}").touch()
    return tmp_path


@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_official_layout(cityscapes):
    datalist = cityscapes_datalist(
        cityscapes, "train", {"coarse": "gtCoarse", "category": "gtFine", "segment": "gtFine"}
    )
    assert len(datalist) == 3
    assert datalist[0] == {
        "image": str(cityscapes / "leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png"),
        "coarse": str(cityscapes / "gtCoarse/train/aachen/aachen_000000_000019_gtCoarse_labelIds.png"),
        "category": str(cityscapes / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png"),
        "segment": str(cityscapes / "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png"),
    }
    assert [set(item) for item in cityscapes_datalist(cityscapes)] == [{"image", "segment"}] * 3
    assert [set(item) for item in cityscapes_datalist(cityscapes, targets={})] == [{"image"}] * 3


@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_disparity_and_cameras_on_request(cityscapes):
    targets = {"segment": "gtFine", "depth": "disparity", "camera": "camera"}
    assert cityscapes_datalist(cityscapes, "train", targets)[2] == {
        "image": str(cityscapes / "leftImg8bit/train/zurich/zurich_000001_000019_leftImg8bit.png"),
        "segment": str(cityscapes / "gtFine/train/zurich/zurich_000001_000019_gtFine_labelIds.png"),
        "depth": str(cityscapes / "disparity/train/zurich/zurich_000001_000019_disparity.png"),
        "camera": str(cityscapes / "camera/train/zurich/zurich_000001_000019_camera.json"),
    }
    (cityscapes / "camera/train/zurich/zurich_000001_000019_camera.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"11 of 12 files .*zurich_000001_000019_camera\.json.*camera_trainval"):
        cityscapes_datalist(cityscapes, "train", targets)


@pytest.mark.filterwarnings("ignore:.*frames of Cityscapes")
def test_instances_on_request(cityscapes):
    targets = {"segment": "gtFine", "instances": "gtFine_instanceIds"}
    assert cityscapes_datalist(cityscapes, "train", targets)[2] == {
        "image": str(cityscapes / "leftImg8bit/train/zurich/zurich_000001_000019_leftImg8bit.png"),
        "segment": str(cityscapes / "gtFine/train/zurich/zurich_000001_000019_gtFine_labelIds.png"),
        "instances": str(cityscapes / "gtFine/train/zurich/zurich_000001_000019_gtFine_instanceIds.png"),
    }
    (cityscapes / "gtFine/train/zurich/zurich_000001_000019_gtFine_instanceIds.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"8 of 9 files .*zurich_000001_000019_gtFine_instanceIds\.png"):
        cityscapes_datalist(cityscapes, "train", targets)


def test_a_part_is_taken_with_a_warning(cityscapes):
    with pytest.warns(UserWarning, match="3 of the 2975 frames"):
        cityscapes_datalist(cityscapes)


@pytest.mark.parametrize("kind", ["leftImg8bit", "gtFine"])
def test_a_frame_without_image_or_annotation_is_an_error(cityscapes, kind):
    next((cityscapes / kind / "train" / "aachen").glob("aachen_000001*")).unlink()
    for file in (cityscapes / kind / "train" / "aachen").glob("aachen_000001*"):
        file.unlink()
    with pytest.raises(FileNotFoundError, match=r"5 of 6 files.*aachen_000001.*cityscapes-dataset\.com.*--dataset_dir"):
        cityscapes_datalist(cityscapes)


def test_missing_parts_are_named(cityscapes, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"leftImg8bit/val"):
        cityscapes_datalist(cityscapes, "val")
    with pytest.raises(ValueError, match="No folder was given"):
        cityscapes_datalist("")
    with pytest.raises(ValueError, match="train_extra"):
        cityscapes_datalist(cityscapes, "training")
    with pytest.raises(ValueError, match="gtFine, gtCoarse, disparity, camera"):
        cityscapes_datalist(cityscapes, targets={"segment": "gtfine"})


def test_tables():
    """The 19 evaluated ids in order, from cityscapesscripts/helpers/labels.py."""
    evaluated = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    class_of = dict(zip(CITYSCAPES.labels, CITYSCAPES.class_of_label, strict=True))
    assert [i for i in CITYSCAPES.labels if class_of[i] != 255] == evaluated
    assert CITYSCAPES.label_of_class == tuple(evaluated)  # for the test server
    assert [class_of[i] for i in evaluated] == list(range(19))
    assert len(CITYSCAPES.classes) == len(CITYSCAPES.palette) == 19
    assert CITYSCAPES.classes[11:] == CITYSCAPES.things  # all of human and vehicle
    assert set(CITYSCAPES.ignored_labels) == {*CITYSCAPES.labels} - {*evaluated}

    category_of = dict(zip(CITYSCAPES.labels, CITYSCAPES_CATEGORIES.class_of_label, strict=True))
    assert CITYSCAPES_CATEGORIES_WITH_VOID.classes == (*CITYSCAPES_CATEGORIES.classes, "void")
    assert len(CITYSCAPES_CATEGORIES.classes) == 7
    by_class = {CITYSCAPES.classes[class_of[i]]: CITYSCAPES_CATEGORIES.classes[category_of[i]] for i in evaluated}
    assert by_class["sidewalk"] == "flat"
    assert by_class["fence"] == "construction"
    assert by_class["pole"] == by_class["traffic sign"] == "object"
    assert by_class["terrain"] == "nature"
    assert by_class["sky"] == "sky"
    assert by_class["rider"] == "human"
    assert by_class["car"] == by_class["bicycle"] == "vehicle"
    # Classes that are not evaluated still have a category: parking, tunnel, polegroup, trailer.
    assert [category_of[i] for i in (9, 16, 18, 30)] == [0, 1, 2, 6]
    assert [category_of[i] for i in (*range(7), -1, 255)] == [255] * 9
    with_void = dict(zip(CITYSCAPES.labels, CITYSCAPES_CATEGORIES_WITH_VOID.class_of_label, strict=True))
    assert with_void[0] == 7
    assert set(with_void.values()) == set(range(8))


@pytest.mark.parametrize("table", [CITYSCAPES.class_of_label, CITYSCAPES_CATEGORIES.class_of_label])
def test_map_label_value_applies_the_tables(table):
    """MONAI's transform maps from the original values (not one after another) and keeps the ignore index."""
    labels = torch.tensor([CITYSCAPES.labels], dtype=torch.int16)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        map_labels = MapLabelValued("segment", CITYSCAPES.labels, table, dtype="int16")
        mapped = map_labels({"segment": labels})["segment"]
    assert mapped.dtype == torch.int16
    assert np.array_equal(mapped[0], table)
