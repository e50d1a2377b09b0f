from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor

from monai_mtunet.data import NYUV2, LoadMTANArraysd, mtan_datalist
from monai_mtunet.tasks import SegmentationTask, TaskList
from monai_mtunet.transforms import CheckSampled, FillMissingTargetsd

SIZE = (6, 8)
ALL = {"segment": "label", "depth": "depth", "normals": "normal"}
TASKS = TaskList([SegmentationTask("segment", NYUV2.classes, palette=NYUV2.palette)])


def frame(seed):
    """A frame as in NYUv2: with pixels that have no class (0, 0), no depth (0, 1), no normal (0, 2)."""
    rng = np.random.RandomState(seed)
    label = rng.randint(0, 13, SIZE).astype(np.float64)
    depth = rng.uniform(0.7, 10, (*SIZE, 1)).astype(np.float32)
    normal = rng.normal(size=(*SIZE, 3))
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    normal[1, 1] = (0, 0, -1)  # two zeros are not missing
    label[0, 0], depth[0, 1], normal[0, 2] = -1, 0, 0
    return {"image": rng.uniform(0, 1, (*SIZE, 3)), "label": label, "depth": depth, "normal": normal}


@pytest.fixture
def arrays(tmp_path):
    for section, count in (("train", 11), ("val", 2)):
        for i in range(count):
            for kind, values in frame(i).items():
                (tmp_path / section / kind).mkdir(parents=True, exist_ok=True)
                np.save(tmp_path / section / kind / f"{i}.npy", values)
    return tmp_path


def replace(arrays, kind, values):
    """Write the array of frame 0 anew, and return the sample's paths."""
    np.save(arrays / "train" / kind / "0.npy", values)
    return mtan_datalist(arrays, "train", ALL)[0]


def test_frames_are_in_the_order_of_their_numbers(arrays, monkeypatch):
    monkeypatch.chdir(arrays.parent)
    datalist = mtan_datalist(arrays.name, "train")
    assert [Path(item["image"]).stem for item in datalist] == [str(i) for i in range(11)]
    assert datalist[10] == {
        "image": str(arrays / "train/image/10.npy"),
        "segment": str(arrays / "train/label/10.npy"),
        "depth": str(arrays / "train/depth/10.npy"),
    }
    assert len(mtan_datalist(arrays, "val")) == 2
    assert mtan_datalist(arrays, "val", ALL)[1]["normals"] == str(arrays / "val/normal/1.npy")


def test_cityscapes_has_two_label_folders(arrays):
    (arrays / "val" / "label").rename(arrays / "val" / "label_7")
    targets = {"segment": "label_7", "disparity": "depth"}
    assert mtan_datalist(arrays, "val", targets)[0]["segment"] == str(arrays / "val/label_7/0.npy")
    with pytest.raises(FileNotFoundError, match=r"no folder label, but \['depth', .*'label_7'.*https://github.*mtan"):
        mtan_datalist(arrays, "val")


def test_counts_that_differ_and_gaps_are_named(arrays):
    (arrays / "train" / "depth" / "10.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"32 of 33 files .*missing: .*train/depth/10\.npy.*--dataset_dir"):
        mtan_datalist(arrays)
    for kind in ("image", "label", "depth"):
        (arrays / "val" / kind / "0.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"3 of 6 files .*missing: .*val/image/0\.npy"):
        mtan_datalist(arrays, "val")


def test_missing_folder_setting_and_section(arrays, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere is no folder.*--dataset_dir"):
        mtan_datalist(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="No folder was given for MTAN's arrays"):
        mtan_datalist(None)
    with pytest.raises(ValueError, match=r"section must be one of .*got 'test'"):
        mtan_datalist(arrays, "test")
    for file in (arrays / "val").rglob("*.npy"):
        file.unlink()
    with pytest.raises(ValueError, match="no samples"):
        mtan_datalist(arrays, "val")


def test_samples_follow_the_conventions(arrays):
    sample = LoadMTANArraysd()(mtan_datalist(arrays, "train", ALL)[3])
    expected = frame(3)
    assert {key: value.dtype for key, value in sample.items()} == {
        "image": torch.float32, "segment": torch.int16, "depth": torch.float32, "normals": torch.float32
    }  # fmt: skip
    for key, value in sample.items():
        assert isinstance(value, MetaTensor)
        assert value.meta["filename_or_obj"].endswith("3.npy")
        assert value.shape == (3 if key in ("image", "normals") else 1, *SIZE)
    assert np.allclose(sample["image"], 255 * expected["image"].transpose(2, 0, 1), rtol=1e-6)
    labels, depth, normals = (sample[key].numpy() for key in ("segment", "depth", "normals"))
    assert labels[0, 0, 0] == 255
    assert np.array_equal(labels[0].ravel()[1:], expected["label"].ravel()[1:])
    assert np.argwhere(np.isnan(depth)).tolist() == [[0, 0, 1]]
    assert np.array_equal(np.nan_to_num(depth[0]), expected["depth"][..., 0])
    assert np.argwhere(np.isnan(normals)).tolist() == [[c, 0, 2] for c in range(3)]
    assert np.allclose(np.nan_to_num(normals), expected["normal"].transpose(2, 0, 1))


def test_several_label_maps_and_flat_depth(arrays):
    np.save(arrays / "val" / "depth" / "0.npy", frame(0)["depth"][..., 0])
    targets = {"coarse": "label", "segment": "label", "disparity": "depth"}
    load = LoadMTANArraysd(label_keys=["coarse", "segment"], depth_keys="disparity", normals_keys=())
    sample = load(mtan_datalist(arrays, "val", targets)[0])
    assert torch.equal(sample["coarse"], sample["segment"])
    assert sample["disparity"].shape == (1, *SIZE)


def test_targets_may_be_missing_on_purpose(arrays):
    paths = {**mtan_datalist(arrays, "train", ALL)[0], "segment": None}
    sample = LoadMTANArraysd()(paths)
    assert set(sample) == {"image", "depth", "normals"}
    filled = FillMissingTargetsd(TASKS)(sample)
    assert filled["segment"].shape == (1, *SIZE)


def test_a_configuration_names_both(arrays):
    parser = ConfigParser(
        {
            "imports": ["$import monai_mtunet"],
            "data": f"$monai_mtunet.data.mtan_datalist(r'{arrays}', 'val')",
            "load": {"_target_": "LoadMTANArraysd"},
            "resize": {
                "_target_": "Resized",
                "keys": ["image", "segment", "depth"],
                "spatial_size": [3, 4],
                "mode": ["area", "nearest", "nearest"],
            },
        }
    )
    sample = parser.get_parsed_content("load")(parser.get_parsed_content("data")[0])
    small = parser.get_parsed_content("resize")(sample)
    assert small["image"].shape == (3, 3, 4)
    assert set(small["segment"].unique().tolist()) <= set(sample["segment"].unique().tolist())
    assert set(small["depth"].nan_to_num().unique().tolist()) <= set(sample["depth"].nan_to_num().unique().tolist())


@pytest.mark.parametrize(
    ("kind", "change", "error", "match"),
    [
        ("image", lambda x: x * 255, ValueError, r"image \(.*0\.npy\) must be within 0\.\.1, but is within .*divide"),
        ("image", lambda x: (x * 255).astype(np.uint8), TypeError, "image .* must hold floating-point .* got uint8"),
        ("image", lambda x: np.where(x < 0.5, np.nan, x), ValueError, r"image .* is within nan\.\.nan"),
        ("image", lambda x: x[..., 0], ValueError, r"image .* must have the shape \(H, W, 3\), got \(6, 8\)"),
        (
            "label",
            lambda x: x + 0.5,
            ValueError,
            r"segment .* class numbers 0\.\.254, and -1 for none, but holds -0\.5",
        ),
        ("label", lambda x: x - 1, ValueError, "segment .* but holds -2"),
        ("label", lambda x: x * 100, ValueError, "segment .* but holds -100, 300"),
        ("label", lambda x: x.astype(complex), TypeError, "segment .* must hold whole numbers, got complex128"),
        ("label", lambda x: np.stack([x] * 3, -1), ValueError, r"segment .* \(H, W, 1\) or \(H, W\), got \(6, 8, 3\)"),
        ("depth", lambda x: np.full_like(x, np.nan), ValueError, "depth .* has no valid pixel: all are 0 or NaN"),
        ("depth", lambda x: 0 * x, ValueError, "depth .* has no valid pixel"),
        ("depth", lambda x: -x, ValueError, "depth .* finite depths above 0, and 0 for none, but holds -9"),
        ("depth", lambda x: np.where(x > 9, np.inf, x), ValueError, "depth .* but holds inf"),
        ("depth", lambda x: (x * 1000).astype(np.uint16), TypeError, "depth .* floating-point numbers, got uint16"),
        ("depth", lambda x: x[::2], ValueError, r"depth \(.*\) is 3 x 8 pixels, but its image 6 x 8"),
        ("normal", lambda x: 0 * x, ValueError, "normals .* has no valid pixel"),
        ("normal", lambda x: x[..., :2], ValueError, r"normals .* must have the shape \(H, W, 3\), got \(6, 8, 2\)"),
        ("normal", lambda x: x[:, 1:], ValueError, r"normals \(.*\) is 6 x 7 pixels, but its image 6 x 8"),
    ],
)
def test_arrays_of_another_kind_are_named(arrays, kind, change, error, match):
    paths = replace(arrays, kind, change(frame(0)[kind]))
    with pytest.raises(error, match=match):
        LoadMTANArraysd()(paths)


def test_labels_beyond_the_classes_are_named_by_the_check(arrays):
    labels = frame(0)["label"]
    labels[2, 2] = 13
    sample = LoadMTANArraysd()(replace(arrays, "label", labels))
    with pytest.raises(ValueError, match=r"segment \(.*label/0\.npy, 6 x 8\) holds \[13\], but its 13 classes"):
        CheckSampled(2, tasks=TASKS)(sample)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"\x93NUMPY\x01\x00"])
def test_damaged_and_missing_files_are_named(arrays, content):
    paths = mtan_datalist(arrays, "train", ALL)[0]
    Path(paths["depth"]).write_bytes(content)
    with pytest.raises(OSError, match=r"depth: .*depth/0\.npy cannot be read as a NumPy array; replace the file"):
        LoadMTANArraysd()(paths)
    Path(paths["depth"]).unlink()
    with pytest.raises(FileNotFoundError, match=r"depth: .*depth/0\.npy does not exist"):
        LoadMTANArraysd()(paths)


def test_tables_fit_together():
    assert len(NYUV2.classes) == len(NYUV2.palette) == len(set(NYUV2.palette)) == 13
    assert TASKS.out_channels == {"segment": 13}
