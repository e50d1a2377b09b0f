"""Crops, flips and noise."""

import numpy as np
import pytest

from monai_mtunet.planning.data import DataCase, FoundData, TargetKind
from monai_mtunet.planning.fingerprint import DataFingerprint
from monai_mtunet.planning.rules.declared import Declared
from monai_mtunet.planning.rules.grid import Grid
from monai_mtunet.planning.rules.samples import choose_augmentation, choose_crops, choose_sampler

from .fingerprints import case

SEGMENT = Declared([{"_target_": "SegmentationTask", "name": "segment"}], "segment_dice", "", classes=2)


def grid(*sizes, left_right=None):
    return Grid(np.array(sizes), (1.0,) * len(sizes[0]), (), (), left_right)


def data(*labels):
    """Cases with labels or without, and their fingerprint."""
    cases = tuple(DataCase(str(n), (f"/{n}",), {"segment": one and f"/{n}_l"}) for n, one in enumerate(labels))
    found = DataFingerprint([case(targets={"segment": one and {"labels": one}}) for one in labels])
    return FoundData(cases, {"segment": TargetKind.SEGMENTATION}, ("0",), "a folder"), found


def names(samples):
    return [step["_target_"] for step in samples.items["augment"]]


def crops(sizes, patch, *labels):
    return choose_crops(grid(*sizes), patch, *data(*labels), [SEGMENT])


def test_images_of_the_patchs_size_are_not_cropped():
    assert names(crops([(8, 8)], (8, 8), {"0": 9, "1": 1})) == []
    assert names(crops([(8, 8), (6, 8)], (8, 8), {"0": 9, "1": 1})) == ["PadSampled"]


def test_patches_are_around_rare_classes_where_they_are_small():
    chosen = crops([(64, 64)], (8, 8), {"0": 99, "1": 1}, {"0": 100})
    assert names(chosen) == ["RandCropByLabelClassesd"]
    assert chosen.items["keep"] == ["segment_voxels"]
    assert chosen.items["targets"][0]["num_classes"] == 2
    assert "0.50%" in chosen.choices[0].reason


def test_missing_voxels_are_no_rare_class():
    assert names(crops([(64, 64)], (8, 8), {"0": 50, "1": 49, "255": 1})) == ["RandSpatialCropd"]


@pytest.mark.parametrize(
    ("patch", "labels"),
    [
        ((8, 8), [{"0": 5, "1": 5}]),  # no class is rare
        ((8, 8), [{"0": 99, "1": 1}, None]),  # what has no labels has no place to crop around
        ((48, 48), [{"0": 99, "1": 1}]),  # a patch holds all classes anyway
    ],
)
def test_elsewhere_patches_are_anywhere(patch, labels):
    assert names(crops([(64, 64)], patch, *labels)) == ["RandSpatialCropd"]


def flips(samples):
    return [step["spatial_axis"] for step in samples.items["augment"] if step["_target_"] == "RandFlipGeometryd"]


def test_bodies_are_flipped_left_and_right_unless_they_are_seen_often():
    body = grid((40, 50, 30), left_right=1)
    assert flips(choose_augmentation(body, (8, 8, 8), 10, False, [SEGMENT])) == [1]
    assert flips(choose_augmentation(body, (8, 8, 8), 500, False, [SEGMENT])) == [0, 1, 2]


def test_photographs_keep_their_upper_side_and_microscopy_is_turned():
    assert flips(choose_augmentation(grid((64, 64)), (8, 8), 500, True, [SEGMENT])) == [1]
    turned = choose_augmentation(grid((64, 64)), (8, 8), 10, False, [SEGMENT])
    assert names(turned) == ["RandFlipGeometryd", "RandFlipGeometryd", "RandRotate90d"]
    assert "RandRotate90d" not in names(choose_augmentation(grid((64, 64)), (8, 16), 10, False, [SEGMENT]))


def test_vectors_are_not_turned_by_what_does_not_know_them():
    normals = Declared([{"_target_": "NormalsTask", "name": "normals"}], "normals_mean_angle", "")
    assert "RandRotate90d" not in names(choose_augmentation(grid((64, 64)), (8, 8), 10, False, [normals]))


def test_what_is_seen_often_is_changed_more():
    assert {"RandZoomGeometryd", "RandScaleIntensityd"} <= set(
        names(choose_augmentation(grid((64, 64)), (8, 8), 500, False, [SEGMENT]))
    )


def test_few_labeled_images_are_seen_more_often():
    found, _ = data({"0": 1}, None, None, None, None)
    chosen = choose_sampler(found, [SEGMENT])
    assert chosen.items["sampler"]["_target_"].endswith("WeightedRandomSampler")
    assert chosen.items["shuffle"] is False
    assert choose_sampler(data({"0": 1}, {"0": 1}, None)[0], [SEGMENT]).items == {}
