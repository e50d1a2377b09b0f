import pytest
import torch
from monai.data import MetaTensor
from skimage.color import lab2rgb

from monai_mtunet.transforms import SplitColord


def split(**arguments):
    """Lightness and color of an image."""
    transform = SplitColord("image", "color", **arguments)
    return lambda image: transform({"image": image}).values()


def test_golden_of_the_primaries():
    # CIELAB (D65) of the sRGB primaries: 53.24, 80.09, 67.20; 87.73, -86.18, 83.18; 32.30, 79.19, -107.86.
    lightness, color = split()(255 * torch.eye(3)[:, None])
    torch.testing.assert_close(lightness[0, 0] * 50 + 50, torch.tensor([53.24, 87.73, 32.30]), atol=0.02, rtol=0)
    expected = torch.tensor([[80.09, -86.18, 79.19], [67.20, 83.18, -107.86]])
    torch.testing.assert_close(color[:, 0] * 128, expected, atol=0.05, rtol=0)


def test_all_are_within_minus_one_and_one_and_gray_has_no_color():
    generator = torch.Generator().manual_seed(0)
    lightness, color = split(data_range=(0, 1))(torch.rand(3, 20, 20, generator=generator))
    assert lightness.abs().max() <= 1
    assert color.abs().max() <= 1
    assert (lightness.shape, color.shape) == ((1, 20, 20), (2, 20, 20))
    gray = torch.linspace(0, 255, 9).expand(3, 1, 9)
    lightness, color = split()(gray)
    assert color.abs().max() < 1e-3
    assert lightness[0, 0, [0, -1]].tolist() == pytest.approx([-1, 1])


def test_nothing_is_lost():
    image = 255 * torch.rand(3, 6, 5, generator=torch.Generator().manual_seed(0))
    lightness, color = split()(image)
    lab = torch.cat([lightness * 50 + 50, color * 128]).numpy()
    torch.testing.assert_close(torch.from_numpy(lab2rgb(lab, channel_axis=0)) * 255, image, atol=0.1, rtol=0)


def test_the_image_becomes_lightness_and_missing_stays_missing():
    image = MetaTensor(torch.full((3, 4, 4), 100.0), meta={"filename_or_obj": "cat.png"})
    image[:, 0, 0] = torch.nan
    sample = SplitColord("image", "color")({"image": image})
    assert sample["image"].shape == (1, 4, 4)
    assert sample["image"].meta["filename_or_obj"] == "cat.png"
    assert sample["color"].isnan().sum() == 2
    assert sample["color"].dtype == sample["image"].dtype == torch.float32


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 4, 4, 4)])
def test_only_images_with_three_channels_have_color(shape):
    with pytest.raises(ValueError, match=rf"three channels .* got shape \({shape[0]}, 4, 4"):
        split()(torch.zeros(shape))


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="data_range must be"):
        split(data_range=(1, 0))
