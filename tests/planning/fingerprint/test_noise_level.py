"""Noise is told from the image alone."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from monai_mtunet.planning.fingerprint.noise_level import noise_level


@pytest.mark.parametrize("shape", [(120, 90), (40, 30, 5), (3, 60, 50)])
@pytest.mark.parametrize("sigma", [0.5, 20.0])
def test_of_a_smooth_image_with_edges(shape, sigma):
    rng = np.random.default_rng(0)
    smooth = 300 * gaussian_filter(rng.normal(size=shape), 8)
    smooth[tuple(slice(n // 3, n // 2) for n in shape)] += 500
    noisy = (smooth + rng.normal(0, sigma, shape)).astype(np.float32)
    assert noise_level(noisy) == pytest.approx(sigma, rel=0.15)


def test_what_is_cut_off_does_not_count():
    rng = np.random.default_rng(0)
    values = rng.normal(100, 5, (60, 60))
    values[:, :45] = 0
    assert noise_level(values) == pytest.approx(5, rel=0.25)


def test_where_nothing_is_left():
    assert noise_level(np.zeros((20, 20))) == 0
    assert noise_level(np.ones((2, 20))) == 0
