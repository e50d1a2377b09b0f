"""Scenes of touching objects: most instances can neither be had from a threshold nor from connected components."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.ndimage import binary_erosion
from skimage.measure import label

from monai_mtunet.data import INSTANCES, LoadSyntheticd, synthetic_datalist
from monai_mtunet.data.synthetic.instances import SMALLEST, paint_touching_objects
from monai_mtunet.metrics import InstancePanopticQuality
from monai_mtunet.tasks.kinds.separate_instances import connected_instances, watershed_instances
from monai_mtunet.transforms import DistanceMapd

KEYS = ("image", "segment", "instances")


@pytest.fixture(scope="module")
def scenes():
    return [paint_touching_objects(item["seed"], (96, 96)) for item in synthetic_datalist(40)]


@pytest.fixture(scope="module")
def volumes():
    return [paint_touching_objects(item["seed"], (40, 40, 24), 1, (1, 1, 1.6)) for item in synthetic_datalist(4)]


@pytest.fixture(params=["2D", "3D"])
def painted(request, scenes, volumes):
    return scenes if request.param == "2D" else volumes


def test_every_object_is_one_piece_of_one_class(painted):
    for scene in painted:
        instances, classes = scene["instances"][0], scene["segment"][0]
        assert np.array_equal(instances > 0, classes > 0)
        numbers, sizes = np.unique(instances, return_counts=True)
        assert numbers.tolist() == list(range(numbers.max() + 1))
        assert sizes.min() >= SMALLEST**instances.ndim
        assert label(instances, background=0, connectivity=1).max() == numbers.max()
        assert all(len(np.unique(classes[instances == number])) == 1 for number in numbers)


def test_connected_components_of_a_perfect_segmentation_merge_most_objects(painted):
    merged, count = 0, 0
    for scene in painted:
        for number in (1, 2):
            pieces = label(scene["segment"][0] == number, connectivity=1)
            pairs = np.unique(np.stack([pieces.ravel(), scene["instances"].ravel()])[:, pieces.ravel() > 0], axis=1)
            objects_of_piece = np.bincount(pairs[0])
            merged += objects_of_piece[objects_of_piece > 1].sum()
            count += len(pairs[0])
    assert merged / count > 0.85


def test_depth_inside_objects_separates_what_components_merge(painted):
    """A perfect segmentation alone does not find the objects; with the distance to the rim of each it does."""
    apart, merged = InstancePanopticQuality(num_classes=3), InstancePanopticQuality(num_classes=3)
    inside = DistanceMapd("instances", "depth", truncate=10)
    for scene in painted[:8]:
        classes = torch.from_numpy(scene["segment"])
        depth = inside({"instances": torch.from_numpy(scene["instances"])})["depth"][0].numpy()
        found = np.zeros((2, *scene["segment"][0].shape), np.int32)
        for number in (1, 2):
            region = scene["segment"][0] == number
            for kept, own in zip(found, (watershed_instances(region, depth), connected_instances(region)), strict=True):
                kept[region] = own[region] + kept.max()
        for metric, prediction in zip((apart, merged), found, strict=True):
            maps = (torch.from_numpy(prediction)[None], torch.from_numpy(scene["instances"]), classes, classes)
            metric.update([values[None] for values in maps])
    assert apart.compute()[0] > 0.95
    assert merged.compute()[0] < 0.25


def test_there_are_many_objects_of_both_classes(painted):
    counts = np.array([np.bincount(scene["segment"].ravel(), minlength=3) / scene["segment"].size for scene in painted])
    assert (counts.mean(0) > 0.08).all()
    objects = [scene["instances"].max() for scene in painted]
    assert min(objects) >= 8
    assert max(objects) < 80
    images = np.concatenate([scene["image"].ravel() for scene in painted])
    assert images.min() > 0  # nothing was clipped
    assert images.max() < 255


def test_no_rule_on_single_values_finds_the_classes(scenes):
    """A histogram of RGB in 12^3 cells, learned on the first half of the scenes and judged on the second."""
    codes = [(scene["image"] // (256 / 12)).astype(int) for scene in scenes]
    cells = np.stack([(code[0] * 12 + code[1]) * 12 + code[2] for code in codes])
    classes = np.concatenate([scene["segment"] for scene in scenes])
    half = len(scenes) // 2
    table = np.bincount((cells[:half] * 3 + classes[:half]).ravel(), minlength=3 * 12**3).reshape(-1, 3)
    ious = []
    for rule in (table.argmax(1), (table / table.sum(0)).argmax(1)):
        predicted, true = rule[cells[half:]].ravel(), classes[half:].ravel()
        confusion = np.bincount(3 * true + predicted, minlength=9).reshape(3, 3)
        hits = confusion.diagonal()
        ious.append((hits / (confusion.sum(0) + confusion.sum(1) - hits)).mean())
    assert max(ious) < 0.3


def test_neighbors_differ_in_color_but_not_always_much(scenes):
    """The step of mean color from one object to the next, against the contrast inside: a cue, but a weak one."""
    steps, spreads = [], []
    for scene in scenes[:10]:
        instances, image = scene["instances"][0], scene["image"]
        touching = {
            tuple(sorted(pair))
            for a, b in ((instances[1:], instances[:-1]), (instances[:, 1:], instances[:, :-1]))
            for pair in zip(a[(a != b) & (a * b > 0)].tolist(), b[(a != b) & (a * b > 0)].tolist(), strict=True)
        }
        means = np.array([image[:, instances == number].mean(1) for number in range(instances.max() + 1)])
        steps += [np.abs(means[a] - means[b]).mean() for a, b in touching]
        spreads += [image[:, instances == number].std(1).mean() for number in range(1, instances.max() + 1)]
    assert 0.8 < np.median(steps) / np.median(spreads) < 2
    assert np.quantile(steps, 0.1) < np.median(spreads)


def test_half_of_the_objects_have_a_dark_rim(scenes):
    scene = scenes[0]
    shares = []
    for scene in scenes[:10]:
        inner = np.zeros((96, 96), bool)
        same = [
            np.roll(scene["instances"][0], shift, axis) == scene["instances"][0] for axis in (0, 1) for shift in (-1, 1)
        ]
        inner[1:-1, 1:-1] = np.all(same, axis=0)[1:-1, 1:-1]
        gray = scene["image"].mean(0)
        for number in range(1, scene["instances"].max() + 1):
            inside = scene["instances"][0] == number
            if (inside & inner).any() and (inside & ~inner).any():
                shares.append(gray[inside & ~inner].mean() / gray[inside & inner].mean())
    assert 0.3 < np.mean(np.array(shares) < 0.85) < 0.6


def test_texture_tells_cells_from_bricks(scenes):
    """The gradients of stripes have one direction, those of checks two."""
    coherence = {1: [], 2: []}
    for scene in scenes[:10]:
        down, right = np.gradient(scene["image"], axis=(1, 2))
        for number in range(1, scene["instances"].max() + 1):
            inside = binary_erosion(scene["instances"][0] == number, iterations=2)
            if inside.sum() > 30:
                yy, xx, xy = ((a * b)[:, inside].sum() for a, b in ((down, down), (right, right), (down, right)))
                kind = scene["segment"][0, inside][0]
                coherence[kind].append(np.hypot(yy - xx, 2 * xy) / (yy + xx))
    assert min(coherence[1]) > 0.3
    assert np.median(coherence[1]) > 2 * np.median(coherence[2])


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_a_seed_is_a_sample(spatial_dims):
    np.random.seed(0)
    first = LoadSyntheticd("instances", spatial_dims, 32)({"seed": 7})
    state = np.random.get_state()[1].copy()
    second = LoadSyntheticd("instances", spatial_dims, 32)({"seed": 7})
    assert (np.random.get_state()[1] == state).all()
    assert all(torch.equal(first[key], second[key]) for key in KEYS)
    other = LoadSyntheticd("instances", spatial_dims, 32)({"seed": 10})
    assert not any(torch.equal(first[key], other[key]) for key in KEYS)


def test_scenes_never_change():
    """The frozen stream of RandomState promises this; results in the documentation rest on it."""
    scene = paint_touching_objects(0, (96, 96))
    assert float(scene["image"].mean(dtype=np.float64)) == pytest.approx(108.1965, abs=0.01)
    assert np.bincount(scene["segment"].ravel(), minlength=3).tolist() == [4596, 3151, 1469]
    assert scene["instances"].max() == 31


def test_types_and_meta_data():
    sample = LoadSyntheticd("instances", 2, (40, 56), keys={"segment": "classes"})({"seed": 3, "classes": None})
    assert list(sample) == ["seed", "classes", "image", "instances"]
    assert sample["classes"] is None  # on purpose
    assert sample["image"].shape == (3, 40, 56)
    volume = LoadSyntheticd("instances", 3, (32, 24, 20))({"seed": 3})
    assert all(volume[key].shape == (1, 32, 24, 20) for key in KEYS)
    assert [volume[key].dtype for key in KEYS] == [torch.float32, torch.int16, torch.int32]
    assert all(isinstance(volume[key], MetaTensor) for key in KEYS)
    assert volume["instances"].meta["filename_or_obj"] == "instances_000003"
    assert 1 <= volume["instances"].pixdim[2] <= 2
    assert torch.equal(volume["image"].affine, volume["instances"].affine)
    assert LoadSyntheticd("instances", 3)({"seed": 3})["image"].shape == (1, 48, 48, 48)


def test_objects_are_as_long_in_millimeters_along_every_axis():
    def reach(spacing):
        lengths = []
        for seed in range(4):
            instances = paint_touching_objects(seed, (32, 32, 48), 1, spacing)["instances"][0]
            lengths += [np.ptp(np.argwhere(instances == number)[:, 2]) + 1 for number in range(1, instances.max() + 1)]
        return np.mean(lengths)

    assert reach((1, 1, 2)) / reach((1, 1, 1)) == pytest.approx(0.5, abs=0.12)


def test_volumes_have_units_of_their_own():
    load = LoadSyntheticd("instances", 3, 16)
    maxima = [float(load(item)["image"].max()) for item in synthetic_datalist(10)]
    assert max(maxima) / min(maxima) > 20


def test_wrong_dimensions():
    with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 4"):
        LoadSyntheticd("instances", 4)


def test_tables_fit_together():
    assert len(INSTANCES.classes) == len(INSTANCES.palette) == 3
