import numpy as np
import pytest

from monai_mtunet.tasks.instance_colours import instance_colours


def neighbours(instances):
    pairs = set()
    for a, b in ((instances[1:], instances[:-1]), (instances[:, 1:], instances[:, :-1])):
        pairs |= {(x, y) for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True) if x != y and x and y}
    return pairs


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_differ_and_nothing_is_black(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 64, (40, 2))
    grid = np.stack(np.meshgrid(np.arange(64), np.arange(64), indexing="ij"), axis=-1)
    distances = np.linalg.norm(grid[:, :, None] - places, axis=-1)
    instances = np.where(distances.min(axis=-1) < 9, distances.argmin(axis=-1) + 1, 0)
    colours = instance_colours(instances)
    assert colours.shape == (instances.max() + 1, 3)
    assert (colours[0] == 0).all()
    assert (colours[np.unique(instances)[1:]].max(axis=1) > 0).all()
    pairs = neighbours(instances)
    assert len(pairs) > 40
    for a, b in pairs:
        assert (colours[a] != colours[b]).any(), (a, b)
    assert len(np.unique(colours[1:], axis=0)) <= 8  # seven, and black of ids that do not occur


def test_across_a_thin_gap_they_differ_as_well():
    instances = np.array([[1, 1, 1, 0, 2, 2, 2]])
    colours = instance_colours(instances)
    assert (colours[1] != colours[2]).any()


def test_opposite_borders_are_no_neighbours():
    instances = np.zeros((3, 20), dtype=int)
    instances[:, 0], instances[:, -1] = 1, 2
    colours = instance_colours(instances)
    assert (colours[1] == colours[2]).all()


def test_many_instances_that_all_touch_have_as_many_colours():
    instances = np.zeros((4, 20), dtype=int)
    instances[0], instances[1:] = 50, np.arange(60).reshape(3, 20) % 9 + 1
    colours = instance_colours(instances)
    for a, b in neighbours(instances):
        assert (colours[a] != colours[b]).any()


def test_none_at_all():
    assert instance_colours(np.zeros((3, 4), dtype=int)).tolist() == [[0, 0, 0]]
