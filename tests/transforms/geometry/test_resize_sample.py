import pickle

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import CastToTyped, Compose, Invertd, Resized

from monai_mtunet.tasks import BoundingBoxTask, DepthTask, SegmentationTask, TaskList
from monai_mtunet.transforms import PaintBoxd, ResizeSampled

SEGMENT = SegmentationTask("segment", list("abcd"))
TASKS = TaskList([SEGMENT, DepthTask("depth")])
NAMES = ["image", "segment", "depth"]
SIZES = pytest.mark.parametrize(("size", "new_size"), [((6, 10), (9, 5)), ((6, 10, 4), (3, -1, 8))])


def sample(*size):
    generator = torch.Generator().manual_seed(0)
    affine = torch.diag(torch.tensor([2.0, 1.0, 3.0, 1.0]))
    depth = torch.rand(1, *size, generator=generator)
    depth[0, 1] = torch.nan
    return {
        "image": MetaTensor(torch.rand(3, *size, generator=generator), affine=affine),
        "segment": MetaTensor(torch.randint(0, 4, (1, *size), generator=generator, dtype=torch.int16), affine=affine),
        "depth": MetaTensor(depth, affine=affine),
    }


@SIZES
def test_it_is_monais_with_types_kept(size, new_size):
    resize = Resized(NAMES, new_size, mode=["area", "nearest-exact", "nearest-exact"])
    expected = Compose([resize, CastToTyped("segment", dtype=torch.int16)])(sample(*size))
    resized = ResizeSampled(TASKS, new_size)(sample(*size))
    for key in NAMES:
        torch.testing.assert_close(resized[key], expected[key], rtol=0, atol=0, equal_nan=True)
        assert resized[key].dtype == expected[key].dtype
        assert torch.equal(resized[key].affine, expected[key].affine)
        assert len(resized[key].applied_operations) == 1


@SIZES
@pytest.mark.parametrize("nearest", [True, False])
def test_predictions_are_brought_back_to_the_images_grid(size, new_size, nearest):
    resize = ResizeSampled(TASKS, new_size)
    resized = resize({"image": sample(*size)["image"]})
    resized["pred"] = MetaTensor(torch.rand(2, *resized["image"].shape[1:]))
    inverted = Invertd("pred", Compose([resize]), orig_keys="image", nearest_interp=nearest)(resized)["pred"]
    assert inverted.shape == (2, *size)
    torch.testing.assert_close(inverted.affine, sample(*size)["image"].affine)


def test_targets_of_tasks_that_are_not_trained_are_resized_and_absent_ones_passed_by():
    tasks = TaskList(list(TASKS), only="depth")
    before = sample(6, 10)
    assert {value.shape[1:] for value in ResizeSampled(tasks, [3, 3])(before).values()} == {(3, 3)}
    assert set(ResizeSampled(tasks, [3, 3])({"image": before["image"]})) == {"image"}


def test_a_painted_box_is_resized():
    tasks = TaskList([BoundingBoxTask("box")])
    painted = PaintBoxd(tasks)({"image": torch.zeros(1, 2, 2), "box": [0.0, 0, 1, 2]})
    resized = ResizeSampled(tasks, [4, 2])(painted)["box"]
    assert resized.dtype == torch.int16
    assert resized.tolist() == [[[1, 1], [1, 1], [0, 0], [0, 0]]]


def test_it_pickles():
    assert pickle.loads(pickle.dumps(ResizeSampled(TASKS, [4, 4])))(sample(6, 10))["depth"].shape == (1, 4, 4)
