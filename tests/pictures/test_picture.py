import pytest
import torch

from monai_mtunet.pictures.middle_slice import middle_slice
from monai_mtunet.pictures.picture import draw_intensities


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_intensities_are_clipped_to_their_range_and_nan_is_white(channels):
    values = torch.tensor([[-5.0, 0.0, 5.0, 10.0, 20.0, torch.nan]]).expand(channels, 1, 6)
    picture = draw_intensities(values, 0, 10)
    assert picture.shape == (1, 6, 3)
    assert picture[0].tolist() == [[level] * 3 for level in (0, 0, 128, 255, 255, 255)]


def test_three_channels_are_red_green_and_blue():
    values = torch.tensor([0.0, 1.0, 0.2])[:, None, None]
    assert draw_intensities(values, 0, 1).tolist() == [[[0, 255, 51]]]
    assert draw_intensities(values[:2], 0, 1).tolist() == [[[0, 0, 0]]]  # of two the first, in gray


def test_the_middle_slice_has_x_right_and_y_up():
    volume = torch.arange(2 * 3 * 5).reshape(1, 2, 3, 5)
    assert middle_slice(volume).tolist() == [[[12, 27], [7, 22], [2, 17]]]
    image = volume[..., 0]
    assert torch.equal(middle_slice(image), image)
