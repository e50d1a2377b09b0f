import pickle

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import BorderPadd, Compose, Invertd, RandSpatialCropd, SpatialPadd

from monai_mtunet.tasks import BoundingBoxTask, DepthTask, SegmentationTask, TaskList
from monai_mtunet.transforms import PadSampled, PaintBoxd

SEGMENT = SegmentationTask("segment", list("abcd"))
TASKS = TaskList([SEGMENT, DepthTask("depth")])
NAMES = ["image", "segment", "depth"]


def sample(*size):
    generator = torch.Generator().manual_seed(0)
    return {
        "image": MetaTensor(torch.rand(3, *size, generator=generator) + 1),
        "segment": MetaTensor(torch.randint(0, 4, (1, *size), generator=generator, dtype=torch.int16)),
        "depth": MetaTensor(torch.rand(1, *size, generator=generator)),
    }


def test_small_samples_are_padded_with_missing():
    crop = RandSpatialCropd(NAMES, [16, 8], random_size=False)
    after = Compose([PadSampled(TASKS, [16, 8]), crop])(sample(5, 9))
    missing = after["segment"] == 255
    assert {value.shape[1:] for value in after.values()} == {(16, 8)}
    assert int(missing.sum()) == 16 * 8 - 5 * 8
    assert torch.equal(after["depth"].isnan(), missing)
    assert after["segment"].dtype == torch.int16
    assert after["image"].min() >= 1  # continued at the border, not black
    assert not after["image"].isnan().any()


@pytest.mark.parametrize("size", [(5, 9), (5, 9, 4)])
@pytest.mark.parametrize(
    ("ours", "monai", "name"),
    [
        ({"spatial_size": 8}, SpatialPadd, "spatial_size"),
        ({"spatial_size": [8, -1, 8]}, SpatialPadd, "spatial_size"),
        ({"border": 1}, BorderPadd, "spatial_border"),
    ],
)
def test_it_is_monais_one_value_at_a_time(size, ours, monai, name):
    (given,) = ours.values()
    given = given[: len(size)] if isinstance(given, list) else given
    expected = Compose(
        [
            monai("image", **{name: given}, mode="edge"),
            monai("segment", **{name: given}, mode="constant", value=255),
            monai("depth", **{name: given}, mode="constant", value=torch.nan),
        ]
    )(sample(*size))
    padded = PadSampled(TASKS, **dict.fromkeys(ours, given))(sample(*size))
    for key in NAMES:
        torch.testing.assert_close(padded[key], expected[key], rtol=0, atol=0, equal_nan=True)
        assert padded[key].dtype == expected[key].dtype
        assert torch.equal(padded[key].affine, expected[key].affine)


def test_targets_of_tasks_that_are_not_trained_are_padded_and_absent_ones_passed_by():
    tasks = TaskList(list(TASKS), only="depth")
    before = sample(5, 9)
    assert {value.shape[1:] for value in PadSampled(tasks, 10)(before).values()} == {(10, 10)}
    assert set(PadSampled(tasks, 10)({"image": before["image"]})) == {"image"}


def test_nothing_is_known_of_a_box_beyond_the_image():
    tasks = TaskList([SEGMENT, BoundingBoxTask("box")])
    painted = PaintBoxd(tasks)({"image": torch.zeros(1, 2, 2), "box": [0.0, 0, 1, 2]})
    assert PadSampled(tasks, border=[0, 1])(painted)["box"].tolist() == [[[255, 1, 1, 255], [255, 0, 0, 255]]]


def test_predictions_are_cropped_back():
    pad = PadSampled(TASKS, [16, 16])
    before = sample(5, 9)
    restored = pad.inverse(pad(before))
    assert all(torch.equal(restored[key].as_tensor(), before[key].as_tensor()) for key in NAMES)
    padded = {**pad({"image": before["image"]}), "pred": MetaTensor(torch.ones(2, 16, 16))}
    inverted = Invertd("pred", Compose([pad]), orig_keys="image")(padded)["pred"]
    assert inverted.shape == (2, 5, 9)


def test_it_pickles():
    assert pickle.loads(pickle.dumps(PadSampled(TASKS, 10)))(sample(5, 9))["depth"].shape == (1, 10, 10)


@pytest.mark.parametrize("arguments", [{}, {"spatial_size": 5, "border": 1}])
def test_a_size_or_a_border_is_needed(arguments):
    with pytest.raises(ValueError, match="Give either spatial_size or border"):
        PadSampled(TASKS, **arguments)
