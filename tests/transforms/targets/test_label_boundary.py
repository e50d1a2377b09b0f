import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor
from skimage.segmentation import find_boundaries

from monai_mtunet.tasks import EdgeTask
from monai_mtunet.transforms import LabelBoundaryd


def boundary(thickness=1, mode="thick"):
    """Boundaries of a label map, and of an instance map beside it."""

    def find(labels, instances=None):
        key = None if instances is None else "instances"
        transform = LabelBoundaryd("segment", "edges", key, thickness, mode)
        return transform({"segment": labels, "instances": instances})["edges"]

    return find


def blobs(shape, seed=0, labels=3):
    coarse = np.random.default_rng(seed).integers(0, labels, [-(-n // 3) for n in shape])
    return np.kron(coarse, np.ones([3] * len(shape), int))[tuple(map(slice, shape))]


def brute_force(labels, thickness, mode="thick", ignore_index=255):
    """Every voxel against every other."""
    radii = np.broadcast_to(thickness, labels.ndim)
    result = np.zeros(labels.shape, int)
    missing = (labels == ignore_index) | (labels < 0)
    for a in np.ndindex(labels.shape):
        result[a] = ignore_index if missing[a] else 0
        for b in np.ndindex(labels.shape):
            offset = np.subtract(a, b)
            if missing[a] or missing[b] or labels[a] == labels[b] or offset[radii == 0].any():
                continue
            if ((offset[radii > 0] / radii[radii > 0]) ** 2).sum() <= 1 + 1e-9 and (mode == "thick" or labels[a]):
                result[a] = 1
    return result


@pytest.mark.parametrize("shape", [(20, 23), (9, 8, 11)])
@pytest.mark.parametrize("mode", ["thick", "inner"])
def test_one_voxel_thick_is_what_scikit_image_finds(shape, mode):
    labels = blobs(shape)
    found = boundary(mode=mode)(torch.from_numpy(labels)[None])
    assert found.dtype == torch.int16
    np.testing.assert_array_equal(found[0].numpy(), find_boundaries(labels, mode=mode))


@pytest.mark.parametrize("mode", ["thick", "inner"])
@pytest.mark.parametrize(
    ("shape", "thickness"),
    [((8, 7), 1), ((8, 7), 1.5), ((8, 7), 3), ((5, 6, 4), 2), ((5, 6, 4), (2, 1, 0)), ((8, 7), (0, 2.5))],
)
def test_exact_against_brute_force(shape, thickness, mode):
    labels = blobs(shape)
    for value in (255, -1):
        partly = np.where(np.random.default_rng(1).random(shape) < 0.2, value, labels)
        found = boundary(thickness, mode)(torch.from_numpy(partly)[None])
        np.testing.assert_array_equal(found[0].numpy(), brute_force(partly, thickness, mode))


@pytest.mark.parametrize("value", [0, 4, 255])
def test_without_boundaries_there_are_none(value):
    found = boundary(2)(torch.full((1, 5, 6), value))
    assert (found == (255 if value == 255 else 0)).all()


def test_a_single_voxel_and_the_image_border():
    labels = torch.zeros(1, 5, 5, dtype=torch.uint8)
    labels[0, 0, 0] = 1
    assert boundary(mode="inner")(labels)[0].nonzero().tolist() == [[0, 0]]
    assert boundary()(labels)[0].nonzero().tolist() == [[0, 0], [0, 1], [1, 0]]


def test_touching_instances_of_one_class_have_a_boundary():
    classes = torch.tensor([[[0, 1, 1, 1, 1, 2, 2]]])
    instances = torch.tensor([[[0, 1, 1, 2, 2, 0, 0]]])
    assert boundary()(classes)[0, 0].tolist() == [1, 1, 0, 0, 1, 1, 0]
    assert boundary()(classes, instances)[0, 0].tolist() == [1, 1, 1, 1, 1, 1, 0]
    assert boundary(mode="inner")(classes, instances)[0, 0].tolist() == [0, 1, 1, 1, 1, 1, 0]


def test_missing_instances_leave_the_boundaries_of_classes():
    classes = torch.tensor([[[0, 0, 1, 1, 1, 1, 255]]])
    instances = torch.tensor([[[0, 0, 1, 1, -1, -1, 5]]])
    assert boundary()(classes, instances)[0, 0].tolist() == [0, 1, 1, 0, 255, 255, 255]


def test_samples_without_instances_have_the_boundaries_of_classes():
    make = LabelBoundaryd("segment", "edges", instance_key="instances", allow_missing_keys=True)
    sample = {"segment": torch.tensor([[[0, 0, 1, 1, 1, 1, 255]]])}
    expected = make({**sample, "instances": torch.full((1, 1, 7), -1)})["edges"]
    assert expected.tolist() == [[[255, 1, 1, 255, 255, 255, 255]]]
    assert torch.equal(make(sample)["edges"], expected)
    assert torch.equal(make({**sample, "instances": None})["edges"], expected)
    with pytest.raises(KeyError, match="instances"):
        LabelBoundaryd("segment", "edges", instance_key="instances")(sample)


@pytest.mark.parametrize("spatial", [(6, 7), (6, 7, 4)])
def test_samples_become_targets_of_a_task(spatial):
    affine = torch.diag(torch.tensor([2.0, 1.0, 3.0, 1.0]))
    sample = {
        "segment": MetaTensor(torch.from_numpy(blobs(spatial))[None], affine=affine),
        "instances": MetaTensor(torch.from_numpy(blobs(spatial, labels=9))[None], affine=affine),
    }
    make = LabelBoundaryd("segment", "edges", instance_key="instances")
    (batch,) = DataLoader(CacheDataset([sample, sample], make, progress=False), batch_size=2)
    assert torch.equal(make(sample)["edges"].affine, affine.to(torch.float64))
    target = EdgeTask("edges").prepare_target(batch["edges"].as_tensor())
    alone = LabelBoundaryd("segment", "edges")(sample)["edges"]
    assert target[0].sum() > alone.sum() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "outer"}, r"mode must be one of \('thick', 'inner'\), got 'outer'"),
        ({"thickness": 0.5}, "1 or more voxels, or 0 along some axes, got 0.5"),
        ({"thickness": (0, 0)}, r"or 0 along some axes, got \(0, 0\)"),
        ({"thickness": -1}, "got -1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        LabelBoundaryd("segment", "edges", **arguments)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"one channel, with class numbers; got shape \(3, 4, 4\)"):
        boundary()(torch.zeros(3, 4, 4))
    with pytest.raises(ValueError, match=r"\(1, 4, 4\) and instances \(1, 4, 5\) differ in size"):
        boundary()(torch.zeros(1, 4, 4), torch.zeros(1, 4, 5))
