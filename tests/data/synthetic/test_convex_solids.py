"""Rays that are parallel to faces; the scenes' own rays hardly ever are."""

import numpy as np
import pytest

from monai_mtunet.data.synthetic.convex_solids import Box, Pillar, cast_rays, surface_normals

HALF_SIZE = np.array([1.0, 0.5, 2.0])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_box_is_met_along_its_axes(axis, sign):
    ray = sign * np.eye(3)[:, [axis]]
    center = 5 * ray[:, 0]
    box = Box(center, HALF_SIZE, yaw=0.0)
    distance, nearest = cast_rays([box], np.zeros((3, 1)), ray)
    assert distance == pytest.approx(5 - HALF_SIZE[axis])
    assert nearest == 0
    assert np.allclose(surface_normals([box], nearest, distance * ray), -ray)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_box_is_missed_beside_its_faces(axis):
    """Rays inside the box's outline, on it and beyond it, one by one and together."""
    beside = (axis + 1) % 3
    origins = np.zeros((3, 4))
    origins[beside] = HALF_SIZE[beside] * np.array([-0.99, 1, 1.01, 0])
    rays = np.repeat(np.eye(3)[:, [axis]], 4, axis=1)
    box = Box(5 * rays[:, 0], HALF_SIZE, yaw=0.0)
    distance, nearest = cast_rays([box], origins, rays)
    entry = 5 - HALF_SIZE[axis]
    assert distance.tolist() == [entry, np.inf, np.inf, entry]
    assert nearest.tolist() == [0, -1, -1, 0]


@pytest.mark.parametrize(
    ("ray", "beside", "limit", "entry"),
    [((0, 1, 0), 0, 0.4, 5 - 1.5), ((0, 1, 0), 2, 0.4, 5 - 1.5), ((0, 0, 1), 1, 1.5, 5 - 0.4)],
)
def test_a_pillar_is_met_from_above_and_from_the_side(ray, beside, limit, entry):
    rays = np.repeat(np.array(ray, dtype=float)[:, None], 4, axis=1)
    origins = np.zeros((3, 4))
    origins[beside] = limit * np.array([0, 0.99, 1, -1.01])
    pillar = Pillar(5 * rays[:, 0], radius=0.4, half_height=1.5)
    distance, nearest = cast_rays([pillar], origins, rays)
    assert nearest.tolist() == [0, 0, -1, -1]
    assert np.allclose(distance[:2], entry)
    assert np.isinf(distance[2:]).all()


def test_rays_that_are_nearly_parallel_meet_the_same():
    rays = np.array([[0.0, 1e-9], [0.0, -1e-9], [1.0, 1.0]])
    for solid in (Box(np.array([0.2, 0.1, 5.0]), HALF_SIZE, 0.0), Pillar(np.array([0.2, 0.1, 5.0]), 0.4, 1.5)):
        distance, nearest = cast_rays([solid], np.zeros((3, 1)), rays)
        assert nearest.tolist() == [0, 0]
        assert distance[0] == pytest.approx(distance[1])
