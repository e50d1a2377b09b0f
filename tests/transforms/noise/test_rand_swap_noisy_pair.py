import pytest
import torch
import torch.nn.functional as F
from monai.transforms import Compose, CopyItemsd

from monai_mtunet.losses import MissingAwareRegressionLoss
from monai_mtunet.networks import UMC
from monai_mtunet.transforms import AddGaussianNoised, RandSwapNoisyPaird

KEYS = ("image", "denoise")


def pair():
    return {"image": torch.zeros(1, 6, 6), "denoise": torch.ones(1, 6, 6)}


def test_swaps_with_its_probability_and_follows_its_state():
    swap = RandSwapNoisyPaird(KEYS).set_random_state(0)
    swapped = [float(swap(pair())["image"].mean()) for _ in range(400)]
    assert set(swapped) == {0.0, 1.0}
    assert sum(swapped) / 400 == pytest.approx(0.5, abs=0.1)
    swap.set_random_state(0)
    assert [float(swap(pair())["image"].mean()) for _ in range(400)] == swapped
    assert torch.equal(RandSwapNoisyPaird(KEYS, 0)(pair())["image"], pair()["image"])


def test_what_has_no_second_acquisition_stays():
    partly = pair()
    partly["denoise"][0, 0] = torch.nan
    swapped = RandSwapNoisyPaird(KEYS, 1)(partly)
    assert torch.equal(swapped["image"][0, 1:], torch.ones(5, 6))
    assert torch.equal(swapped["image"][0, 0], torch.zeros(6))
    assert torch.equal(swapped["denoise"].isnan(), partly["denoise"].isnan())


def test_two_reproducible_noises_make_a_fixed_pair_of_independent_noise():
    acquire = Compose(
        [
            CopyItemsd("image", names="denoise"),
            AddGaussianNoised("image", 10, reproducible=True),
            AddGaussianNoised("denoise", 10, reproducible=True, seed=1),
        ]
    )
    clean = {"image": 100 * torch.rand(1, 100, 100)}
    first, again = acquire(clean), acquire(clean)
    noise = torch.stack([(first[key] - clean["image"]).flatten() for key in KEYS])
    assert noise.std(dim=1).tolist() == pytest.approx([10, 10], rel=0.03)
    assert torch.corrcoef(noise)[0, 1].abs() < 0.03
    assert all(torch.equal(first[key], again[key]) for key in KEYS)


def test_wrong_pairs():
    with pytest.raises(ValueError, match="A pair has two keys"):
        RandSwapNoisyPaird("image")
    with pytest.raises(ValueError, match=r"image \(1, 6, 6\) and denoise \(1, 6, 5\) are no pair"):
        RandSwapNoisyPaird(KEYS)({**pair(), "denoise": torch.ones(1, 6, 5)})


def test_training_on_noisy_pairs_alone_denoises():
    torch.manual_seed(0)
    clean = F.interpolate(torch.rand(16, 1, 5, 5), size=(32, 32), mode="bicubic")
    pairs = [clean + 0.2 * torch.randn(clean.shape) for _ in KEYS]
    network = UMC(2, 1, {"denoise": 1}, features=(8, 16), norm="INSTANCE")
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    swap = RandSwapNoisyPaird(KEYS).set_random_state(0)
    for _ in range(150):
        chosen = torch.randint(0, 12, (4,))
        batch = swap({key: noisy[chosen] for key, noisy in zip(KEYS, pairs, strict=True)})
        optimizer.zero_grad()
        MissingAwareRegressionLoss()(network(batch["image"])["denoise"], batch["denoise"]).backward()
        optimizer.step()
    with torch.no_grad():
        denoised = network.eval()(pairs[0][12:])["denoise"]
    gain = 10 * torch.log10((pairs[0] - clean)[12:].square().mean() / (denoised - clean[12:]).square().mean())
    assert gain > 3
