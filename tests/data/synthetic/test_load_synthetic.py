"""What all scenes have in common."""

import numpy as np
import pytest
import torch

from monai_mtunet.data import LoadSyntheticd
from monai_mtunet.data.synthetic.scenes import SCENES

OF_ALL = [(name, dims) for name, scene in SCENES.items() for dims in scene.default_size]


@pytest.mark.parametrize(("name", "spatial_dims"), OF_ALL)
def test_scenes_give_what_they_declare(name, spatial_dims):
    sample = LoadSyntheticd(name, spatial_dims, 16)({"seed": 1})
    assert tuple(sample) == ("seed", "image", *SCENES[name].targets)
    assert sample["image"].shape == ((3, 16, 16) if spatial_dims == 2 else (1, 16, 16, 16))
    for value in sample.values():
        assert not isinstance(value, np.ndarray)
        if isinstance(value, torch.Tensor):
            assert value.meta["filename_or_obj"] == f"{SCENES[name].prefix}_000001"
            assert torch.equal(value.affine, sample["image"].affine)


@pytest.mark.parametrize("name", SCENES)
def test_keys_say_where_values_go(name):
    keys = {key: f"my_{key}" for key in ("image", *SCENES[name].targets)}
    plain, renamed = LoadSyntheticd(name, 2, 16)({"seed": 1}), LoadSyntheticd(name, 2, 16, keys)({"seed": 1})
    assert list(renamed) == ["seed", *keys.values()]
    for key, own in keys.items():
        np.testing.assert_array_equal(plain[key], renamed[own])


def test_options_are_of_all_samples_that_have_none_of_their_own():
    load = LoadSyntheticd("animals", 2, 16, species=1)
    assert [load(item)["classify"] for item in ({"seed": 0}, {"seed": 1}, {"seed": 1, "species": 0})] == [1, 1, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scene": "street"}, "scene must be one of shapes, animals, geometry, instances, got 'street'"),
        ({"scene": "geometry", "spatial_dims": 3}, "'geometry' has no volumes: spatial_dims must be 2, got 3"),
        ({"keys": {"depth": "far"}}, r"'shapes' has image, segment, but keys name \['depth'\]"),
        ({"species": 1}, r"'shapes' has the options one_class, got \['species'\]"),
        ({"scene": "geometry", "one_class": True}, r"'geometry' has the options none, got \['one_class'\]"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LoadSyntheticd(**arguments)
