import logging

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch
from monai.transforms import Compose, Invertd, RandFlipd, RandSpatialCropd, ResizeWithPadOrCropd

from monai_mtunet.transforms import ScaleVolumeRanged


class Scale:
    """A volume scaled, and scaled back."""

    def __init__(self, *arguments, **more):
        self.transform = ScaleVolumeRanged("image", *arguments, **more)

    def __call__(self, img):
        return self.transform({"image": img})["image"]

    def inverse(self, img):
        return self.transform.inverse({"image": img})["image"]


def volume(*shape):
    return MetaTensor(1000 + 5000 * torch.rand(*shape), meta={"filename_or_obj": "scan.nii"})


def test_own_range_becomes_0_to_1():
    scaled = Scale(0, 100)(volume(1, 8, 8, 8))
    assert float(scaled.min()) == 0
    assert float(scaled.max()) == pytest.approx(1)
    assert scaled.dtype == torch.float32
    assert scaled.meta["filename_or_obj"] == "scan.nii"


def test_percentiles_leave_the_tails_outside():
    img = MetaTensor(torch.arange(101.0).reshape(1, 101, 1))
    scaled = Scale(lower=10, upper=90)(img)
    assert torch.allclose(scaled.as_tensor(), (img.as_tensor() - 10) / 80)


def test_channels_have_ranges_of_their_own_unless_told():
    img = MetaTensor(torch.stack([torch.linspace(0, 1, 8), torch.linspace(0, 100, 8)])[..., None])
    assert float(Scale(0, 100, channel_wise=False)(img)[0].max()) == pytest.approx(0.01)
    each = Scale(0, 100)
    scaled = each(img)
    assert torch.allclose(scaled[0], scaled[1])
    assert float(scaled.max()) == pytest.approx(1)
    assert torch.allclose(each.inverse(scaled), img)


@pytest.mark.parametrize("value", [-32768.0, 32767.0])
@pytest.mark.parametrize("count", [1, 20])
def test_dead_voxels_change_nothing_but_themselves(count, value, caplog):
    img = volume(2, 24, 24, 24)
    whole = Scale()(img)
    dead = torch.zeros(img.shape, dtype=torch.bool)
    dead[0].view(-1)[torch.randperm(24**3)[:count]] = True
    scale, bad = Scale(), img.clone()
    bad[dead] = value
    with caplog.at_level(logging.WARNING):
        scaled = scale(bad)
        scale(bad)  # once per file
    assert (scaled - whole)[~dead].abs().max() < 0.01
    assert torch.equal(scaled[1], whole[1])  # the other contrast
    assert scaled[dead].tolist() == [pytest.approx(-4 if value < 0 else 5)] * count
    restored = scale.inverse(scaled)
    assert torch.allclose(restored[~dead], img[~dead], rtol=1e-5)
    assert 10_000 < restored[dead].abs().min() <= restored[dead].abs().max() < 30_000
    (message,) = caplog.messages
    assert f"scan.nii, 24 x 24 x 24): {count} of 27648 values lie farther than 4 times" in message


def test_without_a_margin_nothing_is_limited():
    img = volume(1, 12, 12, 12)
    img[0, 0, 0, 0] = -32768
    scale = Scale(margin=None)
    assert float(scale(img).min()) < -6
    assert torch.allclose(scale.inverse(scale(img)), img, rtol=1e-4)


def test_real_highlights_are_not_limited(caplog):
    """The brightest vessels of hippocampus MRI are at 4.4."""
    img = volume(1, 16, 16, 16)
    img[0, 0, 0, 0] = 1000 + 5000 * 4.4
    scale = Scale()
    assert torch.allclose(scale.inverse(scale(img)), img, rtol=1e-5)
    assert not caplog.messages


def test_where_nearly_all_is_background_the_range_is_that_of_all_values():
    img = MetaTensor(torch.zeros(1, 10, 10, 10))
    img[0, 5, 5, :4] = torch.tensor([100.0, 200, 300, 400])
    assert Scale()(img)[0, 5, 5, :5].tolist() == [0.25, 0.5, 0.75, 1, 0]


@pytest.mark.parametrize("scale", [Scale(), Scale(1, 95), Scale(channel_wise=False)])
def test_inverse_restores_scanner_units(scale):
    img = volume(2, 6, 6, 6)
    restored = scale.inverse(scale(img))
    assert torch.allclose(restored, img, rtol=1e-5)
    assert restored.applied_operations == []


@pytest.mark.parametrize("size", [(6, 6, 6), (20, 8, 20)])
def test_invertd_brings_a_denoised_prediction_to_scanner_units(size):
    """After a crop or pad, and through a batch, as in inference."""
    geometry = Compose([ResizeWithPadOrCropd("image", size)])
    preprocessing = Compose([geometry, ScaleVolumeRanged("image")])
    samples = [{"image": volume(1, 10, 11, 12)}, {"image": 100 * volume(1, 10, 11, 12)}]
    batch = next(iter(DataLoader(Dataset(samples, preprocessing), batch_size=2)))
    batch["pred_denoise"] = batch["image"].clone()  # a perfect denoiser
    batch["pred_segment"] = torch.ones_like(batch["image"])
    postprocessing = Compose(
        [
            Invertd("pred_denoise", preprocessing, orig_keys="image", nearest_interp=False),
            Invertd("pred_segment", geometry, orig_keys="image"),
        ]
    )
    for item, sample in zip(decollate_batch(batch), samples, strict=True):
        result = postprocessing(item)
        denoised = result["pred_denoise"]
        assert denoised.shape == sample["image"].shape
        crop = tuple(
            slice(max(0, n - k) // 2 + 1, max(0, n - k) // 2 + 5) for n, k in zip((10, 11, 12), size, strict=True)
        )
        assert torch.allclose(denoised[0][crop], sample["image"][0][crop], rtol=1e-4)
        # Class numbers come back as they are when only the geometry is inverted.
        assert result["pred_segment"].shape == sample["image"].shape
        assert set(result["pred_segment"].unique().tolist()) <= {0.0, 1.0}


def test_inverse_after_random_transforms():
    preprocessing = Compose(
        [
            ScaleVolumeRanged("image", 0, 100),
            RandSpatialCropd("image", (4, 4, 4), random_size=False),
            RandFlipd("image", prob=1, spatial_axis=0),
        ]
    ).set_random_state(0)
    img = volume(1, 8, 8, 8)
    restored = preprocessing.inverse(preprocessing({"image": img}))["image"]
    inside = restored > img.min() + 1  # the rest of the volume is the crop's padding, 0 before scaling
    assert restored.shape == img.shape
    assert 60 <= inside.sum() <= 64
    assert torch.allclose(restored[inside], img[inside], rtol=1e-4)


def test_voxels_without_a_value():
    img = volume(1, 8, 8, 8)
    img[0, 0, 0, 0], img[0, 0, 0, 1] = torch.nan, torch.inf
    scale = Scale(0, 100)
    scaled = scale(img)
    finite = torch.isfinite(img)
    assert torch.equal(torch.isfinite(scaled), finite)
    assert float(scaled[finite].max()) == pytest.approx(1)
    assert torch.allclose(scale.inverse(scaled)[finite], img[finite], rtol=1e-5)
    img[:] = torch.nan
    with pytest.raises(ValueError, match=r"image \(scan\.nii, 8 x 8 x 8\) has .*without a finite voxel"):
        scale(img)


def test_constant_volume_becomes_0_and_comes_back():
    scale = Scale()
    img = MetaTensor(torch.full((1, 4, 4), 77.0))
    scaled = scale(img)
    assert not scaled.any()
    assert torch.equal(scale.inverse(scaled), img)


@pytest.mark.parametrize("percentiles", [(5, 5), (-1, 50), (0, 101), (90, 10)])
def test_wrong_percentiles(percentiles):
    with pytest.raises(ValueError, match="0 <= lower < upper <= 100"):
        Scale(*percentiles)


def test_wrong_margin():
    with pytest.raises(ValueError, match="margin must be at least 0, or None, got -1"):
        Scale(margin=-1)


def test_known_ranges_are_those_of_all_volumes():
    scale = Scale(ranges=[[-1000, 1000]])
    scaled = scale(MetaTensor(torch.tensor([[[-1000.0, 0, 500]]])))
    assert scaled.flatten().tolist() == [0, 0.5, 0.75]
    assert scale.inverse(scaled).flatten().tolist() == [-1000, 0, 500]
    with pytest.raises(ValueError, match=r"the first below, got \[3, 3\]"):
        Scale(ranges=[[3, 3]])


def test_a_clean_version_is_scaled_by_the_volumes_range():
    noisy, clean = MetaTensor(torch.arange(101.0).reshape(1, 101, 1)), MetaTensor(torch.full((1, 101, 1), 25.0))
    scale = ScaleVolumeRanged("image", 0, 100, alike="clean")
    sample = scale({"image": noisy, "clean": clean})
    assert torch.allclose(sample["clean"].as_tensor(), torch.tensor(0.25))
    assert "clean" not in scale({"image": noisy})
