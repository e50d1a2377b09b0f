import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from monai_mtunet.tasks.kinds.separate_instances import connected_instances, watershed_instances


def two_touching_balls(dims):
    """Their common foreground, the instances, and the depth of each voxel in its own ball."""
    shape = (24, 38) if dims == 2 else (20, 34, 20)
    grid = np.meshgrid(*map(np.arange, shape), indexing="ij")
    middle = [n // 2 for n in shape]
    instances = np.zeros(shape, dtype=np.int32)
    for number, along in ((1, 10), (2, 24)):
        center = [*middle]
        center[1] = along
        ball = sum((axis - c) ** 2 for axis, c in zip(grid, center, strict=True)) < 8**2
        instances[ball & (instances == 0)] = number
    depth = np.zeros(shape)
    for number in (1, 2):
        depth += distance_transform_edt(instances == number)
    return instances > 0, instances, depth


@pytest.mark.parametrize("dims", [2, 3])
class TestTouchingBalls:
    def test_components_merge_them_and_depth_tells_them_apart(self, dims):
        foreground, instances, depth = two_touching_balls(dims)
        assert connected_instances(foreground).max() == 1
        found = watershed_instances(foreground, depth)
        assert found.dtype == np.int32
        assert found.max() == 2
        overlap = ((found == found[instances == 1][0]) & (instances == 1)).sum()
        assert overlap > 0.95 * (instances == 1).sum()
        assert ((found > 0) == foreground).all()

    def test_without_a_prediction_the_distance_to_the_background_is_taken(self, dims):
        foreground, _, _ = two_touching_balls(dims)
        expected = watershed_instances(foreground, distance_transform_edt(foreground))
        np.testing.assert_array_equal(watershed_instances(foreground), expected)
        assert expected.max() == 2

    def test_prominence_is_the_least_depth_of_a_valley(self, dims):
        foreground, instances, depth = two_touching_balls(dims)
        # At the common border objects are one voxel deep.
        lower = min(depth[instances == number].max() for number in (1, 2)) - 1
        assert watershed_instances(foreground, depth, prominence=lower - 0.1).max() == 2
        assert watershed_instances(foreground, depth, prominence=lower + 0.1).max() == 1

    def test_a_ridge_with_several_highest_points_is_one_object(self, dims):
        foreground = np.zeros((7, 20, 7)[:dims], dtype=bool)
        foreground[2:5, 1:-1] = True
        depth = np.where(foreground, 3.0, 0)
        depth[:, 4::4] *= 0.9
        assert watershed_instances(foreground, depth, prominence=1).max() == 1
        assert watershed_instances(foreground, depth, prominence=0.2).max() > 1

    def test_smoothing_takes_noise_for_what_it_is(self, dims):
        foreground, _, depth = two_touching_balls(dims)
        noisy = depth + np.random.default_rng(0).normal(scale=1.0, size=depth.shape)
        assert watershed_instances(foreground, noisy).max() > 4
        assert watershed_instances(foreground, noisy, smoothing=1.5).max() == 2

    def test_boundaries_divide_what_depth_does_not(self, dims):
        foreground, instances, _ = two_touching_balls(dims)
        flat = np.full(foreground.shape, 5.0)
        assert watershed_instances(foreground, flat).max() == 1
        between = np.zeros(foreground.shape)
        last = np.nonzero((instances == 1).any(axis=tuple(a for a in range(dims) if a != 1)))[0].max()
        between[:, last : last + 2] = 0.9
        assert watershed_instances(foreground, flat, boundary=between).max() == 2

    def test_what_is_small_is_no_instance(self, dims):
        foreground, _, depth = two_touching_balls(dims)
        foreground[0, :2] = True
        size = int(foreground[0, :2].sum())
        for least, count in ((0, 3), (size, 3), (size + 1, 2)):
            found = watershed_instances(foreground, depth, min_size=least)
            assert set(np.unique(found)) == set(range(count + 1))
        assert connected_instances(foreground, size + 1).max() == 1


def test_flat_objects_without_a_summit_are_objects():
    foreground = np.zeros((9, 9), dtype=bool)
    foreground[1:3, 1:3] = foreground[5:8, 5:8] = True
    assert watershed_instances(foreground, np.full((9, 9), 0.1), prominence=1).max() == 2
    assert watershed_instances(foreground, np.full((9, 9), -3.0), prominence=1).max() == 2


def test_corners_do_not_connect():
    foreground = np.eye(4, dtype=bool)
    assert connected_instances(foreground).max() == 4
    assert watershed_instances(foreground).max() == 4


@pytest.mark.parametrize("depth", [None, np.full((6, 7), 2.0), np.full((6, 7), np.nan)])
def test_nothing_everything_and_missing_depth(depth):
    nothing, everything = np.zeros((6, 7), dtype=bool), np.ones((6, 7), dtype=bool)
    assert watershed_instances(nothing, depth).max() == 0
    assert (watershed_instances(everything, depth) == 1).all()
    assert connected_instances(nothing).max() == 0
    assert (connected_instances(everything) == 1).all()
