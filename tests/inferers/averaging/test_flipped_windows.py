"""A network that sees flips of its windows is called as the network is."""

import pytest
import torch
from all_tasks import SEGMENT, TASKS, AllTasks
from torch import nn

from monai_mtunet.inferers import FlippedWindows, MultiScaleFlipInferer, MultiTaskSlidingWindowInferer


@pytest.fixture(autouse=True)
def no_grad():
    torch.manual_seed(0)
    with torch.no_grad():
        yield


@pytest.mark.parametrize("size", [(9, 14), (5, 7, 6)])
def test_without_axes_it_is_the_network(size):
    network, windows = AllTasks(len(size)), torch.randn(2, 1, *size)
    result = FlippedWindows(network, TASKS, flip_axes=())(windows)
    expected = network(windows)
    assert list(result) == list(expected)
    assert all(torch.equal(result[name], expected[name]) for name in expected)


@pytest.mark.parametrize(("size", "axes"), [((9, 14), (1,)), ((9, 14), (-2, -1)), ((5, 7, 6), (0, 1, 2))])
def test_it_predicts_what_the_inferer_does_at_one_scale(size, axes):
    network, windows = AllTasks(len(size)), torch.randn(2, 1, *size)
    result = FlippedWindows(network, TASKS, axes)(windows)
    expected = MultiScaleFlipInferer(TASKS, scales=[1], flip_axes=axes)(windows, network)
    assert list(result) == list(expected) == list(network(windows))
    for name, values in expected.items():
        torch.testing.assert_close(result[name], values)
        assert not torch.allclose(result[name], network(windows)[name]) or name == "classify"


def test_by_hand():
    network, windows = AllTasks(), torch.randn(3, 1, 4, 5)
    turned = {name: values.flip(3) for name, values in network(windows.flip(3)).items() if name != "classify"}
    plain, result = network(windows), FlippedWindows(network, TASKS, [1])(windows)
    torch.testing.assert_close(result["depth"], (plain["depth"] + turned["depth"]) / 2)
    torch.testing.assert_close(result["segment"], (plain["segment"] + turned["segment"]).log_softmax(1))
    turned["normals"][:, 0] *= -1
    torch.testing.assert_close(result["normals"], nn.functional.normalize(plain["normals"] + turned["normals"], dim=1))


def test_every_flip_is_seen_once():
    seen = []

    def network(windows):
        seen.append(windows.clone())
        return {"denoise": windows}

    windows = torch.randn(1, 1, 3, 4, 5)
    result = FlippedWindows(network, TASKS, flip_axes=(0, 2, -1, 0))(windows)["denoise"]
    expected = [windows, windows.flip(2), windows.flip(4), windows.flip((2, 4))]
    assert len(seen) == 4
    assert all(torch.equal(one, other) for one, other in zip(seen, expected, strict=True))
    assert torch.equal(result, windows)


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ([[0, 1]], [(), (0, 1)]),
        ([[0, 1], 1], [(), (0,), (1,), (0, 1)]),
        ([[0, -1], 1], [(), (1,), (0, 2), (0, 1, 2)]),
    ],
)
def test_axes_that_are_flipped_together_are_not_flipped_alone(axes, expected):
    seen = []

    def network(windows):
        seen.append(windows.clone())
        return {"denoise": windows}

    windows = torch.randn(1, 1, 3, 4, 5)
    assert torch.equal(FlippedWindows(network, TASKS, axes)(windows)["denoise"], windows)
    flipped = [windows.flip([axis + 2 for axis in flip]) for flip in expected]
    assert all(torch.equal(one, other) for one, other in zip(seen, flipped, strict=True))


def test_in_windows_of_an_image_and_with_its_weights():
    network, image = AllTasks(), torch.randn(1, 1, 8, 12)
    flipped = FlippedWindows(network, TASKS, flip_axes=(0, 1))
    inferer = MultiTaskSlidingWindowInferer(roi_size=(8, 8), overlap=0.5, tasks=TASKS)
    result = inferer(image, flipped)
    torch.testing.assert_close(result["segment"][..., :4], flipped(image[..., :8])["segment"][..., :4])
    assert flipped.state_dict().keys() == {f"network.{name}" for name in network.state_dict()}
    assert not flipped.eval().network.training


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"flip_axes \[2\] are no axes of an image with 2 spatial axes \(0..1\)"):
        FlippedWindows(AllTasks(), TASKS, flip_axes=[1, 2])(torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match=r"predicts \['normals', 'depth', 'denoise', 'classify'\].*\['segment'\]"):
        FlippedWindows(AllTasks(), [SEGMENT], flip_axes=[1])(torch.zeros(1, 1, 4, 4))
