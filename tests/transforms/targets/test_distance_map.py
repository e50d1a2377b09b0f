import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor
from monai.transforms import CastToTyped, Compose

from monai_mtunet.tasks import DistanceTask
from monai_mtunet.transforms import DistanceMapd

NAN = np.nan


def distance_map(**arguments):
    """Distances of an instance map."""
    transform = DistanceMapd("instances", "distance", **arguments)
    return lambda labels: transform({"instances": labels})["distance"]


def brute_force(labels, spacing, border=False, background=0, ignore_index=-1):
    """Every voxel of an object against every known voxel that is not of it, in double precision."""
    if border:
        padded = np.pad(labels, 1, constant_values=99)
        return brute_force(padded, spacing, False, background, ignore_index)[(slice(1, -1),) * labels.ndim]
    places = np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1) * np.array(spacing, float)
    distances = np.zeros(labels.shape)
    for index in np.ndindex(labels.shape):
        if labels[index] == ignore_index:
            distances[index] = NAN
        elif labels[index] != background:
            others = places[(labels != labels[index]) & (labels != ignore_index)]
            distances[index] = np.sqrt(((others - places[index]) ** 2).sum(axis=1)).min() if len(others) else NAN
    return distances


def scene(kind, shape):
    """Instance maps: 0 is no instance, -1 is missing."""
    rng = np.random.default_rng(0)
    labels = np.zeros(shape, dtype=np.int32)
    halves = tuple(n // 2 for n in shape)
    if kind == "single voxel":
        labels[halves] = 7
    if kind == "touching at the border":
        labels[: halves[0]] = 1
        labels[halves[0] :, : halves[1]] = 70000
    if kind in ("blobs", "missing", "mostly missing"):
        coarse = rng.integers(0, 4, [-(-n // 3) for n in shape])
        labels[:] = np.kron(coarse, np.ones([3] * len(shape), int))[tuple(map(slice, shape))]
    if kind == "missing":
        labels[rng.random(shape) < 0.3] = -1
    if kind == "mostly missing":
        labels[rng.random(shape) < 0.9] = -1
    if kind == "behind a missing region":
        labels[:2] = 3
        labels[2:-1] = -1
    return labels


KINDS = [
    "nothing",
    "single voxel",
    "touching at the border",
    "blobs",
    "missing",
    "mostly missing",
    "behind a missing region",
]
GRIDS = [((9, 11), (1.0, 1.0)), ((7, 12), (2.0, 0.5)), ((6, 5, 7), (1.0, 1.0, 3.5)), ((1, 9), (3, 1))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("shape", "spacing"), GRIDS)
@pytest.mark.parametrize("border", [False, True])
def test_exact_against_brute_force(kind, shape, spacing, border):
    labels = scene(kind, shape)
    expected = brute_force(labels, spacing, border)
    measured = distance_map(unit="mm", spacing=spacing, border=border)(torch.from_numpy(labels)[None])
    assert measured.dtype == torch.float32
    np.testing.assert_allclose(measured[0].numpy(), expected.astype(np.float32), rtol=1e-6)
    in_voxels = distance_map(border=border)(torch.from_numpy(labels)[None])
    np.testing.assert_allclose(in_voxels[0].numpy(), brute_force(labels, (1,) * len(shape), border), rtol=1e-6)


@pytest.mark.parametrize("shape", [(9, 11), (6, 5, 7)])
def test_class_maps_may_have_no_background(shape):
    labels = scene("blobs", shape)
    labels[-1] = 255
    measured = distance_map(background=None, ignore_index=255)(torch.from_numpy(labels)[None])
    expected = brute_force(labels, (1,) * len(shape), background=None, ignore_index=255)
    np.testing.assert_allclose(measured[0].numpy(), expected.astype(np.float32), rtol=1e-6)
    assert np.nanmin(expected) == 1


def test_one_channel_per_class_or_group_of_classes():
    labels = torch.tensor([[[0, 1, 1, 2, 2, 0, 255]]])
    measured = distance_map(labels=[1, [1, 2], 7], ignore_index=255)(labels)[:, 0]
    expected = torch.tensor([[0.0, 1, 1, 0, 0, 0, NAN], [0, 1, 2, 2, 1, 0, NAN], [0, 0, 0, 0, 0, 0, NAN]])
    torch.testing.assert_close(measured, expected, equal_nan=True)


@pytest.mark.parametrize("kind", ["touching at the border", "blobs", "missing"])
@pytest.mark.parametrize("truncate", [None, 1.5])
def test_normalized_distances_reach_one_in_every_object(kind, truncate):
    labels = scene(kind, (12, 15))
    expected = brute_force(labels, (1, 1))
    expected = expected if truncate is None else expected.clip(max=truncate)
    for number in set(labels.flatten()) - {0, -1}:
        expected[labels == number] /= expected[labels == number].max()
    measured = distance_map(normalize=True, truncate=truncate)(torch.from_numpy(labels)[None])
    np.testing.assert_allclose(measured[0].numpy(), expected.astype(np.float32), rtol=1e-6)


def test_pieces_of_a_class_are_normalized_each_by_itself():
    labels = torch.tensor([[[1, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 1, 0], [0, 1, 0, 0, 0, 0]]])
    together = distance_map(normalize=True)(labels)[0]
    pieces = distance_map(normalize=True, components=True)(labels)[0]
    assert together[0, 0] < 1
    assert pieces[0, 0] == 1
    # Touching by a corner is touching: one piece with the square.
    assert pieces[3, 1] == together[3, 1] < 1
    torch.testing.assert_close(distance_map(components=True)(labels), distance_map()(labels))


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_an_object_that_fills_the_image_has_no_distance(shape):
    labels = torch.full((1, *shape), 2)
    assert distance_map()(labels).isnan().all()
    assert distance_map(normalize=True)(labels).isnan().all()
    assert (distance_map(truncate=7)(labels) == 7).all()
    assert (distance_map(truncate=7, normalize=True)(labels) == 1).all()
    assert distance_map(border=True)(labels).max() == (min(shape) + 1) // 2
    labels[0, 0] = -1  # what is missing is no boundary
    assert distance_map()(labels).isnan().all()


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize("arguments", [{}, {"truncate": 5, "normalize": True}, {"labels": [1, 2]}, {"border": True}])
def test_without_any_object_all_is_zero_or_missing(value, arguments):
    measured = distance_map(**arguments)(torch.full((1, 4, 5), value))
    assert measured.isnan().all() if value == -1 else (measured == 0).all()


def test_truncation_changes_only_what_is_beyond():
    labels = torch.from_numpy(scene("touching at the border", (25, 25)))[None]
    full, truncated = distance_map()(labels), distance_map(truncate=3)(labels)
    assert full.max() > 9
    torch.testing.assert_close(truncated, full.clamp(max=3))


@pytest.mark.parametrize("unit", ["mm", "um"])
def test_the_size_of_a_voxel_comes_from_the_affine(unit):
    labels, affine = scene("blobs", (6, 5, 7)), torch.diag(torch.tensor([2.0, 1.0, 3.0, 1.0]))
    measured = distance_map(unit=unit)(MetaTensor(labels[None], affine=affine))
    np.testing.assert_allclose(measured[0].numpy(), brute_force(labels, (2, 1, 3)), rtol=1e-6)
    assert torch.equal(measured.affine, affine.to(measured.affine))
    with pytest.raises(ValueError, match="give spacing, or a label map with an affine"):
        distance_map(unit="mm")(torch.zeros(1, 3, 3))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 0), (torch.float16, 0.02)])
def test_samples_are_cached_and_become_targets_of_a_task(dtype, tolerance):
    make = Compose([DistanceMapd("instances", "distance", truncate=4), CastToTyped("distance", dtype)])
    samples = [{"instances": MetaTensor(torch.from_numpy(scene(kind, (6, 7)))[None])} for kind in KINDS[:5]]
    (batch,) = DataLoader(CacheDataset(samples, make, progress=False), batch_size=5)
    assert batch["instances"].dtype == torch.int32
    assert batch["distance"].dtype == dtype
    target = DistanceTask("distance", truncate=4, signed=False).prepare_target(batch["distance"].as_tensor())
    for sample, distance in zip(samples, target, strict=True):
        expected = distance_map(truncate=4)(sample["instances"]).as_tensor()
        torch.testing.assert_close(distance, expected, atol=tolerance, rtol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"unit": "cm"}, 'unit must be "voxel", "mm" or "um", got \'cm\''),
        ({"spacing": 2}, "spacing 2 has no effect on distances in voxels"),
        ({"unit": "mm", "spacing": (1, 0)}, r"spacing must be positive, got \(1, 0\)"),
        ({"truncate": 0}, "truncate must be positive, got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        distance_map(**arguments)


def test_one_hot_labels_are_refused():
    with pytest.raises(ValueError, match=r"one channel, with class numbers; got shape \(3, 4, 4\)"):
        distance_map()(torch.zeros(3, 4, 4))
