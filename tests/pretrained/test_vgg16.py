import logging
from urllib.error import URLError

import pytest
import torch
from monai.bundle import ConfigParser

from monai_mtunet.networks import SegNet
from monai_mtunet.pretrained import CheckpointError
from monai_mtunet.pretrained.vgg16 import VGG16_URLS, load_vgg16

WIDTHS = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
NUMBERS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


def network(in_channels=3):
    return SegNet(2, in_channels, {"segment": 1}, features=(64, 8), convolutions=(2, 1))


@pytest.fixture(scope="module")
def state():
    """VGG-16's names and shapes; kernels as views of one value, since most are never read."""
    convolutions = zip(NUMBERS, (3, *WIDTHS[:-1]), WIDTHS, strict=True)
    state = {}
    for number, channels, width in convolutions:
        state[f"features.{number}.weight"] = torch.full((1,), 0.5 + number).expand(width, channels, 3, 3)
        state[f"features.{number}.bias"] = torch.zeros(width)
    return state


@pytest.fixture
def file(state, tmp_path):
    path = tmp_path / "vgg16.pth"
    torch.save(state, path)
    return path


def first(network):
    return network.encoder[0].level.convolutions[0].conv.weight


def test_loads_a_file_and_says_what(file, caplog):
    with caplog.at_level(logging.INFO):
        loaded = load_vgg16(network(), file)
    assert (first(loaded) == 0.5).all()
    message = caplog.text
    assert f"VGG-16 of {file}: copied to 2 modules: encoder.0.level.convolutions.0.conv, encoder.0." in message
    assert "encoder.0.level.convolutions.0.adn.N (the identity)" in message
    assert "not copied to: encoder.1.level.convolutions.0.conv ((8, 64) channels, VGG-16 has (128, 64))" in message


@pytest.mark.parametrize("source", ["vgg16", "vgg16_bn", "https://example.org/models/vgg16_timm.pth?a=1"])
def test_fetches_urls_through_torch_hub_safely(source, state, monkeypatch):
    calls = []
    monkeypatch.setattr(
        torch.hub, "load_state_dict_from_url", lambda url, **kwargs: calls.append((url, kwargs)) or state
    )
    assert (first(load_vgg16(network(), source)) == 0.5).all()
    ((url, kwargs),) = calls
    assert url == VGG16_URLS.get(source, source)
    assert kwargs["weights_only"] is True
    assert kwargs["check_hash"] is True


def test_reads_what_was_put_into_the_hubs_folder(state, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.save(state, tmp_path / "checkpoints" / "vgg16-397923af.pth")
    assert (first(load_vgg16(network(), "vgg16")) == 0.5).all()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


def test_says_offline_which_file_to_fetch_and_where_to_put_it(offline, tmp_path):
    with pytest.raises(CheckpointError) as error:
        load_vgg16(network(), "vgg16_bn")
    message = str(error.value)
    assert "https://download.pytorch.org/models/vgg16_bn-6c64b313.pth (<urlopen error Temporary failure" in message
    assert f"put it at {tmp_path / 'checkpoints' / 'vgg16_bn-6c64b313.pth'}, or give its path as source" in message
    assert "allow_random=True" in message


@pytest.mark.parametrize("source", ["vgg16_bn", "no/such/file.pth"])
def test_goes_on_with_random_weights_only_if_allowed(source, offline, caplog):
    built = network()
    before = first(built).clone()
    assert load_vgg16(built, source, allow_random=True) is built
    assert torch.equal(first(built), before)
    assert "SegNet starts from random weights: " in caplog.text
    with pytest.raises(CheckpointError):
        load_vgg16(built, source)


def test_names_a_missing_file():
    with pytest.raises(CheckpointError, match=r"no file no/such/file.pth .* fetch https://download.pytorch.org"):
        load_vgg16(network(), "no/such/file.pth")


def test_a_file_that_could_run_code_is_refused(tmp_path):
    torch.save(network(), tmp_path / "whole_network.pth")
    with pytest.raises(CheckpointError, match="more than tensors"):
        load_vgg16(network(), tmp_path / "whole_network.pth")


@pytest.mark.parametrize("source", [None, ""])
def test_no_source_leaves_the_network_as_it_is(source):
    built = network()
    before = {k: v.clone() for k, v in built.state_dict().items()}
    load_vgg16(built, source)
    assert all(torch.equal(v, before[k]) for k, v in built.state_dict().items())


def test_passes_its_options_on(file):
    built = network(in_channels=1)
    before = first(built).clone()
    assert torch.equal(first(load_vgg16(built, file, other_channels="skip")), before)
    assert torch.allclose(first(load_vgg16(built, file)), torch.tensor(1.5))


def test_wraps_the_network_in_a_configuration(file):
    built = {"_target_": "SegNet", "spatial_dims": 2, "in_channels": 3, "out_channels": {"segment": 1}}
    layout = {"features": [64], "convolutions": [2]}
    config = {"network_def": {"_target_": "load_vgg16", "network": {**built, **layout}, "source": str(file)}}
    assert (first(ConfigParser(config).get_parsed_content("network_def")) == 0.5).all()
