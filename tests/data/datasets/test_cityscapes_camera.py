import json

import pytest

from monai_mtunet.data import LoadCityscapesCamerad

CAMERA = {
    "extrinsic": {"baseline": 0.209313, "pitch": 0.038, "x": 1.7},
    "intrinsic": {"fx": 2262.52, "fy": 2265.30, "u0": 1096.98, "v0": 513.137},
}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "aachen_000000_000019_camera.json"
    path.write_text(json.dumps(CAMERA))
    return path


def test_focal_length_and_baseline_replace_the_file(file):
    sample = {"image": "a.png", "camera": str(file)}
    assert LoadCityscapesCamerad()(sample) == {"image": "a.png", "focal_length": 2262.52, "baseline": 0.209313}
    assert sample["camera"] == str(file)  # the given sample is left alone
    renamed = LoadCityscapesCamerad("camera", focal_length_key="f", baseline_key="b")(sample)
    assert renamed == {"image": "a.png", "f": 2262.52, "b": 0.209313}


def test_missing_and_damaged_files_are_named(file):
    load = LoadCityscapesCamerad()
    file.write_text('{"extrinsic": ')
    with pytest.raises(ValueError, match=r"camera: .*aachen_000000_000019_camera\.json is not JSON"):
        load({"camera": str(file)})
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"camera: .*aachen_000000_000019_camera\.json does not exist"):
        load({"camera": str(file)})
    with pytest.raises(KeyError, match="camera"):
        load({"image": "a.png"})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"intrinsic": {"fy": 2265.3}}, r"must hold intrinsic\.fx, a number above 0, got None"),
        ({"extrinsic": {"baseline": 0}}, r"must hold extrinsic\.baseline, a number above 0, got 0\."),
        ({"extrinsic": [0.2]}, r"must hold extrinsic\.baseline, a number above 0, got None"),
        ({"extrinsic": {"baseline": "0.2"}}, r"must hold extrinsic\.baseline"),
        ({"intrinsic": {"fx": float("nan")}}, r"must hold intrinsic\.fx, a number above 0, got nan"),
    ],
)
def test_cameras_without_their_numbers(file, change, match):
    file.write_text(json.dumps({**CAMERA, **change}))
    with pytest.raises(ValueError, match=match):
        LoadCityscapesCamerad()({"camera": str(file)})


def test_a_frame_may_have_no_camera():
    assert LoadCityscapesCamerad()({"camera": None, "image": "a"}) == {"image": "a"}
