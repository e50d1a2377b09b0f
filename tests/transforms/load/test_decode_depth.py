import numpy as np
import pytest
import torch
from PIL import Image

from monai_mtunet.tasks import DepthTask, TaskList
from monai_mtunet.transforms import DecodeDepthd, LoadSampled

CODES = np.array([[0, 1, 256], [1000, 20480, 65535]], np.uint16)


@pytest.mark.parametrize("divisor", [256, 1000])
def test_depth_of_files_is_in_meters(tmp_path, divisor):
    Image.fromarray(CODES).save(tmp_path / "d.png")
    sample = LoadSampled("depth", tasks=TaskList([DepthTask("depth")]))({"depth": tmp_path / "d.png"})
    depth = DecodeDepthd("depth", divisor)(sample)["depth"]
    expected = np.where(CODES == 0, np.nan, CODES / divisor)
    np.testing.assert_allclose(depth[0], expected, rtol=1e-6)
    assert depth.dtype == torch.float32


def test_what_is_missing_or_too_far_is_nan():
    depth = DecodeDepthd("d", 1000, missing=65535, max_depth=10)({"d": torch.from_numpy(CODES.astype(np.int32))[None]})
    np.testing.assert_allclose(depth["d"][0], [[0, 0.001, 0.256], [1, np.nan, np.nan]], rtol=1e-6)


def test_8_bits_are_refused(tmp_path):
    Image.fromarray(CODES.astype(np.uint8)).save(tmp_path / "d.png")
    sample = LoadSampled("depth")({"depth": tmp_path / "d.png"})
    with pytest.raises(ValueError, match=r"depth \(.*d\.png\) is stored as uint8, but depth is coded in 16 bits"):
        DecodeDepthd("depth", 256)(sample)
    with pytest.raises(ValueError, match="divisor must be a positive number"):
        DecodeDepthd("depth", 0)
