import pytest
import sunet_of_the_authors as authors
import torch

from monai_mtunet.networks import SUNet, sunet_7_128, sunet_64, sunet_128
from monai_mtunet.pretrained.sunet_authors_names import from_authors_names

WIDTHS, MODULES, N, STEM = (8, 12, 16, 20), (1, 2, 2, 1), 4, (4, 6)


@pytest.mark.parametrize(
    ("build", "layout", "tensors"),
    [
        (sunet_64, ((256, 512, 768, 1024), (2, 4, 4, 1), 64), 666),
        (sunet_128, ((512, 1024, 1536, 2048), (2, 4, 4, 1), 128), 666),
        (sunet_7_128, ((512, 1280, 2048, 2304), (2, 7, 7, 1), 128), 1026),
    ],
)
def test_every_tensor_of_the_published_checkpoints_has_its_place(build, layout, tensors):
    with torch.device("meta"):
        own = {name: t.shape for name, t in build(2, 3, out_features={"classify": 1000}).state_dict().items()}
        state = {name: torch.empty(shape) for name, shape in authors.shapes(*layout)}
    assert len(state) == tensors
    translated = {name: t.shape for name, t in from_authors_names(state, "classify").items()}
    assert translated == {name: shape for name, shape in own.items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize("prefix", ["", "module."])
def test_features_are_those_of_the_authors_network(prefix):
    state = authors.random_state(WIDTHS, MODULES, N, STEM, classes=5)
    network = SUNet(2, 3, None, {"kind": 5}, WIDTHS, MODULES, N, STEM).eval()
    translated = from_authors_names({prefix + name: tensor for name, tensor in state.items()}, "kind")
    keys = network.load_state_dict(translated, strict=False)
    assert keys.unexpected_keys == []
    assert all(key.endswith("num_batches_tracked") for key in keys.missing_keys)
    x = torch.rand(2, 3, 128, 192)  # a size that the authors' output padding fits
    expected = authors.features(state, x)
    assert expected.shape == (2, 20, 4, 6)
    assert 0.1 < (expected > 0).float().mean() < 1  # neither dead nor linear
    torch.testing.assert_close(network.trunk(x), expected, rtol=1e-4, atol=1e-4 * expected.max().item())
    logits = expected.mean((2, 3)) @ state["linear.weight"].T + state["linear.bias"]
    torch.testing.assert_close(network(x)["kind"], logits, rtol=1e-4, atol=1e-4 * logits.abs().max().item())


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("features.unet2_3.up.0.deconv0.weight", "trunk.blocks.1.3.decoders.1.deconv.weight"),  # the finer of two
        ("features.unet2_3.up.1.deconv0.weight", "trunk.blocks.1.3.decoders.0.deconv.weight"),
        ("features.unet4_0.up.0.deconv0.weight", "trunk.blocks.3.0.decoders.0.deconv.weight"),  # the only one
        ("features.unet2_3.down.1.conv2.bias", "trunk.blocks.1.3.encoders.1.3.bias"),
        ("linear.bias", "heads.vectors.kind.linear.bias"),
    ],
)
def test_places(theirs, ours):
    whole = {name: torch.empty(0) for name, _ in authors.shapes(WIDTHS, (2, 4, 4, 1), N)}
    assert dict(zip(whole, from_authors_names(whole, "kind"), strict=True))[theirs] == ours


def test_other_names_stay():
    with torch.device("meta"):
        own = SUNet(2, 3, {"segment": 2}, {"kind": 5}, WIDTHS, MODULES, N, STEM).state_dict()
    assert list(from_authors_names(own, "kind")) == list(own)
    strange = ["features.conv9.weight", "features.unet1_0.side.0.bn1.bias", "epoch"]
    assert list(from_authors_names(dict.fromkeys(strange, torch.empty(0)), "kind")) == strange
