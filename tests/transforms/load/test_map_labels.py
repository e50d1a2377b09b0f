"""What the documentation says about MONAI's mapping of labels; the package needs none of its own."""

import numpy as np
import pytest
import torch
from monai.transforms import MapLabelValued


@pytest.mark.parametrize("dtype", ["int16", np.int16, torch.int16])
def test_map_label_value_keeps_the_ignore_index_and_what_is_not_listed(dtype):
    labels = torch.tensor([[0, 1, 2, 11, 255]], dtype=torch.int16)
    mapped = MapLabelValued("segment", [0, 1, 11], [1, 0, 255], dtype=dtype)({"segment": labels})["segment"]
    assert mapped.tolist() == [[1, 0, 2, 255, 255]]
    assert mapped.dtype == torch.int16


def test_map_label_value_without_a_type_gives_float():
    """Why the documentation insists on ``dtype``; when this fails, it can go."""
    assert MapLabelValued("s", [0], [1])({"s": torch.zeros(1, 2, dtype=torch.int16)})["s"].dtype == torch.float32
