import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch
from monai.transforms import Compose, Invertd

from monai_mtunet.data.synthetic.geometry import scene_intrinsics
from monai_mtunet.tasks import DepthTask, NormalsTask, TaskList
from monai_mtunet.transforms import RandFlipGeometryd

KEYS = ["image", "normals"]
TASKS = TaskList([NormalsTask("normals")])


def sample(*spatial, components=3):
    generator = torch.Generator().manual_seed(0)
    vectors = MetaTensor(torch.randn(components, *spatial, generator=generator))
    vectors[:, 0, 0] = torch.nan
    return {"image": MetaTensor(torch.rand(3, *spatial, generator=generator)), "normals": vectors}


@pytest.mark.parametrize(
    ("spatial", "axis", "negated"),
    [
        ((4, 6), 1, [0]),  # left-right: x
        ((4, 6), 0, [1]),  # up-down: y
        ((4, 6), -1, [0]),
        ((4, 6), (0, 1), [0, 1]),
        ((4, 6), None, [0, 1]),
        ((4, 6, 3), 0, [0]),
        ((4, 6, 3), 1, [1]),
        ((4, 6, 3), -1, [2]),
        ((4, 6, 3), None, [0, 1, 2]),
    ],
)
def test_a_flipped_axis_negates_its_component(spatial, axis, negated):
    before = sample(*spatial)
    after = RandFlipGeometryd(TASKS, prob=1, spatial_axis=axis)(before)
    dims = list(range(1, len(spatial) + 1))
    dims = dims if axis is None else [dims[a] for a in np.atleast_1d(axis)]
    assert torch.equal(after["image"].as_tensor(), before["image"].as_tensor().flip(dims))
    expected = before["normals"].as_tensor().flip(dims)
    expected[negated] *= -1
    torch.testing.assert_close(after["normals"].as_tensor(), expected, rtol=0, atol=0, equal_nan=True)


def normals_of(depth):
    """Normals of a depth map by differences, with the camera in the middle: x right, y down, z forward."""
    height, width = depth.shape
    rows, columns = np.mgrid[:height, :width]
    rays = np.linalg.inv(scene_intrinsics((height, width))) @ np.stack([columns, rows, np.ones_like(rows)]).reshape(
        3, -1
    )
    points = (rays * depth.reshape(-1)).reshape(3, height, width)
    normals = np.cross(np.gradient(points, axis=2), np.gradient(points, axis=1), axis=0)
    return normals / np.linalg.norm(normals, axis=0)


@pytest.mark.parametrize("axis", [0, 1, None])
def test_flipped_normals_are_those_of_the_flipped_depth(axis):
    rows, columns = np.mgrid[:12, :16]
    depth = 5 + 0.1 * rows + np.sin(columns / 3) + 0.02 * rows * columns
    before = {"depth": torch.from_numpy(depth)[None], "normals": torch.from_numpy(normals_of(depth))}
    tasks = TaskList([DepthTask("depth"), *TASKS])
    after = RandFlipGeometryd(tasks, prob=1, spatial_axis=axis, allow_missing_keys=True)(before)
    np.testing.assert_allclose(after["normals"].numpy(), normals_of(after["depth"][0].numpy()), atol=1e-9)


def test_flips_with_its_probability_and_all_keys_together():
    flip = RandFlipGeometryd(TASKS, prob=0.5, spatial_axis=1).set_random_state(0)
    before = sample(4, 6)
    flipped = 0
    for _ in range(200):
        after = flip(before)
        did = not torch.equal(after["image"].as_tensor(), before["image"].as_tensor())
        turned = not torch.equal(after["normals"][:, 1].as_tensor(), before["normals"][:, 1].as_tensor())
        assert did == turned
        flipped += did
    assert 70 < flipped < 130


@pytest.mark.parametrize("spatial", [(4, 6), (4, 6, 3)])
@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_the_inverse_restores_vectors(spatial, prob):
    flip = RandFlipGeometryd(TASKS, prob=prob, spatial_axis=(0, 1))
    before = sample(*spatial)
    restored = flip.inverse(flip(before))
    for key in KEYS:
        torch.testing.assert_close(restored[key].as_tensor(), before[key].as_tensor(), rtol=0, atol=0, equal_nan=True)
        assert restored[key].applied_operations == []


def test_invertd_restores_a_prediction_of_vectors():
    flip = Compose([RandFlipGeometryd(TASKS, prob=0.5, spatial_axis=1)]).set_random_state(1)
    samples = [sample(4, 6) for _ in range(8)]
    (batch,) = DataLoader(Dataset(samples, flip), batch_size=8)
    invert = Invertd("normals", flip, orig_keys="normals", nearest_interp=False)
    for item, before in zip(decollate_batch(batch), samples, strict=True):
        restored = invert(item)["normals"]
        torch.testing.assert_close(restored.as_tensor(), before["normals"].as_tensor(), equal_nan=True)


def test_vectors_within_the_image_have_two_components():
    before = sample(4, 6, components=2)
    after = RandFlipGeometryd(TASKS, prob=1, spatial_axis=1)(before)
    torch.testing.assert_close(after["normals"][0, 1:].as_tensor(), -before["normals"][0, 1:].as_tensor().flip(-1))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"normals has shape \(2, 4, 6, 3\): .* no component along spatial axis 2"):
        RandFlipGeometryd(TASKS, prob=1, spatial_axis=2)(sample(4, 6, 3, components=2))


def test_missing_keys():
    flip = RandFlipGeometryd(TASKS, prob=1, spatial_axis=1, allow_missing_keys=True)
    before = {"image": sample(4, 6)["image"]}
    restored = flip.inverse(flip(before))
    assert torch.equal(restored["image"].as_tensor(), before["image"].as_tensor())
