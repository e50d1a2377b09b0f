"""Blind spots: where they are, what hides them, what they teach, and when they repeat."""

import pytest
import torch
import torch.nn.functional as F
from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor
from monai.transforms import Compose, CopyItemsd, EnsureTyped, RandFlipd, RandSpatialCropd
from monai.utils import set_determinism

from monai_mtunet.losses import MissingAwareRegressionLoss
from monai_mtunet.networks import UMC
from monai_mtunet.transforms import AddGaussianNoised, MaskBlindSpotsd

SIZES = pytest.mark.parametrize("size", [(40, 60), (20, 25, 16)])
REPLACEMENTS = pytest.mark.parametrize("replacement", ["neighbor", "median", "mean"])


@pytest.fixture(autouse=True)
def _restore_determinism():
    yield
    set_determinism(None)


class Hide:
    """An image without what is hidden, and where the blind spots are."""

    def __init__(self, *arguments, **more):
        self.transform = MaskBlindSpotsd("image", "denoise", *arguments, **more)

    def set_random_state(self, seed):
        self.transform.set_random_state(seed)
        return self

    def __call__(self, noisy):
        sample = self.transform({"image": noisy})
        return sample["image"], sample["denoise"].isfinite()


def image(*size, seed=0):
    return torch.rand(size, generator=torch.Generator().manual_seed(seed))


# Where they are


@SIZES
@pytest.mark.parametrize("fraction", [0.01, 0.04])
def test_exact_fractions(size, fraction):
    _, spots = Hide(fraction, sampling="uniform")(image(1, *size))
    assert int(spots.sum()) == round(fraction * image(*size).numel())


def test_a_stratified_grid_has_one_spot_in_every_cell():
    _, spots = Hide(0.01)(image(1, 40, 60))
    assert (F.avg_pool2d(spots.float(), 10) * 100 == 1).all()
    _, spots = Hide(0.01)(image(1, 20, 25, 15))  # cells of 4 x 5 x 5
    assert (F.avg_pool3d(spots.float(), (4, 5, 5)) * 100 == 1).all()


@pytest.mark.parametrize("size", [(40, 60, 1), (1, 40, 60), (37, 53), (64, 64, 3)])
@pytest.mark.parametrize("sampling", ["stratified", "uniform"])
def test_the_fraction_holds_for_thin_and_odd_sizes(size, sampling):
    hide = Hide(0.02, sampling).set_random_state(0)
    counts = [int(hide(image(1, *size))[1].sum()) for _ in range(20)]
    assert sum(counts) / 20 / image(*size).numel() == pytest.approx(0.02, rel=0.1)


def test_every_voxel_is_as_likely_as_any_other():
    hide = Hide(0.1).set_random_state(0)
    share = torch.stack([hide(image(1, 7, 8))[1].float() for _ in range(1000)]).mean(0)
    assert float(share.mean()) == pytest.approx(1 / 9, rel=0.05)  # cells of 3 x 3
    assert share.min() > 0.06  # 5 standard deviations
    assert share.max() < 0.162


def test_channels_share_their_spots_unless_told_otherwise():
    _, spots = Hide(0.05)(image(3, 40, 40))
    assert (spots == spots[:1]).all()
    _, spots = Hide(0.05, per_channel=True)(image(3, 40, 40))
    assert (spots.flatten(1).sum(1) > 50).all()
    assert (spots.sum(0) == 3).sum() < 10


# What hides them


@SIZES
@REPLACEMENTS
@pytest.mark.parametrize("per_channel", [False, True])
def test_only_the_spots_change_and_none_keeps_its_value(size, replacement, per_channel):
    noisy = image(2, *size)  # all values differ
    hidden, spots = Hide(0.04, replacement=replacement, per_channel=per_channel)(noisy)
    assert torch.equal(hidden != noisy, spots)


@SIZES
@REPLACEMENTS
def test_the_hidden_value_has_no_influence_on_the_input(size, replacement):
    """By construction: another value at a spot leaves what replaces it as it was."""
    hide = Hide(0.002, replacement=replacement, window=3)
    noisy = image(1, *size)
    hidden, spots = hide.set_random_state(0)(noisy)
    assert spots.any()
    other, again = hide.set_random_state(0)(noisy.masked_fill(spots, 1e6))
    assert torch.equal(again, spots)
    assert torch.equal(other, hidden)


def test_replacements_come_from_the_window():
    rows = torch.arange(30.0)[:, None].expand(30, 30)[None]
    for replacement in ("neighbor", "median", "mean"):
        hidden, spots = Hide(0.04, replacement=replacement, window=(3, 5))(rows)
        assert (hidden - rows)[spots].abs().max() <= 1
        flat, spots = Hide(0.04, replacement=replacement, window=(1, 5))(rows)
        assert torch.equal(flat, rows)
    noisy = image(1, 9, 9)
    hidden, spots = Hide(1 / 81, replacement="mean", window=3, sampling="uniform").set_random_state(3)(noisy)
    (row, column) = spots[0].nonzero()[0].tolist()
    window = noisy[0, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    expected = (window.sum() - noisy[0, row, column]) / (window.numel() - 1)
    assert float(hidden[0, row, column]) == pytest.approx(float(expected), rel=1e-5)


@REPLACEMENTS
def test_a_structure_hides_all_that_shares_the_noise(replacement):
    """Noise that is constant along lines of 5 voxels: nothing of it may reach the input near a spot."""
    hide = Hide(0.002, replacement=replacement, structure=(1, 5), window=5)
    noisy = image(1, 40, 60)
    hidden, spots = hide.set_random_state(1)(noisy)
    lines = F.max_pool2d(spots.float(), (1, 5), stride=1, padding=(0, 2)) > 0
    assert int(lines.sum()) > 3 * int(spots.sum())
    assert torch.equal(hidden != noisy, lines)
    other, again = hide.set_random_state(1)(noisy + 1e3 * lines)
    assert torch.equal(again, spots)
    assert torch.equal(other, hidden)


def test_voxels_without_a_value_are_neither_hidden_nor_used():
    noisy = image(1, 40, 60)
    noisy[:, :20] = torch.nan
    hidden, spots = Hide(0.04)(noisy)
    assert not spots[:, :20].any()
    assert spots[:, 20:].any()
    assert torch.equal(hidden.isnan(), noisy.isnan())


# What they teach


@SIZES
def test_the_target_is_the_noisy_image_at_the_spots_alone(size):
    noisy = MetaTensor(image(1, *size), meta={"filename_or_obj": "a.nii"})
    sample = MaskBlindSpotsd("image", "denoise", 0.04).set_random_state(0)({"image": noisy, "denoise": "whatever"})
    spots = sample["image"] != noisy
    assert torch.equal(sample["denoise"].isfinite(), spots)
    assert torch.equal(sample["denoise"][spots], noisy[spots])
    assert type(sample["denoise"]) is type(sample["image"]) is MetaTensor
    assert sample["denoise"].meta["filename_or_obj"] == "a.nii"


def test_gradients_come_from_the_spots_alone():
    sample = MaskBlindSpotsd("image", "denoise", 0.04)({"image": image(1, 30, 30)})
    prediction = torch.zeros(1, 1, 30, 30, requires_grad=True)
    MissingAwareRegressionLoss()(prediction, sample["denoise"][None]).backward()
    assert torch.equal(prediction.grad[0] != 0, sample["denoise"].isfinite())


def test_training_on_noisy_images_alone_denoises():
    """Smooth scenes with independent noise: a few hundred small steps must beat the noisy input clearly."""
    torch.manual_seed(0)
    clean = F.interpolate(torch.rand(16, 1, 5, 5), size=(32, 32), mode="bicubic")
    noisy = clean + 0.2 * torch.randn(clean.shape)
    network = UMC(2, 1, {"denoise": 1}, features=(8, 16), norm="INSTANCE")
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    hide = MaskBlindSpotsd("image", "denoise", 0.03).set_random_state(0)
    loss = MissingAwareRegressionLoss()
    for _ in range(200):
        samples = [hide({"image": noisy[i]}) for i in torch.randint(0, 12, (4,)).tolist()]
        (batch,) = DataLoader(samples, batch_size=4)
        optimizer.zero_grad()
        loss(network(batch["image"].as_tensor())["denoise"], batch["denoise"].as_tensor()).backward()
        optimizer.step()
    with torch.no_grad():
        denoised = network.eval()(noisy[12:])["denoise"]  # nothing is hidden, of scenes it never saw
    gain = 10 * torch.log10((noisy[12:] - clean[12:]).square().mean() / (denoised - clean[12:]).square().mean())
    assert gain > 1.5


# When they repeat


def spots_of(loader):
    return torch.cat([batch["denoise"].as_tensor().isfinite() for batch in loader])


@pytest.mark.parametrize("workers", [0, 2])
def test_fresh_spots_follow_set_determinism_and_differ_between_epochs(workers):
    samples = [{"image": image(1, 24, 24, seed=i)} for i in range(6)]

    def run(seed):
        set_determinism(seed)
        transform = Compose([EnsureTyped("image"), MaskBlindSpotsd("image", "denoise")])
        loader = DataLoader(CacheDataset(samples, transform, progress=False), batch_size=3, num_workers=workers)
        return [spots_of(loader) for _ in range(2)]

    first, again, other = run(1), run(1), run(2)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], other[0])


def test_reproducible_spots_are_the_same_for_any_epoch_worker_or_cache():
    samples = [{"image": image(1, 24, 24, seed=i)} for i in range(6)]
    hide = MaskBlindSpotsd("image", "denoise", reproducible=True)
    expected = torch.stack([hide(sample)["denoise"].isfinite() for sample in samples])
    assert not torch.equal(expected[0], expected[1])
    for dataset in (Dataset(samples, hide), CacheDataset(samples, hide, progress=False)):
        for workers in (0, 2):
            loader = DataLoader(dataset, batch_size=4, num_workers=workers)
            assert torch.equal(spots_of(loader), expected)
            assert torch.equal(spots_of(loader), expected)
    other = MaskBlindSpotsd("image", "denoise", reproducible=True, seed=1)(samples[0])
    assert not torch.equal(other["denoise"].isfinite(), expected[0])


def test_works_after_augmentation_and_noise():
    pipeline = Compose(
        [
            CopyItemsd("image", names="denoise"),
            RandSpatialCropd(["image", "denoise"], [16, 16], random_size=False),
            RandFlipd(["image", "denoise"], prob=0.5, spatial_axis=1),
            AddGaussianNoised("image", 30),
            MaskBlindSpotsd("image", "denoise", 0.04),
        ]
    )
    clean = 100 * image(3, 24, 24)
    sample = pipeline({"image": clean})
    spots = sample["denoise"].isfinite()
    assert int(spots.sum()) / spots.numel() == pytest.approx(0.04, rel=0.3)
    assert not torch.isin(sample["denoise"][spots], clean).any()  # the noisy image, not the clean one


# Errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fraction": 0}, "within 0..0.5 and not 0, got 0"),
        ({"fraction": 0.6}, "got 0.6"),
        ({"sampling": "grid"}, "sampling must be one of"),
        ({"replacement": "zero"}, "replacement must be one of"),
        ({"window": 4}, "window must be odd"),
        ({"structure": (1, 2)}, "structure must be odd"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Hide(**arguments)


def test_windows_without_a_neighbor():
    with pytest.raises(ValueError, match=r"structure of \(1, 5\) leaves nothing of a window of \(1, 5\)"):
        Hide(window=(1, 5), structure=(1, 5))(image(1, 20, 20))
    with pytest.raises(ValueError, match=r"window of \(5, 1\) leaves a voxel of an image of size \(1, 20\)"):
        Hide(window=(5, 1))(image(1, 1, 20))
    with pytest.raises(TypeError, match=r"floating-point image, got torch\.uint8"):
        Hide()(torch.zeros(1, 8, 8, dtype=torch.uint8))
