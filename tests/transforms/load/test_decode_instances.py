import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image

from monai_mtunet.data import CITYSCAPES as CITYSCAPES_LABELS
from monai_mtunet.transforms import DecodeInstancesd, LoadSampled

TABLES = {"things": CITYSCAPES_LABELS.thing_labels, "ignored": CITYSCAPES_LABELS.ignored_labels}


def decoded(encoding, **arguments):
    """Instances and labels of codes."""
    transform = DecodeInstancesd("instances", encoding, label_keys="segment", **arguments)
    return lambda codes: tuple(transform({"instances": codes}).values())


# By json2instanceImg.py: two cars, a pedestrian; a group of cars; road, sky; unlabeled, parking; a caravan.
CITYSCAPES = [[26000, 26001, 24000], [26, 7, 23], [0, 9, 29000]]
# By the README of KITTI's development kit: the same, and a building with a number.
KITTI = [[26 * 256 + 1, 26 * 256 + 2, 24 * 256 + 1], [26 * 256, 7 * 256, 23 * 256], [0, 9 * 256, 29 * 256 + 1]]
INSTANCES = [[2, 3, 1], [-1, 0, 0], [-1, -1, -1]]
LABELS = [[26, 26, 24], [26, 7, 23], [0, 9, 29]]


@pytest.mark.parametrize(("encoding", "codes"), [("cityscapes", CITYSCAPES), ("kitti", KITTI)])
class TestBothEncodings:
    @pytest.mark.parametrize("dtype", [torch.uint16, torch.int32, torch.int64, torch.float32])
    def test_golden_values(self, encoding, codes, dtype):
        instances, labels = decoded(encoding, **TABLES)(torch.tensor([codes]).to(dtype))
        assert instances.dtype == torch.int32
        assert labels.dtype == torch.int16
        assert instances[0].tolist() == INSTANCES
        assert labels[0].tolist() == LABELS

    def test_files_are_decoded_as_loaded(self, encoding, codes, tmp_path):
        path = tmp_path / "frame.png"
        Image.fromarray(np.array(codes, dtype=np.uint16)).save(path)
        decode = DecodeInstancesd("instances", encoding, label_keys="segment", **TABLES)
        sample = decode(LoadSampled("instances")({"instances": path}))
        assert isinstance(sample["instances"], MetaTensor)
        assert sample["instances"].meta["filename_or_obj"] == str(path)
        assert sample["instances"][0].tolist() == INSTANCES
        assert sample["segment"][0].tolist() == LABELS
        assert set(DecodeInstancesd("instances", encoding, **TABLES)({"instances": torch.tensor([codes])})) == {
            "instances"
        }

    def test_an_image_without_objects(self, encoding, codes):
        road = 7 if encoding == "cityscapes" else 7 * 256
        instances, labels = decoded(encoding, **TABLES)(torch.full((1, 3, 4), road))
        assert not instances.any()
        assert (labels == 7).all()

    def test_the_other_encoding_is_noticed(self, encoding, codes, tmp_path):
        other = "kitti" if encoding == "cityscapes" else "cityscapes"
        with pytest.raises(ValueError, match=rf"instances \(in memory\) holds \d+, which is not '{other}': label"):
            DecodeInstancesd("instances", other, **TABLES)({"instances": torch.tensor([codes])})

    def test_8_bit_files_are_refused(self, encoding, codes, tmp_path):
        path = tmp_path / "frame.png"
        Image.fromarray(np.full((4, 5), 26, dtype=np.uint8)).save(path)
        decode = DecodeInstancesd("instances", encoding, **TABLES)
        with pytest.raises(ValueError, match=r"instances \(.*frame\.png\) is stored as uint8, but an instance"):
            decode(LoadSampled("instances")({"instances": path}))

    @pytest.mark.parametrize("value", [0.5, -1, 65536, torch.nan])
    def test_other_values_are_refused(self, encoding, codes, value):
        with pytest.raises(ValueError, match=rf"instances \(in memory\) holds {value}, .* Decode it once"):
            decoded(encoding, **TABLES)(torch.tensor([[[26.0, value]]]))


def test_objects_of_other_labels_are_no_instances():
    instances, labels = decoded("kitti", things=[26])(torch.tensor([[[26 * 256 + 3, 11 * 256 + 1, 24 * 256 + 1]]]))
    assert instances.tolist() == [[[1, 0, 0]]]
    assert labels.tolist() == [[[26, 11, 24]]]


def test_ignored_things_are_missing():
    decode = decoded("cityscapes", things=[26, 29], ignored=[29])
    assert decode(torch.tensor([[[29000, 26000, 29]]]))[0].tolist() == [[[-1, 1, -1]]]


def test_license_plates_of_8_bits():
    assert decoded("kitti", **TABLES)(torch.tensor([[[255 * 256]]]))[0].item() == -1


def test_an_unknown_encoding():
    with pytest.raises(ValueError, match='must be "cityscapes" or "kitti", got \'coco\''):
        DecodeInstancesd("instances", "coco", things=[26])


def test_missing_keys():
    with pytest.raises(KeyError, match="instances"):
        DecodeInstancesd("instances", "kitti", things=[26])({})
    decode = DecodeInstancesd("instances", "kitti", things=[26], allow_missing_keys=True)
    assert decode({"image": 1}) == {"image": 1}
