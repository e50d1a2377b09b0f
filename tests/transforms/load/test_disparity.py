import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image

from monai_mtunet.transforms import DecodeDisparityd, DisparityToDepthd, LoadSampled

NAN = torch.nan


class TestDecode:
    # (value - 1) / 256, 0 is missing: the README of cityscapesScripts.
    codes = np.array([[0, 1, 2, 257], [32257, 65535, 0, 129]], dtype=np.uint16)
    disparity = torch.tensor([[NAN, 0.0, 1 / 256, 1.0], [126.0, 65534 / 256, NAN, 0.5]])

    @pytest.mark.parametrize("dtype", [torch.uint16, torch.int32, torch.int64, torch.float32, torch.float64])
    def test_golden_values(self, dtype):
        decoded = DecodeDisparityd("depth")({"depth": torch.from_numpy(self.codes.astype(np.int64))[None].to(dtype)})
        assert decoded["depth"].dtype == torch.float32
        torch.testing.assert_close(decoded["depth"][0], self.disparity, rtol=0, atol=0, equal_nan=True)

    def test_16_bit_files_are_decoded_as_loaded(self, tmp_path):
        path = tmp_path / "frame_disparity.png"
        Image.fromarray(self.codes).save(path)
        decoded = DecodeDisparityd("depth")(LoadSampled("depth")({"depth": path}))["depth"]
        assert isinstance(decoded, MetaTensor)
        torch.testing.assert_close(decoded[0].as_tensor(), self.disparity, rtol=0, atol=0, equal_nan=True)

    @pytest.mark.parametrize("mode", ["L", "RGB", "P"])
    def test_8_bit_files_are_refused(self, tmp_path, mode):
        path = tmp_path / "frame.png"
        Image.fromarray(np.full((4, 5), 77, dtype=np.uint8)).convert(mode).save(path)
        with pytest.raises(ValueError, match=r"depth \(.*frame\.png\) is stored as uint8, but .* 16 bits"):
            DecodeDisparityd("depth")(LoadSampled("depth")({"depth": path}))

    @pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.bool])
    def test_8_bit_types_are_refused(self, dtype):
        with pytest.raises(ValueError, match=f"in memory\\) is stored as {dtype}, but"):
            DecodeDisparityd("depth")({"depth": torch.ones(1, 2, 2, dtype=dtype)})

    @pytest.mark.parametrize("value", [0.5, -1, 65536, NAN, torch.inf])
    def test_other_values_are_refused(self, value):
        with pytest.raises(ValueError, match=rf"holds {value}, but coded .* within 0-65535\. Decode it once"):
            DecodeDisparityd("depth")({"depth": torch.tensor([[[3.0, value]]])})

    def test_maps_without_a_valid_pixel_are_refused(self, tmp_path):
        path = tmp_path / "frame_disparity.png"
        Image.fromarray(np.zeros((4, 5), dtype=np.uint16)).save(path)
        remedy = r"has no valid pixel: all are 0\. Leave the sample out, or set its path to null"
        with pytest.raises(ValueError, match=rf"depth \(.*frame_disparity\.png\) {remedy}"):
            DecodeDisparityd("depth")(LoadSampled("depth")({"depth": path}))
        with pytest.raises(ValueError, match=rf"far \(in memory\) {remedy}"):
            DecodeDisparityd("far")({"far": torch.zeros(1, 2, 2, dtype=torch.int32)})
        one = DecodeDisparityd("depth")({"depth": torch.tensor([[[0, 1]]])})["depth"]  # a disparity of 0 is valid
        torch.testing.assert_close(one, torch.tensor([[[NAN, 0.0]]]), equal_nan=True)

    def test_missing_keys(self):
        with pytest.raises(KeyError, match="depth"):
            DecodeDisparityd("depth")({})
        assert DecodeDisparityd("depth", allow_missing_keys=True)({"image": 1}) == {"image": 1}


class TestToDepth:
    disparity = torch.tensor([[[50.0, 0.0, NAN, -3.0, 0.5]]])
    depth = torch.tensor([[[10.0, NAN, NAN, NAN, 1000.0]]])  # of 2500 px and 0.2 m

    @pytest.mark.parametrize(
        ("camera", "more"),
        [
            ({"focal_length": 2500, "baseline": 0.2}, {}),
            ({"focal_length": "fx", "baseline": 0.2}, {"fx": 2500.0}),
            ({"focal_length": "fx", "baseline": "b"}, {"fx": torch.tensor([2500.0]), "b": np.float64(0.2)}),
        ],
    )
    def test_golden_values(self, camera, more):
        converted = DisparityToDepthd("depth", **camera)({"depth": MetaTensor(self.disparity), **more})["depth"]
        assert isinstance(converted, MetaTensor)
        torch.testing.assert_close(converted.as_tensor(), self.depth, equal_nan=True)

    @pytest.mark.parametrize(("max_depth", "kept"), [(None, 4), (5000, 3), (1000, 2), (80, 1)])
    def test_what_is_farther_than_the_limit_is_missing(self, max_depth, kept):
        """Codes of Cityscapes' files, with its focal length and baseline: 24 m, 947 m, 4.7 km and 121 km."""
        codes = torch.tensor([[[1 + 256 * 20, 129, 27, 2, 0]]])
        decoded = DecodeDisparityd("depth")({"depth": MetaTensor(codes)})
        depth = DisparityToDepthd("depth", 2262.52, 0.209313, max_depth=max_depth)(decoded)["depth"]
        expected = torch.tensor([[[23.678, 947.14, 4662.8, 121234.0, NAN]]])
        expected[..., kept:] = NAN
        assert isinstance(depth, MetaTensor)
        torch.testing.assert_close(depth.as_tensor(), expected, rtol=1e-4, atol=0, equal_nan=True)

    def test_a_depth_of_the_limit_is_kept(self):
        depth = DisparityToDepthd("depth", 2500, 0.2, max_depth=10)({"depth": self.disparity})["depth"]
        assert depth[0, 0, 0] == 10
        assert depth[0, 0, 1:].isnan().all()

    @pytest.mark.parametrize("value", [0, -80, float("nan"), float("inf")])
    def test_the_limit_must_be_positive(self, value):
        with pytest.raises(ValueError, match=f"max_depth must be a positive number, got {value:g}"):
            DisparityToDepthd("depth", 2500, 0.2, max_depth=value)

    @pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
    def test_cameras_need_positive_numbers(self, value):
        with pytest.raises(ValueError, match=f"focal_length must be a positive number, got {value:g}"):
            DisparityToDepthd("depth", value, 0.2)
        with pytest.raises(
            ValueError, match=rf"baseline \(the sample's 'b'\) must be a positive number, got {value:g}"
        ):
            DisparityToDepthd("depth", 2500, "b")({"depth": self.disparity, "b": value})

    def test_a_sample_without_its_camera_is_named(self):
        with pytest.raises(ValueError, match=r"no 'fx', its focal_length; it holds \['depth'\]"):
            DisparityToDepthd("depth", "fx", 0.2)({"depth": self.disparity})
