import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from skimage.measure import label

from monai_mtunet.tasks import InstanceTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LabelComponentsd


def components(**arguments):
    """Instances of a label map."""
    transform = LabelComponentsd("segment", "instances", **arguments)
    return lambda labels: transform({"segment": labels})["instances"]


def blobs(shape, labels=3, seed=0):
    coarse = np.random.default_rng(seed).integers(0, labels, [-(-n // 3) for n in shape])
    return np.kron(coarse, np.ones([3] * len(shape), int))[tuple(map(slice, shape))]


def same_pieces(a, b):
    """Whether two maps differ in nothing but their numbers."""
    pairs = np.unique(np.stack([a.ravel(), b.ravel()], axis=1), axis=0)
    return len(pairs) == len(np.unique(a)) == len(np.unique(b))


@pytest.mark.parametrize("shape", [(20, 24), (9, 12, 10)])
def test_pieces_are_those_of_scikit_image(shape):
    labels = blobs(shape)
    found = components()(torch.from_numpy(labels)[None])
    assert found.dtype == torch.int32
    expected = label(labels, connectivity=1)
    assert same_pieces(found[0].numpy(), expected)
    assert sorted(found.unique().tolist()) == list(range(expected.max() + 1))


def test_lists_of_labels_are_connected_as_one():
    labels = torch.tensor([[[1, 2, 0, 3, 3, 1, 255, 1]]])
    assert components()(labels)[0, 0].tolist() == [1, 4, 0, 5, 5, 2, -1, 3]
    assert components(labels=[[1, 2]])(labels)[0, 0].tolist() == [1, 1, 0, 0, 0, 2, -1, 3]
    assert components(labels=[0])(labels)[0, 0].tolist() == [0, 0, 1, 0, 0, 0, -1, 0]


def test_small_pieces_are_none():
    labels = torch.tensor([[[1, 1, 0, 1, 0, 1, 1, 1]]])
    assert components(min_size=2)(labels)[0, 0].tolist() == [1, 1, 0, 0, 0, 2, 2, 2]
    assert components(min_size=9)(labels).max() == 0


@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_slices_are_numbered_each_by_itself(slice_axis):
    labels = blobs((6, 9, 12), labels=2)
    found = components(slice_axis=slice_axis)(torch.from_numpy(labels)[None])[0].numpy()
    seen: set[int] = set()
    for plane, expected in zip(np.moveaxis(found, slice_axis, 0), np.moveaxis(labels, slice_axis, 0), strict=True):
        assert same_pieces(plane, label(expected, connectivity=1))
        numbers = set(plane[plane > 0].tolist())
        assert not seen & numbers
        seen |= numbers
    assert seen == set(range(1, found.max() + 1))
    assert components()(torch.from_numpy(labels)[None]).max() < found.max()


def test_a_task_divides_slices_each_by_itself_as_well():
    labels = torch.from_numpy(blobs((6, 9, 12), labels=2))[None]
    segment = SegmentationTask("segment", ["outside", "cell"])
    prediction = {"segment": torch.nn.functional.one_hot(labels, 2).movedim(-1, 1).float()}
    for slice_axis in (None, 2):
        tasks = TaskList([segment, InstanceTask("instances", "segment", method="components", slice_axis=slice_axis)])
        (made,) = tasks.with_derived(prediction)["instances"]
        assert made.dtype == torch.int32
        assert same_pieces(made.numpy(), components(slice_axis=slice_axis)(labels).numpy())


@pytest.mark.parametrize("value", [0, 255])
def test_without_any_label_there_is_none(value):
    found = LabelComponentsd("segment", "instances")({"segment": MetaTensor(torch.full((1, 4, 5), value))})["instances"]
    assert (found == (-1 if value == 255 else 0)).all()


def test_one_hot_labels_are_refused():
    with pytest.raises(ValueError, match=r"one channel, with class numbers; got shape \(3, 4, 4\)"):
        components()(torch.zeros(3, 4, 4))
