import importlib.util
import math

import pytest
import torch

from monai_mtunet.networks import ClassicalDenoiser

STD, MEAN = (20.0, 50.0, 80.0), 120.0
METHODS_2D = ["wavelet", "nl_means", "bm3d"]


def need(method):
    if method == "bm3d":
        pytest.importorskip("bm3d")


def scene(*spatial, channels=3):
    """Texture and an object on a scale of 0 to 255, (1, channels, *spatial)."""
    axes = torch.meshgrid(*[torch.arange(float(n)) for n in spatial], indexing="ij")
    radius = sum((a - n / 2) ** 2 for a, n in zip(axes, spatial, strict=True)).sqrt()
    maps = [
        110 + 40 * torch.sin(axes[-1] / 3 + c) * torch.cos(axes[-2] / 5) + 60 * (radius < min(spatial) / 3)
        for c in range(channels)
    ]
    return torch.stack(maps)[None]


def noisy(clean, sigma):
    return clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def psnr(image, clean):
    return 10 * math.log10(255**2 / (image - clean).square().mean().item())


@pytest.mark.parametrize(
    ("spatial", "method", "gain"),
    [
        ((64, 64), "wavelet", 6),
        ((64, 64), "nl_means", 6),
        ((64, 64), "bm3d", 9),
        ((16, 32, 32), "wavelet", 6),
        pytest.param((16, 32, 32), "nl_means", 6, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_gains_psnr_on_normalized_images(spatial, method, gain, channels):
    need(method)
    clean, sigma = scene(*spatial, channels=channels), 30.0
    std = torch.tensor(STD[:channels]).view(-1, *[1] * len(spatial))
    denoiser = ClassicalDenoiser(len(spatial), channels, sigma, method, std=STD[:channels])
    x = noisy(clean, sigma)
    denoised = denoiser((x - MEAN) / std)["denoise"] * std + MEAN
    assert psnr(denoised, clean) - psnr(x, clean) > gain


@pytest.mark.parametrize("method", ["wavelet", "nl_means"])
def test_normalization_does_not_change_the_result(method):
    x = noisy(scene(32, 40), 30.0)
    std = torch.tensor(STD).view(3, 1, 1)
    own_units = ClassicalDenoiser(2, 3, 30.0, method)(x)["denoise"]
    normalized = ClassicalDenoiser(2, 3, 30.0, method, std=STD)((x - MEAN) / std)["denoise"] * std + MEAN
    torch.testing.assert_close(normalized, own_units, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("method", METHODS_2D)
@pytest.mark.parametrize("size", [(17, 23), (1, 20), (1, 1), (9, 1, 12)], ids=str)
def test_takes_any_size(method, size):
    need(method)
    if method == "bm3d" and len(size) == 3:
        pytest.skip("bm3d is for 2D images")
    batch = 1 if method == "bm3d" else 2  # bm3d takes a second per image
    y = ClassicalDenoiser(len(size), 3, 0.1, method)(torch.rand(batch, 3, *size))["denoise"]
    assert y.shape == (batch, 3, *size)
    assert torch.isfinite(y).all()


@pytest.mark.parametrize("method", METHODS_2D)
def test_denoises_gray_and_constant_color_images(method):
    need(method)
    denoiser = ClassicalDenoiser(2, 3, 30.0, method)
    gray = scene(32, 32, channels=1).expand(-1, 3, -1, -1)
    x = noisy(gray[:, :1], 30.0).expand_as(gray)
    assert psnr(denoiser(x)["denoise"], gray) > psnr(x, gray) + 1  # less than usual: the noise is gray too
    constant = torch.full((1, 3, 16, 16), 7.0)
    torch.testing.assert_close(denoiser(constant)["denoise"], constant, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_keeps_the_type_and_names_the_task(dtype):
    denoiser = ClassicalDenoiser(2, 3, 0.1, task="clean")
    y = denoiser(torch.rand(1, 3, 16, 16, dtype=dtype, requires_grad=True))
    assert list(y) == list(denoiser.out_channels) == ["clean"]
    assert denoiser.out_features == {}
    assert y["clean"].dtype == dtype
    assert not y["clean"].requires_grad


def test_has_neither_parameters_nor_state():
    assert ClassicalDenoiser(2, 3, 30.0, std=STD).state_dict() == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spatial_dims": 1}, "spatial_dims must be 2 or 3, got 1"),
        ({"method": "median"}, r"method must be one of \('wavelet', 'nl_means', 'bm3d'\), got 'median'"),
        ({"sigma": 0}, "sigma must be positive, got 0"),
        ({"std": (1.0, 2.0)}, r"one per channel \(3\), got \(1.0, 2.0\)"),
        ({"std": -1.0}, "positive number"),
        ({"spatial_dims": 3, "method": "bm3d"}, "'bm3d' is for 2D images: choose 'nl_means'"),
    ],
    ids=str,
)
def test_refuses_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClassicalDenoiser(**{"spatial_dims": 2, "in_channels": 3, "sigma": 30.0, **arguments})


def test_refuses_other_channels():
    with pytest.raises(ValueError, match=r"ClassicalDenoiser was built for 2D images \(B, 3, H, W\)"):
        ClassicalDenoiser(2, 3, 30.0)(torch.rand(1, 1, 16, 16))


def test_says_how_to_install_bm3d(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"non-commercial use only: pip install -e '\.\[bm3d\]'"):
        ClassicalDenoiser(2, 3, 30.0, "bm3d")
