import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.ndimage import uniform_filter

from monai_mtunet.data import SYNTHETIC, SYNTHETIC_CATEGORIES, LoadSyntheticd, synthetic_datalist


def mean_iou(predictions, labels, classes):
    confusion = np.bincount(labels * classes + predictions, minlength=classes**2).reshape(classes, classes)
    hits = confusion.diagonal()
    return float((hits / (confusion.sum(0) + confusion.sum(1) - hits)).mean())


def bayes_mean_iou(features, labels, classes, bins):
    """mIoU of the best rule on quantized features, learned on the first half and judged on the second.

    Likelihoods instead of posteriors keep the rule from always answering "canvas".
    """
    cells = np.zeros(len(labels), np.int64)
    for feature in features:
        edges = np.quantile(feature, np.linspace(0, 1, bins + 1)[1:-1])
        cells = cells * bins + np.digitize(feature, edges)
    half, count = len(labels) // 2, bins ** len(features)
    table = np.bincount(cells[:half] * classes + labels[:half], minlength=count * classes).reshape(count, classes)
    rules = table.argmax(1), (table / table.sum(0)).argmax(1)
    return max(mean_iou(rule[cells[half:]], labels[half:], classes) for rule in rules)


@pytest.fixture(scope="module")
def scenes():
    load = LoadSyntheticd()
    samples = [load(item) for item in synthetic_datalist(60)]
    return [(s["image"].numpy(), s["segment"].numpy()[0].astype(np.int64)) for s in samples]


def test_no_rule_on_single_values_finds_the_classes(scenes):
    values = [np.concatenate([image[c].ravel() for image, _ in scenes]) for c in range(3)]
    labels = np.concatenate([label.ravel() for _, label in scenes])
    # Even without noise. Always answering "canvas" gives about 0.09.
    assert bayes_mean_iou(values, labels, classes=5, bins=12) < 0.2


def test_neighborhoods_tell_the_categories(scenes):
    category_of = np.array(SYNTHETIC_CATEGORIES.class_of_label)
    features, labels = [], []
    for image, label in scenes:
        gray = image - uniform_filter(image, (0, 11, 11))
        dy, dx = np.gradient(gray, axis=(1, 2))
        yy, xx, xy = (uniform_filter((a * b).sum(0), 9) for a, b in ((dy, dy), (dx, dx), (dx, dy)))
        strength = (xx + yy) / (uniform_filter((gray**2).sum(0), 9) + 1)  # grows with the texture's frequency
        coherence = np.hypot(xx - yy, 2 * xy) / (xx + yy + 1e-6)  # 1 for stripes, 0 for checks
        features.append([strength.ravel(), coherence.ravel()])
        labels.append(category_of[label].ravel())
    flat = [np.concatenate([f[i] for f in features]) for i in range(2)]
    assert bayes_mean_iou(flat, np.concatenate(labels), classes=3, bins=12) > 0.45


def test_every_class_occurs_and_values_stay_in_range(scenes):
    counts = np.bincount(np.concatenate([label.ravel() for _, label in scenes]), minlength=5)
    assert len(counts) == 5
    assert (counts / counts.sum() > 0.08).all()
    images = np.stack([image for image, _ in scenes])
    assert images.min() >= 0
    assert images.max() <= 255
    assert images.std() > 30


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_a_seed_is_a_sample(spatial_dims):
    load = LoadSyntheticd(spatial_dims=spatial_dims, spatial_size=32)
    np.random.seed(0)
    first = load({"seed": 7})
    state = np.random.get_state()[1].copy()
    second = LoadSyntheticd(spatial_dims=spatial_dims, spatial_size=32)({"seed": 7})
    assert (np.random.get_state()[1] == state).all()
    assert torch.equal(first["image"], second["image"])
    assert torch.equal(first["segment"], second["segment"])
    assert not torch.equal(first["image"], load({"seed": 10})["image"])


def test_scenes_never_change():
    """The frozen stream of RandomState promises this; results in the documentation rest on it."""
    sample = LoadSyntheticd()({"seed": 0})
    assert float(sample["image"].double().mean()) == pytest.approx(117.9007, abs=1e-3)
    assert np.bincount(sample["segment"].numpy().ravel(), minlength=5).tolist() == [4144, 504, 1910, 2410, 248]


def test_types_and_meta_data():
    scene = LoadSyntheticd("shapes", 2, (40, 56), keys={"segment": "classes"})({"seed": 3})
    assert scene["image"].shape == (3, 40, 56)
    assert scene["classes"].shape == (1, 40, 56)
    assert scene["seed"] == 3
    phantom = LoadSyntheticd(spatial_dims=3)({"seed": 3})
    assert phantom["image"].shape == phantom["segment"].shape == (1, 48, 48, 48)
    for value in (scene["image"], scene["classes"], phantom["image"], phantom["segment"]):
        assert isinstance(value, MetaTensor)
        assert value.meta["filename_or_obj"] == "synthetic_000003"
    assert phantom["image"].dtype == torch.float32
    assert phantom["segment"].dtype == torch.int16
    assert torch.equal(phantom["image"].affine, phantom["segment"].affine)
    assert 1 <= phantom["image"].pixdim[2] <= 2
    assert phantom["image"].pixdim[0] == 1


def test_volumes_have_units_of_their_own():
    load = LoadSyntheticd(spatial_dims=3, spatial_size=16)
    maxima = [float(load(item)["image"].max()) for item in synthetic_datalist(20)]
    assert max(maxima) / min(maxima) > 20


def test_sections_and_data_sets_are_disjoint():
    seeds = [
        {item["seed"] for item in synthetic_datalist(500, section, seed)}
        for section in ("train", "val", "test")
        for seed in (0, 1)
    ]
    assert len(set.union(*seeds)) == 3000
    largest = synthetic_datalist(1_000_000, "test", 1000)[-1]["seed"]
    assert largest < 2**32
    assert largest % 3 == 2
    assert synthetic_datalist(1_000_000)[-1]["seed"] < synthetic_datalist(1, seed=1)[0]["seed"]


def test_tables_fit_together():
    assert len(SYNTHETIC.classes) == len(SYNTHETIC.palette) == len(SYNTHETIC.labels) == 5
    assert len(SYNTHETIC_CATEGORIES.class_of_label) == 5
    assert len(SYNTHETIC_CATEGORIES.classes) == len(SYNTHETIC_CATEGORIES.palette)
    for label, category in enumerate(SYNTHETIC_CATEGORIES.class_of_label):
        assert SYNTHETIC.classes[label].startswith(SYNTHETIC_CATEGORIES.classes[category])


@pytest.mark.parametrize("arguments", [{"count": 0}, {"count": 1, "section": "validation"}, {"count": 1, "seed": -1}])
def test_wrong_datalist_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        synthetic_datalist(**arguments)


def test_wrong_dimensions():
    with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 4"):
        LoadSyntheticd(spatial_dims=4)


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_one_class_per_image(spatial_dims):
    load = LoadSyntheticd(spatial_dims=spatial_dims, one_class=True)
    classes = [set(load(item)["segment"].unique().tolist()) for item in synthetic_datalist(12, seed=1)]
    assert all(len(found - {0}) == 1 for found in classes)
    assert set().union(*classes) == {0, 1, 2, 3, 4}
