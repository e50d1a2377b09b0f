import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.ndimage import convolve

from monai_mtunet.tasks import EdgeTask
from monai_mtunet.transforms import CannyEdges, CannyEdgesd

SOBEL = np.outer([1, 2, 1], [-1, 0, 1])


def step(height, size=9, low=20.0):
    """An image that rises by ``height`` between columns 4 and 5."""
    image = torch.full((1, size, size), low)
    image[:, :, 5:] += height
    return image


def magnitude(image):
    """By hand: the length of the gradient by the 3 x 3 Sobel operator, as OpenCV has it."""
    values = image[0].double().numpy()
    return np.hypot(convolve(values, SOBEL, mode="nearest"), convolve(values, SOBEL.T, mode="nearest"))


class TestThresholdsAreOpenCVs:
    @pytest.mark.parametrize(("height", "found"), [(49, False), (51, True)])
    @pytest.mark.parametrize("turned", [False, True])
    def test_a_step_is_an_edge_from_a_magnitude_of_200(self, height, found, turned):
        image = step(height).transpose(1, 2) if turned else step(height)
        assert magnitude(image).max() == 4 * height
        edges = CannyEdges()(image)
        assert bool(edges.any()) == found
        assert not edges.numpy()[0][magnitude(image) == 0].any()

    @pytest.mark.parametrize(("height", "followed"), [(24, False), (26, True)])
    def test_a_weaker_step_is_followed_down_to_100(self, height, followed):
        image = step(height)
        image[:, :4, 5:] += 60 - height  # strong in the upper rows
        rows = CannyEdges()(image)[0].any(dim=1)
        assert rows[:4].all()
        assert rows[6:].all() == followed
        assert rows[6:].any() == followed

    def test_a_weak_step_alone_is_none(self):
        assert not CannyEdges()(step(40)).any()

    def test_a_ramp_and_noise_below_the_threshold_are_none(self):
        generator = torch.Generator().manual_seed(0)
        image = torch.arange(32.0).expand(1, 32, 32) * 6 + 3 * torch.rand(1, 32, 32, generator=generator)
        assert magnitude(image).max() < 100
        assert not CannyEdges()(image).any()

    def test_nothing_below_the_low_threshold_and_everything_strong_is_near_an_edge(self):
        yy, xx = np.mgrid[:40, :40]
        image = torch.tensor(np.where(np.hypot(yy - 20, xx - 18) < 12, 180.0, 60.0))[None]
        edges = CannyEdges()(image)[0].numpy().astype(bool)
        strength = magnitude(image)
        assert strength[edges].min() >= 100
        near = convolve(edges.astype(int), np.ones((3, 3)), mode="constant") > 0
        assert near[strength >= 200].all()
        # The disc's outline, two voxels thick at most.
        assert 2 * np.pi * 10 < edges.sum() < 2 * 2 * np.pi * 13

    def test_edges_reach_the_border(self):
        assert CannyEdges()(step(100))[0, :, 4:6].any(dim=1).all()


@pytest.mark.parametrize("height", [45, 55])
def test_other_ranges_and_types_give_the_same(height):
    image = step(height)
    expected = CannyEdges()(image)
    assert bool(expected.any()) == (height > 50)
    assert torch.equal(CannyEdges(data_range=(-1, 1))(image / 127.5 - 1), expected)
    assert torch.equal(CannyEdges()(image.to(torch.uint8)), expected)
    assert torch.equal(CannyEdges()(image.expand(3, -1, -1)), expected)


def test_smoothing_lowers_magnitudes():
    assert CannyEdges()(step(60)).any()
    assert not CannyEdges(sigma=1.5)(step(60)).any()


def test_missing_stays_missing_and_makes_no_edge():
    image = step(100, size=12)
    image[:, 6, 1] = torch.nan
    edges = CannyEdges()(image)
    missing = torch.zeros(1, 12, 12, dtype=torch.bool)
    missing[:, 4:9, :4] = True
    assert torch.equal(edges == 255, missing)
    assert torch.equal(edges[~missing], CannyEdges()(step(100, size=12))[~missing])


class TestVolumes:
    @pytest.mark.parametrize("axis", [0, 1, 2, -1])
    def test_are_filtered_slice_by_slice(self, axis):
        slices = [step(height) for height in (10, 60, 100)]
        volume = torch.stack(slices, dim=axis + 1 if axis >= 0 else -1)
        edges = CannyEdges(slice_axis=axis)(volume)
        assert edges.shape == volume.shape
        expected = [CannyEdges()(plane) for plane in slices]
        assert all(map(torch.equal, edges.unbind(axis + 1 if axis >= 0 else -1), expected))

    def test_need_an_axis(self):
        with pytest.raises(ValueError, match="A volume, 4 x 5 x 6, is filtered slice by slice: give slice_axis"):
            CannyEdges()(torch.zeros(1, 4, 5, 6))


def test_gives_the_target_of_an_edge_task_with_the_images_affine():
    image = MetaTensor(step(100), affine=torch.diag(torch.tensor([2.0, 3, 1, 1])))
    sample = CannyEdgesd("image", "edges")({"image": image})
    assert torch.equal(sample["image"], image)
    assert torch.equal(sample["edges"].affine, image.affine)
    assert sample["edges"].dtype == torch.int16
    assert EdgeTask("edges").prepare_target(sample["edges"][None]).unique().tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"low": 200, "high": 100}, "0 < low <= high, got 200 and 100"),
        ({"data_range": (1, 1)}, r"data_range must be \(lowest, highest\), got \(1, 1\)"),
        ({"sigma": -1}, "sigma must not be negative"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        CannyEdges(**arguments)


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"one channel, or RGB, got an image of shape \(2, 4, 4\)"):
        CannyEdges()(torch.zeros(2, 4, 4))
