import pytest
import torch
from monai.transforms import CenterSpatialCrop

from monai_mtunet.transforms import CenterSquared


@pytest.mark.parametrize("size", [(5, 8), (9, 4), (6, 6), (5, 7, 4)])
def test_it_is_monais_center_crop_of_the_shortest_side(size):
    image = torch.rand(3, *size)
    square = CenterSquared("image")({"image": image})["image"]
    assert torch.equal(square, CenterSpatialCrop([min(size)] * len(size))(image))
