import pytest
import torch
import torch.nn.functional as F
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import Resized

from monai_mtunet.tasks import DepthTask, InstanceTask, NormalsTask, RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import RandZoomGeometryd

NAN = torch.nan
SIZES = pytest.mark.parametrize("size", [(12, 20), (12, 10, 14)])
ZOOMS = pytest.mark.parametrize("factor", [0.5, 0.8, 1.2, 1.5, 2.0, 3.7])
KEYS = ["image", "segment", "depth", "disparity", "normals"]
SEGMENT = SegmentationTask("segment", list("abcde"))
DEPTH = DepthTask("depth")
TASKS = TaskList([SEGMENT, DEPTH, DepthTask("disparity", quantity="disparity"), NormalsTask("normals")])


def sample(*size):
    generator = torch.Generator().manual_seed(0)
    depth = torch.rand(1, *size, generator=generator) + 1
    depth[0, 3] = NAN
    return {
        "image": MetaTensor(torch.rand(3, *size, generator=generator) * 255),
        "segment": MetaTensor(torch.randint(0, 5, (1, *size), generator=generator, dtype=torch.int16)),
        "depth": MetaTensor(depth),
        "disparity": 10 / MetaTensor(depth),
        "normals": MetaTensor(F.normalize(torch.randn(3, *size, generator=generator), dim=0)),
    }


def zoom_by(factor, **arguments):
    return RandZoomGeometryd(TASKS, zoom=[factor], **arguments).set_random_state(0)


def zoom_image(*arguments, **more):
    """A zoom of images without targets."""
    return RandZoomGeometryd(TaskList([DEPTH]), *arguments, **more, allow_missing_keys=True)


def coordinates(*size):
    """A map of each axis' voxel numbers: what a zoomed voxel shows tells where it comes from."""
    grids = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in size), indexing="ij")
    return torch.stack(grids)


def places(factor, size, seed=0):
    """Zoomed coordinates: interpolated linearly (those of voxels without a neighbor are missing), and nearest."""
    tasks = TaskList([RestorationTask("linear", len(size)), RestorationTask("nearest", len(size))])
    zoom = RandZoomGeometryd(tasks, [factor], linear_names="linear").set_random_state(seed)
    grid = coordinates(*size)
    after = zoom({"image": grid, "linear": grid.clone(), "nearest": grid.clone()})
    return after["image"], after["linear"], after["nearest"]


@SIZES
@ZOOMS
def test_all_keys_come_from_the_same_places_at_the_pitch_of_the_zoom(size, factor):
    image, linear, nearest = places(factor, size)
    within = ~nearest.isnan()
    assert torch.equal(within, ~linear.isnan())
    torch.testing.assert_close(image[within], linear[within])
    assert (nearest - linear)[within].abs().max() <= 0.5 + 1e-9
    for axis, n in enumerate(size):
        steps = image[axis].movedim(axis, 0).flatten(start_dim=1)[:, 0]
        inner = steps[(steps > 0) & (steps < n - 1)]
        torch.testing.assert_close(inner.diff(), torch.full((len(inner) - 1,), 1 / factor, dtype=torch.float64))


@SIZES
@ZOOMS
def test_values_keep_their_geometry(size, factor):
    before = sample(*size)
    after = zoom_by(factor)(before)
    for key in KEYS:
        assert after[key].shape == before[key].shape
        assert after[key].dtype == before[key].dtype
        assert isinstance(after[key], MetaTensor)
        assert torch.equal(after[key].affine, before[key].affine)
    depth, disparity = after["depth"].as_tensor(), after["disparity"].as_tensor()
    torch.testing.assert_close(depth * disparity, torch.where(depth.isnan(), NAN, 10), equal_nan=True)
    valid = ~depth.isnan()
    assert torch.isin((depth[valid] * factor * 1e4).round(), (before["depth"].as_tensor() * 1e4).round()).all()
    normals = after["normals"].as_tensor()
    known = ~normals.isnan().any(dim=0)
    assert known.any()
    torch.testing.assert_close(normals.norm(dim=0)[known], torch.ones(int(known.sum())))
    assert after["image"].isfinite().all()


def test_golden_double_size():
    image = torch.arange(16.0).reshape(1, 4, 4)
    zoom = RandZoomGeometryd(TaskList([DEPTH]), [2.0])
    zoom.randomize = lambda size: None  # the lower right quarter
    zoom._do_transform, zoom.factor, zoom.starts = True, 2.0, [2.0, 2.0]
    after = zoom({"image": image, "depth": image + 1})
    expected = (image[0, 2:, 2:] + 1).repeat_interleave(2, dim=0).repeat_interleave(2, dim=1) / 2
    assert torch.equal(after["depth"][0], expected)
    # At row 2 - 0.25, column 2 - 0.25 of the whole image, not of the crop; then every half voxel, to the edge.
    at = torch.tensor([1.75, 2.25, 2.75, 3.0])
    torch.testing.assert_close(after["image"][0], 4 * at[:, None] + at)


@SIZES
def test_the_image_is_interpolated_as_torch_does(size):
    before = sample(*size)["image"].as_tensor()
    after = zoom_image([2.0]).set_random_state(3)
    zoomed = after({"image": before})["image"]
    grid = torch.stack([2 * (p + 0.5) / n - 1 for p, n in zip(*_positions(after, size), strict=True)][::-1], dim=-1)
    expected = F.grid_sample(before[None], grid[None].float(), padding_mode="border", align_corners=False)[0]
    torch.testing.assert_close(zoomed, expected, rtol=1e-4, atol=1e-2)


def _positions(zoom, size):
    axes = [start + (torch.arange(n) + 0.5) / zoom.factor - 0.5 for start, n in zip(zoom.starts, size, strict=True)]
    return torch.meshgrid(*axes, indexing="ij"), size


@SIZES
@pytest.mark.parametrize("factor", [0.5, 0.8])
def test_new_borders_are_missing_in_targets_and_the_edge_in_the_image(size, factor):
    before = sample(*size)
    before["depth"] = before["depth"].nan_to_num(1.5)
    after = zoom_by(factor)(before)
    missing = after["segment"] == 255
    share = 1 - missing.float().mean().item()
    assert share == pytest.approx(factor ** len(size), rel=0.25)
    assert torch.equal(missing, after["depth"].isnan())
    assert torch.equal(missing.expand_as(after["normals"]), after["normals"].isnan())
    image, _, nearest = places(factor, size)
    for axis, n in enumerate(size):
        outside = nearest[axis].isnan()
        assert image[axis].min() == 0
        assert image[axis].max() == n - 1
        assert outside.any()


@SIZES
def test_resized_label_maps_are_ignored_beyond_their_border(size):
    before = sample(*size)
    resized = Resized(["image", "segment", "depth"], [2 * n for n in size], mode=["area", *["nearest-exact"] * 2])(
        before
    )
    assert resized["segment"].dtype == torch.float32
    tasks = TaskList([SegmentationTask("segment", list("abcde"), ignore_index=99), DEPTH])
    zoom = RandZoomGeometryd(tasks, [0.5]).set_random_state(0)
    after = zoom({**resized, "depth": resized["depth"].nan_to_num(1.5)})
    outside = after["depth"].as_tensor().isnan()
    assert outside.float().mean() == pytest.approx(1 - 0.5 ** len(size), abs=0.1)
    segment = after["segment"].as_tensor()
    assert segment.dtype == torch.float32
    assert torch.equal(segment == 99, outside)
    assert set(segment[~outside].unique().tolist()) <= {0, 1, 2, 3, 4}


def test_instances_are_missing_beyond_their_border():
    tasks = TaskList([SEGMENT, InstanceTask("instances", "segment", method="components")])
    sample = {"image": torch.rand(1, 8, 8), **dict.fromkeys(tasks.names, torch.ones(1, 8, 8, dtype=torch.int32))}
    after = RandZoomGeometryd(tasks, [0.5]).set_random_state(0)(sample)
    assert after["segment"].unique().tolist() == [1, 255]
    assert after["instances"].unique().tolist() == [-1, 1]


@SIZES
def test_missing_voxels_do_not_spread(size):
    for seed in range(5):
        after = zoom_by(1.5).set_random_state(seed)(sample(*size))["depth"].as_tensor()
        _, _, nearest = places(1.5, size, seed)
        assert torch.equal(after[0].isnan(), nearest[0] == 3)


def test_a_clean_image_goes_with_the_noisy_one():
    image = sample(12, 20)["image"]
    for factor in (0.5, 1.5):
        tasks = TaskList([RestorationTask("denoise", 3)])
        zoom = RandZoomGeometryd(tasks, [factor], linear_names="denoise").set_random_state(0)
        after = zoom({"image": image, "denoise": image.clone()})
        clean = after["denoise"].as_tensor()
        valid = ~clean.isnan()
        assert torch.equal(clean[valid], after["image"].as_tensor()[valid])
        assert valid.all() == (factor > 1)


def test_images_of_8_bits_stay_so_and_are_rounded():
    image = torch.tensor([[[0, 255]]], dtype=torch.uint8).expand(3, 4, 2)
    after = zoom_image([2.0]).set_random_state(0)({"image": image})["image"]
    floating = zoom_image([2.0]).set_random_state(0)({"image": image.float()})["image"]
    assert after.dtype == torch.uint8
    assert torch.equal(after.float(), floating.round())


def test_factors_are_chosen_or_sampled_and_parts_lie_anywhere():
    choose = zoom_image((1.0, 1.2, 1.5)).set_random_state(0)
    sample_factor = zoom_image((0.5, 2.0), continuous=True).set_random_state(0)
    factors, sampled, starts = [], [], []
    for _ in range(400):
        choose.randomize((10, 20))
        sample_factor.randomize((10, 20))
        factors.append(choose.factor)
        sampled.append(sample_factor.factor)
        starts.append(sample_factor.starts[1] / (20 - 20 / sample_factor.factor))
    assert set(factors) == {1.0, 1.2, 1.5}
    assert 0.5 <= min(sampled) < 0.55
    assert 1.95 < max(sampled) <= 2
    assert 0 <= min(starts) < 0.05
    assert 0.95 < max(starts) <= 1


def test_a_factor_of_1_or_a_probability_of_0_changes_nothing():
    before = sample(12, 20)
    for zoom in (zoom_by(1.0), zoom_by(2.0, prob=0.0)):
        after = zoom(before)
        assert all(after[key] is before[key] for key in KEYS)


def test_follows_its_random_state_and_collates():
    before = sample(12, 20)
    zoom = RandZoomGeometryd(TASKS, (0.7, 2.0), continuous=True)
    first = [zoom.set_random_state(5)(before)["image"] for _ in range(2)]
    assert torch.equal(first[0], first[1])
    (batch,) = DataLoader(Dataset([before] * 4, zoom), batch_size=4)
    assert batch["depth"].shape == (4, 1, 12, 20)
    assert not torch.equal(batch["image"][0], batch["image"][1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zoom": (1, 0)}, r"zoom must hold positive factors, got \(1, 0\)"),
        ({"zoom": ()}, "zoom must hold positive factors"),
        ({"zoom": (1, 2, 3), "continuous": True}, r"zoom must be \(lowest, highest\), got \(1, 2, 3\)"),
        ({"zoom": (2, 1), "continuous": True}, r"zoom must be \(lowest, highest\), got \(2, 1\)"),
        ({"linear_names": "denoise"}, r"linear_names \('denoise',\) must be among \('depth',\)"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoom_image(**arguments)


def test_samples_must_be_of_one_size():
    with pytest.raises(ValueError, match=r"spatial sizes differ: \{'image': \(3, 12, 20\), 'depth': \(1, 12, 19\)\}"):
        RandZoomGeometryd(TaskList([DEPTH]))({"image": torch.rand(3, 12, 20), "depth": torch.rand(1, 12, 19)})


def test_missing_keys():
    zoom = RandZoomGeometryd(TASKS, [2.0], allow_missing_keys=True)
    assert set(zoom({"image": torch.rand(3, 4, 4)})) == {"image"}
    with pytest.raises(KeyError, match="segment"):
        RandZoomGeometryd(TASKS, [2.0])({"image": torch.rand(3, 4, 4)})
