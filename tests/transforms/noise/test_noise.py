import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, EnsureTyped, RandFlipd
from monai.utils import set_determinism

from monai_mtunet.transforms import AddGaussianNoised, AddPoissonNoised, AddRicianNoised

ALL = pytest.mark.parametrize(
    "noise", [AddGaussianNoised("image", 30), AddRicianNoised("image", 30), AddPoissonNoised("image", 50)]
)
REPRODUCIBLE = pytest.mark.parametrize(
    "noise",
    [
        AddGaussianNoised("image", (10, 50), reproducible=True),
        AddRicianNoised("image", 0.1, relative=True, reproducible=True),
        AddPoissonNoised("image", 50, reproducible=True),
    ],
)


@pytest.fixture(autouse=True)
def _restore_determinism():
    yield
    set_determinism(None)


@pytest.fixture
def samples():
    generator = torch.Generator().manual_seed(0)
    return [{"image": 255 * torch.rand(3, 8, 8, generator=generator)} for _ in range(6)]


def noisy(noise, image):
    return noise({"image": image})["image"]


def images(loader):
    return torch.cat([batch["image"].as_tensor() for batch in loader])


# Fresh noise


@ALL
def test_fresh_noise_differs_between_epochs_and_samples(samples, noise):
    loader = DataLoader(CacheDataset([samples[0]] * 2, noise, progress=False), batch_size=2)
    first, second = images(loader), images(loader)
    assert (first[0] != first[1]).any()
    assert (first != second).any()


@ALL
@pytest.mark.parametrize("workers", [0, 2])
def test_fresh_noise_follows_set_determinism(samples, noise, workers):
    def run(seed):
        set_determinism(seed)
        transform = Compose([EnsureTyped("image"), deepcopy(noise)])
        loader = DataLoader(Dataset(samples, transform), batch_size=2, num_workers=workers)
        return [images(loader) for _ in range(2)]

    first, again, other = run(1), run(1), run(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], other[0])


def test_fresh_noise_follows_the_state_of_the_pipeline(samples):
    transform = Compose([AddGaussianNoised("image", (1, 50))])
    first = transform.set_random_state(3)(samples[0])["image"]
    assert torch.equal(transform.set_random_state(3)(samples[0])["image"], first)
    assert not torch.equal(transform(samples[0])["image"], first)


def test_a_range_gives_every_sample_its_level():
    noise = AddGaussianNoised("image", (10, 50)).set_random_state(0)
    sigmas = torch.tensor([float(noisy(noise, torch.zeros(1, 64, 64)).std()) for _ in range(200)])
    assert 9 < sigmas.min() < 13
    assert 47 < sigmas.max() < 52
    assert float(sigmas.mean()) == pytest.approx(30, abs=3)


# Reproducible noise


@REPRODUCIBLE
def test_reproducible_noise_is_the_same_for_any_epoch_worker_or_cache(samples, noise):
    expected = torch.stack([deepcopy(noise)(sample)["image"].as_tensor() for sample in samples])
    assert (expected != torch.stack([s["image"] for s in samples])).any()
    for dataset in (Dataset(samples, noise), CacheDataset(samples, noise, progress=False)):
        for workers in (0, 2):
            loader = DataLoader(dataset, batch_size=4, num_workers=workers)
            assert torch.equal(images(loader), expected)
            assert torch.equal(images(loader), expected)


@REPRODUCIBLE
def test_reproducible_noise_leaves_the_random_state_alone(samples, noise):
    noise = deepcopy(noise).set_random_state(5)
    torch.manual_seed(0)
    before, torch_before = noise.R.get_state()[1].copy(), torch.get_rng_state()
    noise(samples[0])
    assert np.array_equal(noise.R.get_state()[1], before)
    assert torch.equal(torch.get_rng_state(), torch_before)


def test_reproducible_noise_depends_on_content_and_seed_only(samples):
    image = samples[0]["image"]
    noise = AddGaussianNoised("image", 30, reproducible=True)
    residual = noisy(noise, image) - image
    elsewhere = MetaTensor(image.clone(), meta={"filename_or_obj": "elsewhere"})
    assert torch.equal(noisy(noise, elsewhere).as_tensor(), noisy(noise, image).as_tensor())
    assert torch.equal(noisy(noise, image.flip(1).flip(1)), noisy(noise, image))
    assert not torch.allclose(noisy(noise, image + 1) - image - 1, residual, atol=1)
    other = AddGaussianNoised("image", 30, reproducible=True, seed=1)
    assert not torch.allclose(noisy(other, image) - image, residual, atol=1)


def test_reproducible_noise_can_follow_a_random_transform(samples):
    """The noise of a crop or flip is a function of the crop or flip, not of the file."""
    flip = RandFlipd("image", prob=1, spatial_axis=1)
    noise = AddGaussianNoised("image", 30, reproducible=True)
    assert torch.equal(Compose([flip, noise])(samples[0])["image"], noise(flip(samples[0]))["image"])


# Statistics


def test_gaussian_level():
    image = torch.full((3, 200, 200), 250.0)
    residual = noisy(AddGaussianNoised("image", 30).set_random_state(0), image) - image
    assert float(residual.mean()) == pytest.approx(0, abs=0.4)
    assert float(residual.std()) == pytest.approx(30, rel=0.01)
    assert residual.max() > 100  # not clipped at 255
    channels = residual.flatten(1)
    assert torch.corrcoef(channels).triu(1).abs().max() < 0.02


def test_relative_level_is_a_fraction_of_the_range():
    image = torch.rand(1, 60, 60, 60) * 4000 + 1000
    for noise in (AddGaussianNoised("image", 0.1, relative=True), AddRicianNoised("image", 0.1, relative=True)):
        assert float((noisy(noise, image) - image).std()) == pytest.approx(400, rel=0.05)


@pytest.mark.parametrize(
    "noise",
    [
        AddGaussianNoised("image", 0),
        AddRicianNoised("image", 0),
        AddGaussianNoised("image", 0.5, relative=True),
        AddGaussianNoised("image", (0, 0)),
    ],
)
def test_no_noise_on_constant_or_zero_level(noise):
    image = torch.full((1, 8, 8), 7.0)
    assert torch.allclose(noisy(noise, image), image)


def test_rician_bias_follows_theory():
    """The mean of a Rician variable is sigma sqrt(pi/2) L(-A^2 / 2 sigma^2), L the Laguerre polynomial of order 1/2."""
    sigma = 20.0
    for amplitude in (0.0, 10.0, 20.0, 60.0, 200.0):
        x = amplitude**2 / (4 * sigma**2)
        i0, i1 = (float(f(torch.tensor(x, dtype=torch.float64))) for f in (torch.special.i0e, torch.special.i1e))
        expected = sigma * math.sqrt(math.pi / 2) * ((1 + 2 * x) * i0 + 2 * x * i1)
        noise = AddRicianNoised("image", sigma).set_random_state(0)
        result = noisy(noise, torch.full((1, 400, 400), amplitude))
        assert result.min() >= 0
        assert float(result.mean()) == pytest.approx(expected, rel=0.005)
    assert expected == pytest.approx(amplitude + sigma**2 / (2 * amplitude), rel=1e-3)  # as the docstring says


@pytest.mark.parametrize("top", [None, 255.0])
def test_poisson_mean_and_variance(top):
    values = torch.tensor([0.0, 20.0, 100.0, 200.0])
    image = values.repeat(1, 40000, 1)
    result = noisy(AddPoissonNoised("image", 50, top).set_random_state(0), image)[0]
    assert torch.allclose(result.mean(0), values, rtol=0.01)
    assert torch.allclose(result.var(0), values * (top or 200) / 50, rtol=0.03)
    assert result.max() > 255  # not clipped


# What goes in and comes out


@pytest.mark.parametrize(
    "noise", [AddGaussianNoised("image", 5), AddRicianNoised("image", 5), AddPoissonNoised("image", 5)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_meta_data_and_type(noise, dtype):
    affine = torch.diag(torch.tensor([1.0, 1.0, 2.5, 1.0]))
    image = MetaTensor(torch.rand(1, 4, 5, 6).to(dtype), affine=affine, meta={"filename_or_obj": "a.nii"})
    before = image.clone()
    result = noisy(noise, image)
    assert torch.equal(image, before)
    assert result.dtype == torch.float32
    assert result.shape == image.shape
    assert torch.equal(result.affine.float(), affine)
    assert result.meta["filename_or_obj"] == "a.nii"


@pytest.mark.parametrize(
    "noise",
    [
        AddGaussianNoised("image", 0.1, relative=True),
        AddRicianNoised("image", 0.1, relative=True),
        AddPoissonNoised("image", 5),
    ],
)
def test_voxels_without_a_value_stay_so(noise):
    image = torch.rand(1, 16, 16) + 1
    image[0, 0, :4], image[0, 1, 0] = torch.nan, torch.inf
    result = noisy(noise, image)
    assert torch.equal(torch.isnan(result), torch.isnan(image))
    assert torch.equal(torch.isinf(result), torch.isinf(image))
    assert (result != image)[torch.isfinite(image)].float().mean() > 0.9
    assert noisy(noise, torch.full((1, 4, 4), torch.nan)).isnan().all()


def test_only_the_named_keys_change(samples):
    sample = {"image": samples[0]["image"], "denoise": samples[0]["image"].clone(), "segment": torch.ones(1, 8, 8)}
    result = AddGaussianNoised("image", 30)(sample)
    assert torch.equal(result["denoise"], sample["image"])
    assert torch.equal(result["segment"], sample["segment"])
    assert not torch.equal(result["image"], sample["image"])
    with pytest.raises(KeyError, match="picture"):
        AddGaussianNoised("picture", 30)(sample)
    AddGaussianNoised("picture", 30, allow_missing_keys=True)(sample)


# Errors


@pytest.mark.parametrize("sigma", [-1, (5, 1), (-1, 3), (1, 2, 3), (4,), float("nan"), float("inf")])
def test_wrong_levels(sigma):
    for noise in (AddGaussianNoised, AddRicianNoised):
        with pytest.raises(ValueError, match="sigma must be a finite number >= 0 or a range"):
            noise("image", sigma)


def test_wrong_counts():
    for arguments in ({"peak": 0}, {"peak": (0, 5)}, {"peak": 5, "top": 0}):
        with pytest.raises(ValueError, match="must be above 0"):
            AddPoissonNoised("image", **arguments)


def test_wrong_images():
    with pytest.raises(TypeError, match=r"AddGaussianNoised needs a floating-point image, got torch\.uint8"):
        noisy(AddGaussianNoised("image", 5), torch.zeros(3, 4, 4, dtype=torch.uint8))
    normalized = torch.randn(1, 8, 8)
    with pytest.raises(ValueError, match="before the intensities are normalized"):
        noisy(AddRicianNoised("image", 5), normalized)
    with pytest.raises(ValueError, match="before the intensities are normalized"):
        noisy(AddPoissonNoised("image", 5), normalized)
