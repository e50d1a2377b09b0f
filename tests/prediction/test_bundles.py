"""Every bundle's network, in 2D and 3D: equal bits in memory and block by block."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import psutil
import pytest
import tifffile
import torch

from monai_mtunet.bundle.trained_bundle import TrainedBundle
from monai_mtunet.files import open_image
from monai_mtunet.prediction.blocks.block_preprocessing import BlockPreprocessing
from monai_mtunet.prediction.bundle_parts import bundle_parts
from monai_mtunet.prediction.predictor import Predictor

ROOT = Path(__file__).parents[2] / "bundles"
BUNDLES = ["umc", "mtunet", "hourglass", "mtan", "sunet"]
SAVED = {
    "umc": ["denoise", "segment"],
    "mtunet": ["segment", "depth"],
    "mtunet 3D": ["segment", "distance"],
    "hourglass": ["edges", "segment", "distance"],
    "mtan": ["segment"],  # boxes and classes are of the whole image
    "sunet": ["segment"],
}


def trained(name: str, dims: int, folder: Path, window: int) -> TrainedBundle:
    """An untrained network's weights do as well."""
    overlays = [ROOT / name / "volume.json"] if dims == 3 else []
    anything = folder / "any.pt"
    torch.save({}, anything)
    torch.manual_seed(0)
    overrides = {"roi_size": [window] * dims, "load": [{"_target_": "LoadSampled", "keys": "image"}]}
    if dims == 3:
        overrides["load"].append({"_target_": "ScaleVolumeRanged", "keys": "image"})
    network = TrainedBundle(ROOT / name, overlays, [anything], overrides)._config.get_parsed_content("network_def")
    torch.save({"network": network.state_dict()}, folder / f"{name}.pt")
    return TrainedBundle(ROOT / name, overlays, [folder / f"{name}.pt"], overrides)


def test_windows_fit_into_memory(tmp_path):
    bundle = trained("umc", 3, tmp_path, -1)
    used = psutil.Process().memory_info().rss
    large, small = (bundle_parts(bundle, memory=used + extra) for extra in (8e9, 8e8))
    assert large.identity["windows"] == [[96, 96, 96], 4]
    assert max(small.identity["windows"][0]) < 96
    assert 0 < small.network_bytes < 4e8 < large.network_bytes
    with pytest.raises(ValueError, match=r"give more memory.* the process itself takes \d{3,} MiB \(--memory\)"):
        bundle_parts(bundle, memory=used + 1e6)
    # What has begun with small windows goes on with them.
    assert bundle_parts(bundle, memory=used + 8e9, begun=[{}, small.identity]).identity == small.identity
    other = {**small.identity, "configuration": "another"}
    assert bundle_parts(bundle, memory=used + 8e9, begun=[other]).identity == large.identity


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("dims", [2, 3])
def test_files_are_read_by_blocks_as_the_default_data_are(tmp_path, name, dims):
    """Those are painted; a network that learned from them predicts large files as well."""
    (tmp_path / "any.pt").touch()
    bundle = TrainedBundle(ROOT / name, [ROOT / name / "volume.json"] * (dims == 3), [tmp_path / "any.pt"])
    channels = [] if bundle.image_channels == 1 else [bundle.image_channels]
    values = np.random.default_rng(0).integers(0, 255, [9, 10, 11][:dims] + channels, np.uint8)
    tifffile.imwrite(path := tmp_path / "image.tif", values)
    blocks = BlockPreprocessing(bundle.preprocessing(), open_image(path))
    blocks.measure([tuple(slice(None) for _ in range(dims))])
    whole = bundle.preprocessing()({"image": str(path)})["image"]
    np.testing.assert_allclose(
        blocks.read((slice(2, 6),) * dims), whole[(slice(None), *[slice(2, 6)] * dims)], atol=1e-6
    )


def test_only_what_is_wanted_is_computed(tmp_path):
    parts = bundle_parts(trained("umc", 2, tmp_path, 32), ["denoise"])
    assert list(parts.network(torch.rand(1, 3, 32, 32))) == ["denoise"]
    with pytest.raises(ValueError, match="depth"):
        bundle_parts(trained("umc", 2, tmp_path, 32), ["depth"])


@pytest.mark.parametrize(("name", "axes"), [("umc", [0]), ("hourglass", [0, 1])])
def test_flips_are_those_of_training(tmp_path, name, axes):
    """Volumes of left and right are not flipped upside down: a network that never saw that predicts nonsense of it."""
    parts = bundle_parts(trained(name, 3, tmp_path, 16), flips=True)
    assert parts.identity["flips"] == list(parts.network.networks[0].flip_axes) == axes
    assert bundle_parts(trained(name, 3, tmp_path, 16)).identity["flips"] == []


def test_flips_that_training_did_not_are_refused(tmp_path, monkeypatch):
    bundle = trained("umc", 2, tmp_path, 32)
    monkeypatch.setattr(bundle, "flips", lambda: [])
    with pytest.raises(ValueError, match=r"Training of .*umc .*along no axis.*: leave out --tta, or train with flips"):
        bundle_parts(bundle, flips=True)
    assert bundle_parts(bundle).identity["flips"] == []


@pytest.mark.parametrize(("dims", "axis"), [(2, 1), (3, 0)])
def test_flips_that_are_not_known_are_told(tmp_path, monkeypatch, caplog, dims, axis):
    bundle = trained("umc", dims, tmp_path, 16)
    monkeypatch.setattr(bundle, "flips", lambda: None)
    assert bundle_parts(bundle, flips=True).identity["flips"] == [axis]
    assert f'no train.json, and no overlay an "augment": --tta flips along axis {axis} alone' in caplog.text


def test_checkpoints_are_averaged_and_missing_ones_told(tmp_path):
    trained("umc", 2, tmp_path, 32)
    one = tmp_path / "umc.pt"
    bundles = [TrainedBundle(ROOT / "umc", [], [one] * count) for count in (1, 2)]
    windows = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        alone, together = (bundle_parts(bundle).network(windows) for bundle in bundles)
    torch.testing.assert_close(together["denoise"], alone["denoise"])
    torch.testing.assert_close(together["segment"], alone["segment"].log_softmax(dim=1))
    with pytest.raises(FileNotFoundError, match=r"no trained network: neither .*best.pt nor .*models/model.pt exists"):
        TrainedBundle(ROOT / "umc", overrides={"output_dir": str(tmp_path / "nothing")})


@pytest.mark.slow
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", BUNDLES)
def test_equal_bits(name, dims, tmp_path):
    rng = np.random.default_rng(0)
    window, size, channels = (32, (44, 70), 3) if dims == 2 else (16, (18, 40, 17), 1)
    files = [str(tmp_path / f"{channel}.nii") for channel in range(channels)]
    for file in files:
        nibabel.save(nibabel.Nifti1Image(rng.normal(100, 50, size).astype(np.float32), np.eye(4)), file)
    tasks = SAVED.get(f"{name} {dims}D", SAVED[name])
    parts = bundle_parts(trained(name, dims, tmp_path, window), tasks)
    folders = {"whole": 1e9, "blocks": 6e5 if dims == 3 else 3e5}
    for folder, memory in folders.items():
        Predictor(parts, memory).predict(files, tmp_path / folder / "image")
    for task in tasks:
        found = [next((tmp_path / folder).glob(f"image_{task}.nii*")) for folder in folders]
        whole, blocks = (np.asanyarray(nibabel.load(file).dataobj) for file in found)
        assert whole.dtype == blocks.dtype
        np.testing.assert_array_equal(whole, blocks)
