import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.ndimage import uniform_filter

from monai_mtunet.data import ANIMAL_SPECIES, ANIMALS, LoadSyntheticd, synthetic_datalist
from monai_mtunet.data.synthetic.animals import paint_animal
from monai_mtunet.tasks import BoundingBoxTask, TaskList
from monai_mtunet.transforms import BoxOfMaskd, PaintBoxd


@pytest.fixture(scope="module")
def samples():
    load = LoadSyntheticd("animals")
    return [load(item) for item in synthetic_datalist(200, species=[0, 1])]


def bayes_accuracy(values, labels, bins=24):
    """Balanced accuracy of the best rule on one quantized value, learned on one half and judged on the other."""
    cells = np.digitize(values, np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1]))
    half = len(labels) // 2
    table = np.bincount(cells[:half] * 2 + labels[:half], minlength=2 * bins).reshape(bins, 2)
    answers = (table / table.sum(0)).argmax(1)[cells[half:]]
    return np.mean([(answers == c)[labels[half:] == c].mean() for c in (0, 1)])


def test_no_rule_on_single_values_finds_the_animal_or_its_species(samples):
    labels = np.concatenate([s["segment"].numpy().ravel() for s in samples]).astype(int)
    species = np.repeat([s["classify"] for s in samples], 64 * 64)
    for channel in range(3):
        values = np.concatenate([s["image"][channel].numpy().ravel() for s in samples])
        assert bayes_accuracy(values, labels) < 0.55
        assert bayes_accuracy(values, species) < 0.55
    means = np.array([s["image"].mean() for s in samples])
    assert bayes_accuracy(means, np.array([s["classify"] for s in samples]), bins=4) < 0.65


def test_neighborhoods_find_the_animal(samples):
    finer, labels = [], []
    for sample in samples[:60]:
        image = sample["image"].numpy()
        gradient = np.abs(np.diff(image, axis=1, append=0)) + np.abs(np.diff(image, axis=2, append=0))
        finer.append(uniform_filter(gradient.sum(0), 7).ravel() / image.std())
        labels.append(sample["segment"].numpy().ravel())
    assert bayes_accuracy(np.concatenate(finer), np.concatenate(labels).astype(int)) > 0.75


def test_the_two_species_differ_in_what_a_coat_is():
    # Stripes do not change along one direction; checks change along all.
    for seed in range(6):
        gradients = []
        for species in (0, 1):
            scene = paint_animal(seed, (64, 64), species=species)
            dy, dx = np.gradient(scene["image"][0])
            inside = uniform_filter(scene["segment"][0].astype(float), 3) > 0.99
            tensor = np.cov(dy[inside], dx[inside])
            gradients.append(np.linalg.eigvalsh(tensor)[0] / np.linalg.eigvalsh(tensor)[1])
            assert scene["classify"] == species
        assert gradients[0] < gradients[1]


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_one_connected_animal_with_its_head_in_it(spatial_dims):
    load = LoadSyntheticd("animals", spatial_dims)
    ends = []
    for item in synthetic_datalist(12, species=[0, 1]):
        sample = load(item)
        mask = sample["segment"].numpy()[0]
        starts, stops = np.array(sample["box"]).reshape(2, -1).astype(int)
        spacing = sample["image"].affine.diagonal()[:spatial_dims].numpy()
        extent = (stops - starts) * spacing
        assert np.ptp(extent) < 2.5 * spacing.max()  # a ball's
        assert mask[tuple(((starts + stops) // 2).tolist())] == 1
        assert (starts >= 0).all()
        assert (stops <= mask.shape).all()
        share = mask[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))].sum() / mask.sum()
        assert 0.2 < share < 0.7
        ends.append((starts + stops) / 2 > np.array([axis.mean() for axis in np.nonzero(mask)]))
    assert (np.mean(ends, axis=0) > 0.1).all()  # heads point everywhere
    assert (np.mean(ends, axis=0) < 0.9).all()


def test_boxes_go_through_the_transforms_for_boxes(samples):
    tasks = TaskList([BoundingBoxTask("box")])
    for sample in samples[:5]:
        found = BoxOfMaskd(tasks, unit="voxel")(PaintBoxd(tasks)(dict(sample)))["box"]
        assert found.tolist() == sample["box"]


@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_a_seed_is_a_sample(spatial_dims):
    load = LoadSyntheticd("animals", spatial_dims, 32)
    np.random.seed(0)
    state = np.random.get_state()[1].copy()
    first, second = load({"seed": 7}), LoadSyntheticd("animals", spatial_dims, 32)({"seed": 7})
    assert (np.random.get_state()[1] == state).all()
    assert torch.equal(first["image"], second["image"])
    assert first["box"] == second["box"]
    assert first["classify"] == second["classify"]
    assert not torch.equal(first["image"], load({"seed": 10})["image"])


def test_scenes_never_change():
    """The frozen stream of RandomState promises this; results in the documentation rest on it."""
    sample = LoadSyntheticd("animals")({"seed": 0})
    assert float(sample["image"].double().mean()) == pytest.approx(129.3227, abs=1e-3)
    assert int(sample["segment"].sum()) == 543
    assert sample["box"] == [25.0, 49.0, 40.0, 64.0]


def test_seeds_decide_the_species_unless_the_list_does():
    load = LoadSyntheticd("animals", 2, 32)
    species = [load({"seed": seed})["classify"] for seed in range(40)]
    assert 8 < sum(species) < 32
    assert [item["species"] for item in synthetic_datalist(4, species=[0, 1])] == [0, 1, 0, 1]
    held_out = synthetic_datalist(6, "test", species=[1])
    assert {load(item)["classify"] for item in held_out} == {1}
    sections = [{item["seed"] for item in synthetic_datalist(50, s, species=[0, 1])} for s in ("train", "val", "test")]
    assert len(set.union(*sections)) == 150


def test_types_and_meta_data():
    phantom = LoadSyntheticd("animals", 3, (20, 24, 16), keys={"classify": "species_of", "box": "head"})({"seed": 3})
    assert phantom["image"].shape == phantom["segment"].shape == (1, 20, 24, 16)
    assert isinstance(phantom["segment"], MetaTensor)
    assert phantom["segment"].dtype == torch.int16
    assert phantom["image"].dtype == torch.float32
    assert phantom["image"].meta["filename_or_obj"] == "animal_000003"
    assert torch.equal(phantom["image"].affine, phantom["segment"].affine)
    assert phantom["species_of"] in (0, 1)
    assert len(phantom["head"]) == 6
    maxima = [float(LoadSyntheticd("animals", 3, 16)({"seed": seed})["image"].max()) for seed in range(20)]
    assert max(maxima) / min(maxima) > 20
    assert len(ANIMALS.classes) == len(ANIMALS.palette) == len(ANIMAL_SPECIES) == 2


def test_unlabeled_stays_unlabeled():
    sample = LoadSyntheticd("animals")({"seed": 1, "species": 0, "box": None, "classify": None, "segment": None})
    assert sample["box"] is sample["classify"] is sample["segment"] is None
    assert sample["image"].shape == (3, 64, 64)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"some of 0 \(cat\) and 1 \(dog\), got \[2\]"):
        synthetic_datalist(2, species=[2])
    with pytest.raises(ValueError, match="count must be within"):
        synthetic_datalist(0, species=[0, 1])
    with pytest.raises(ValueError, match="spatial_dims must be 2 or 3, got 4"):
        LoadSyntheticd("animals", 4)
