import numpy as np
import pytest

from monai_mtunet.pictures.instance_colors import instance_colors


def neighbors(instances):
    pairs = set()
    for a, b in ((instances[1:], instances[:-1]), (instances[:, 1:], instances[:, :-1])):
        pairs |= {(x, y) for x, y in zip(a.ravel().tolist(), b.ravel().tolist(), strict=True) if x != y and x and y}
    return pairs


@pytest.mark.parametrize("seed", range(5))
def test_neighbors_differ_and_nothing_is_black(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 64, (40, 2))
    grid = np.stack(np.meshgrid(np.arange(64), np.arange(64), indexing="ij"), axis=-1)
    distances = np.linalg.norm(grid[:, :, None] - places, axis=-1)
    instances = np.where(distances.min(axis=-1) < 9, distances.argmin(axis=-1) + 1, 0)
    colors = instance_colors(instances)
    assert colors.shape == (instances.max() + 1, 3)
    assert (colors[0] == 0).all()
    assert (colors[np.unique(instances)[1:]].max(axis=1) > 0).all()
    pairs = neighbors(instances)
    assert len(pairs) > 40
    for a, b in pairs:
        assert (colors[a] != colors[b]).any(), (a, b)
    assert len(np.unique(colors[1:], axis=0)) <= 8  # seven, and black of ids that do not occur


def test_across_a_thin_gap_they_differ_as_well():
    instances = np.array([[1, 1, 1, 0, 2, 2, 2]])
    colors = instance_colors(instances)
    assert (colors[1] != colors[2]).any()


def test_opposite_borders_are_no_neighbors():
    instances = np.zeros((3, 20), dtype=int)
    instances[:, 0], instances[:, -1] = 1, 2
    colors = instance_colors(instances)
    assert (colors[1] == colors[2]).all()


def test_many_instances_that_all_touch_have_as_many_colors():
    instances = np.zeros((4, 20), dtype=int)
    instances[0], instances[1:] = 50, np.arange(60).reshape(3, 20) % 9 + 1
    colors = instance_colors(instances)
    for a, b in neighbors(instances):
        assert (colors[a] != colors[b]).any()


def test_none_at_all():
    assert instance_colors(np.zeros((3, 4), dtype=int)).tolist() == [[0, 0, 0]]
