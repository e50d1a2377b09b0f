import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor

from monai_mtunet.tasks import DistanceTask
from monai_mtunet.transforms import SignedDistanceMapd

NAN = np.nan


def signed_distance_map(**arguments):
    """Distances of a label map."""
    transform = SignedDistanceMapd("segment", "distance", **arguments)
    return lambda labels: transform({"segment": labels})["distance"]


def brute_force(labels, spacing, ignore_index=255):
    """Every voxel against every voxel of the other side, in double precision."""
    places = np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), axis=-1) * np.array(spacing, float)
    sides = np.where(labels == ignore_index, 0, np.where(labels > 0, 1, -1))
    distances = np.full(labels.shape, NAN)
    for index in np.ndindex(labels.shape):
        others = places[sides == -sides[index]]
        if sides[index] and len(others):
            distances[index] = sides[index] * np.sqrt(((others - places[index]) ** 2).sum(axis=1)).min()
    return distances


def scene(kind, shape):
    labels = np.zeros(shape, dtype=np.int16)
    if kind == "single voxel":
        labels[tuple(n // 2 for n in shape)] = 1
    if kind == "corner":
        labels[tuple(slice(0, 2) for _ in shape)] = 3
    if kind == "whole border":
        labels[:] = 1
        labels[tuple(slice(1, -1) for _ in shape)] = 0
    if kind in ("random", "missing"):
        labels[:] = np.random.default_rng(0).random(shape) < 0.15
    if kind == "missing":
        labels[np.random.default_rng(1).random(shape) < 0.4] = 255
    if kind == "half missing":
        labels[:] = 255
        labels[0], labels[-1] = 0, 1
    return labels


KINDS = ["single voxel", "corner", "whole border", "random", "missing", "half missing"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "spacing"), [((9, 11), (1.0, 1.0)), ((7, 12), (2.0, 0.5)), ((6, 5, 7), (1.0, 1.0, 3.5)), ((1, 9), (3, 1))]
)
def test_exact_against_brute_force(kind, shape, spacing):
    labels = scene(kind, shape)
    expected = brute_force(labels, spacing)
    measured = signed_distance_map(unit="mm", spacing=spacing)(torch.from_numpy(labels)[None])
    assert measured.dtype == torch.float32
    np.testing.assert_allclose(measured[0].numpy(), expected.astype(np.float32), rtol=1e-6)
    in_voxels = signed_distance_map()(torch.from_numpy(labels)[None])
    np.testing.assert_allclose(in_voxels[0].numpy(), brute_force(labels, (1,) * len(shape)), rtol=1e-6)


@pytest.mark.parametrize(("value", "sign"), [(0, -1), (2, 1)])
@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_without_a_boundary_all_is_as_far_as_is_told_apart(value, sign, shape):
    labels = torch.full((1, *shape), value)
    labels[0, 0, 0] = 255
    known = labels != 255
    assert signed_distance_map()(labels).isnan().all()
    truncated = signed_distance_map(truncate=7)(labels)
    assert (truncated[known] == 7 * sign).all()
    assert truncated[~known].isnan().all()


def test_without_any_label_all_is_missing():
    labels = torch.full((1, 4, 5), 255)
    for truncate in (None, 5):
        assert signed_distance_map(labels=[1, 2], truncate=truncate)(labels).isnan().all()


def test_truncation_changes_only_what_is_beyond():
    labels = torch.from_numpy(scene("single voxel", (15, 15)))[None]
    full, truncated = signed_distance_map()(labels), signed_distance_map(truncate=3)(labels)
    assert full.min() < -9
    torch.testing.assert_close(truncated, full.clamp(-3, 3))


def test_one_channel_per_label_or_group_of_labels():
    labels = torch.tensor([[[0, 1, 1, 2, 2, 0]]])
    distances = signed_distance_map(labels=[1, [1, 2], 7], truncate=9)(labels)
    assert distances[:, 0].tolist() == [[-1, 1, 1, -1, -2, -3], [-1, 1, 2, 2, 1, -1], [-9] * 6]


class TestSpacing:
    affine = torch.diag(torch.tensor([2.0, 1.0, 3.0, 1.0]))

    def test_millimeters_come_from_the_affine(self):
        labels = scene("random", (6, 5, 7))
        rotated = self.affine[[1, 0, 2, 3]]  # the file's first axis is the second in space
        rotated[:3, 3] = 40.0
        for affine in (self.affine, rotated):
            measured = signed_distance_map(unit="mm")(MetaTensor(labels[None], affine=affine))
            np.testing.assert_allclose(measured[0].numpy(), brute_force(labels, (2, 1, 3)), rtol=1e-6)
            assert torch.equal(measured.affine, affine.to(measured.affine))
        in_voxels = signed_distance_map()(MetaTensor(labels[None], affine=self.affine))
        np.testing.assert_allclose(in_voxels[0].numpy(), brute_force(labels, (1, 1, 1)), rtol=1e-6)

    def test_images_have_an_affine_of_volumes(self):
        labels = scene("random", (6, 7))
        measured = signed_distance_map(unit="mm")(MetaTensor(labels[None], affine=self.affine))
        np.testing.assert_allclose(measured[0].numpy(), brute_force(labels, (2, 1)), rtol=1e-6)

    def test_a_given_spacing_comes_first(self):
        labels = torch.tensor([[[0, 1], [1, 1]]])
        measured = signed_distance_map(unit="mm", spacing=2)(MetaTensor(labels, affine=self.affine))
        torch.testing.assert_close(measured.as_tensor(), torch.tensor([[[-2.0, 2.0], [2.0, 8**0.5]]]))

    def test_without_any_spacing_millimeters_are_refused(self):
        with pytest.raises(ValueError, match="give spacing, or a label map with an affine"):
            signed_distance_map(unit="mm")(torch.zeros(1, 3, 3))


def test_samples_keep_their_labels_and_become_targets_of_a_task():
    make = SignedDistanceMapd("segment", "distance", truncate=4)
    samples = [{"segment": MetaTensor(torch.from_numpy(scene(kind, (6, 7)))[None])} for kind in KINDS[:4]]
    loader = DataLoader(CacheDataset(samples, make, progress=False), batch_size=4)
    (batch,) = loader
    assert batch["segment"].dtype == torch.int16
    target = DistanceTask("distance", truncate=4).prepare_target(batch["distance"].as_tensor())
    assert target.shape == (4, 1, 6, 7)
    with pytest.raises(KeyError, match="segment"):
        make({"labels": 1})
    assert SignedDistanceMapd("segment", "distance", allow_missing_keys=True)({"labels": 1}) == {"labels": 1}


def test_floating_point_labels_and_missing_ones():
    labels = torch.tensor([[[0.0, 1.0, 255.0]]])
    torch.testing.assert_close(signed_distance_map()(labels), torch.tensor([[[-1.0, 1.0, NAN]]]), equal_nan=True)


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
        signed_distance_map(**arguments)


def test_one_hot_labels_are_refused():
    with pytest.raises(ValueError, match=r"one channel, with class numbers; got shape \(3, 4, 4\)"):
        signed_distance_map()(torch.zeros(3, 4, 4))
