"""An image of another kind than those of training is predicted, but not without a word."""

import logging

import numpy as np
import pytest
import tifffile
import torch
from monai.transforms import Compose, NormalizeIntensityd

from monai_mtunet.prediction.far_intensities import tell_far_intensities
from monai_mtunet.prediction.predictor import Predictor

WHOLE, BLOCKS = 1e9, 1e5  # bytes


@pytest.mark.parametrize("memory", [WHOLE, BLOCKS])
@pytest.mark.parametrize(("dtype", "factor", "told"), [(np.uint8, 1, 0), (np.uint16, 257, 1)])
def test_sixteen_bits_where_training_had_eight(tmp_path, make_parts, caplog, memory, dtype, factor, told):
    values = np.random.default_rng(0).integers(0, 255, (11, 30, 13)).astype(dtype) * dtype(factor)
    tifffile.imwrite(tmp_path / "scan.tif", values)
    with caplog.at_level(logging.WARNING):
        Predictor(make_parts(), memory).predict([str(tmp_path / "scan.tif")], tmp_path / "out" / "scan")
    assert len(caplog.messages) == told
    assert not told or "scan.tif: half of its intensities are more than" in caplog.messages[0]


def test_where_the_configuration_does_not_say_what_is_usual_nothing_is_told(caplog):
    far = torch.full((1, 4, 4), 1000.0)
    for steps in ([], [NormalizeIntensityd("image")], [NormalizeIntensityd("depth", subtrahend=0, divisor=1)]):
        tell_far_intensities("a.png", Compose(steps), far)
    assert not caplog.messages
    tell_far_intensities("a.png", Compose([NormalizeIntensityd("image", subtrahend=[0], divisor=[1])]), far)
    assert len(caplog.messages) == 1
