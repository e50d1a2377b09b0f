import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from scipy.ndimage import convolve

from monai_mtunet.tasks import EdgeTask
from monai_mtunet.transforms import CannyEdgesd

SOBEL = np.outer([1, 2, 1], [-1, 0, 1])


def canny(**arguments):
    """Edges of an image."""
    transform = CannyEdgesd("image", "edges", **arguments)
    return lambda image: transform({"image": image})["edges"]


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
        edges = canny()(image)
        assert bool(edges.any()) == found
        assert not edges.numpy()[0][magnitude(image) == 0].any()

    @pytest.mark.parametrize(("height", "followed"), [(24, False), (26, True)])
    def test_a_weaker_step_is_followed_down_to_100(self, height, followed):
        image = step(height)
        image[:, :4, 5:] += 60 - height  # strong in the upper rows
        rows = canny()(image)[0].any(dim=1)
        assert rows[:4].all()
        assert rows[6:].all() == followed
        assert rows[6:].any() == followed

    def test_a_weak_step_alone_is_none(self):
        assert not canny()(step(40)).any()

    def test_a_ramp_and_noise_below_the_threshold_are_none(self):
        generator = torch.Generator().manual_seed(0)
        image = torch.arange(32.0).expand(1, 32, 32) * 6 + 3 * torch.rand(1, 32, 32, generator=generator)
        assert magnitude(image).max() < 100
        assert not canny()(image).any()

    def test_nothing_below_the_low_threshold_and_everything_strong_is_near_an_edge(self):
        yy, xx = np.mgrid[:40, :40]
        image = torch.tensor(np.where(np.hypot(yy - 20, xx - 18) < 12, 180.0, 60.0))[None]
        edges = canny()(image)[0].numpy().astype(bool)
        strength = magnitude(image)
        assert strength[edges].min() >= 100
        near = convolve(edges.astype(int), np.ones((3, 3)), mode="constant") > 0
        assert near[strength >= 200].all()
        # The disc's outline, two voxels thick at most.
        assert 2 * np.pi * 10 < edges.sum() < 2 * 2 * np.pi * 13

    def test_edges_reach_the_border(self):
        assert canny()(step(100))[0, :, 4:6].any(dim=1).all()


@pytest.mark.parametrize("height", [45, 55])
def test_other_ranges_and_types_give_the_same(height):
    image = step(height)
    expected = canny()(image)
    assert bool(expected.any()) == (height > 50)
    assert torch.equal(canny(data_range=(-1, 1))(image / 127.5 - 1), expected)
    assert torch.equal(canny()(image.to(torch.uint8)), expected)
    assert torch.equal(canny()(image.expand(3, -1, -1)), expected)


def test_smoothing_lowers_magnitudes():
    assert canny()(step(60)).any()
    assert not canny(sigma=1.5)(step(60)).any()


def test_missing_stays_missing_and_makes_no_edge():
    image = step(100, size=12)
    image[:, 6, 1] = torch.nan
    edges = canny()(image)
    missing = torch.zeros(1, 12, 12, dtype=torch.bool)
    missing[:, 4:9, :4] = True
    assert torch.equal(edges == 255, missing)
    assert torch.equal(edges[~missing], canny()(step(100, size=12))[~missing])


class TestVolumes:
    @pytest.mark.parametrize("axis", [0, 1, 2, -1])
    def test_are_filtered_slice_by_slice(self, axis):
        slices = [step(height) for height in (10, 60, 100)]
        volume = torch.stack(slices, dim=axis + 1 if axis >= 0 else -1)
        edges = canny(slice_axis=axis)(volume)
        assert edges.shape == volume.shape
        expected = [canny()(plane) for plane in slices]
        assert all(map(torch.equal, edges.unbind(axis + 1 if axis >= 0 else -1), expected))

    @pytest.mark.parametrize("axis", [0, 1, 2])
    @pytest.mark.parametrize(("height", "found"), [(49, False), (51, True)])
    def test_a_step_along_any_axis_is_a_surface_from_a_magnitude_of_200(self, axis, height, found):
        volume = torch.full((1, 9, 9, 9), 20.0)
        volume.narrow(axis + 1, 5, 4).add_(height)
        edges = canny()(volume)
        assert edges.dtype == torch.int16
        planes = edges[0].movedim(axis, 0).flatten(1).float().mean(1)
        assert planes.sum() == (1 if found else 0)  # one voxel thick, up to the borders
        assert not found or planes[4:6].sum() == 1

    @pytest.mark.parametrize(("height", "followed"), [(24, False), (26, True)])
    def test_a_weaker_step_is_followed_down_to_100(self, height, followed):
        volume = torch.full((1, 8, 8, 8), 20.0)
        volume[:, :, :, 4:] += height
        volume[:, :3, :, 4:] += 60 - height
        surface = canny()(volume)[0].any(dim=2)
        assert surface[:3].all()
        assert surface[5:].all() == followed
        assert surface[5:].any() == followed

    def test_the_surface_of_a_ball_is_found_all_around(self):
        grid = torch.stack(torch.meshgrid(*[torch.arange(33.0) - 16] * 3, indexing="ij"))
        radius = grid.norm(dim=0)
        edges = canny()(torch.where(radius < 11, 180.0, 60.0)[None])[0].bool()
        assert (radius[edges] - 11).abs().max() < 1.3
        area = 4 * torch.pi * 11**2
        assert 0.6 * area < edges.sum() < 1.6 * area
        random = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
        directions, found = (torch.nn.functional.normalize(v, dim=1) for v in (random, grid[:, edges].T))
        assert (directions @ found.T).amax(1).min() > 0.985  # some edge within 10 degrees of any direction

    def test_slices_see_no_surface_that_lies_in_them_and_volumes_do(self):
        volume = torch.full((1, 8, 8, 8), 20.0)
        volume[..., 4:] += 100
        assert not canny(slice_axis=2)(volume).any()
        assert canny()(volume).any()

    def test_smoothing_is_in_the_unit_of_the_affine(self):
        volume = torch.full((1, 12, 12, 12), 20.0)
        volume[..., 6:] += 60
        fine, thick = (MetaTensor(volume, affine=torch.diag(torch.tensor([1.0, 1, z, 1]))) for z in (1.0, 4.0))
        assert not canny(sigma=1)(fine).any()
        assert not canny(sigma=1)(volume).any()  # without an affine in voxels
        assert canny(sigma=1)(thick).any()  # a millimeter is little beside slices of four
        turned = MetaTensor(volume.movedim(3, 1).contiguous(), affine=torch.diag(torch.tensor([4.0, 1, 1, 1])))
        assert canny(sigma=1)(turned)[0].movedim(0, 2).equal(canny(sigma=1)(thick)[0])

    def test_steps_count_the_same_for_any_spacing(self):
        volume = torch.full((1, 9, 9, 9), 20.0)
        volume[:, :, :, 5:] += 51
        spaced = MetaTensor(volume, affine=torch.diag(torch.tensor([1.0, 1, 3, 1])))
        assert torch.equal(canny()(spaced).as_tensor(), canny()(volume))

    def test_ranges_and_missing_voxels_are_as_of_images(self):
        volume = torch.full((1, 12, 12, 12), 20.0)
        volume[..., 6:] += 100
        expected = canny()(volume)
        assert torch.equal(canny(data_range=(-1, 1))(volume / 127.5 - 1), expected)
        holed = volume.clone()
        holed[0, 6, 6, 1] = torch.nan
        edges = canny()(holed)
        missing = torch.zeros(1, 12, 12, 12, dtype=torch.bool)
        missing[:, 4:9, 4:9, :4] = True
        assert torch.equal(edges == 255, missing)
        assert torch.equal(edges[~missing], expected[~missing])


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
        canny(**arguments)


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match=r"one channel, or RGB, got an image of shape \(2, 4, 4\)"):
        canny()(torch.zeros(2, 4, 4))
