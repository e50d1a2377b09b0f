"""Worker processes that are spawned, as on macOS and Windows, get transforms pickled."""

import pickle

import pytest

from monai_mtunet import transforms
from monai_mtunet.tasks import BoundingBoxTask, DepthTask, SegmentationTask, TaskList

TASKS = TaskList([SegmentationTask("segment", ["a", "b"]), DepthTask("depth"), BoundingBoxTask("box")])
MADE = {
    "AddGaussianNoised": {"keys": "image", "sigma": 1.0},
    "AddPoissonNoised": {"keys": "image", "peak": 30.0},
    "AddRicianNoised": {"keys": "image", "sigma": 1.0},
    "BoxOfLabelsd": {"keys": "segment", "new_keys": "box"},
    "BoxOfMaskd": {"tasks": TASKS},
    "CannyEdgesd": {"keys": "image", "new_keys": "edges"},
    "CenterSquared": {"keys": "image"},
    "CheckSampled": {"spatial_dims": 2, "tasks": TASKS},
    "ColorsToClassesd": {"keys": "segment", "colors": [[0, 0, 0], [1, 2, 3]]},
    "DecodeDepthd": {"keys": "depth", "divisor": 256},
    "DecodeDisparityd": {"keys": "depth"},
    "DecodeInstancesd": {"keys": "instances", "encoding": "kitti", "things": [1]},
    "DisparityToDepthd": {"keys": "depth", "focal_length": 1.0, "baseline": 1.0},
    "DistanceMapd": {"keys": "segment", "new_keys": "distance"},
    "DominantClassd": {"keys": "segment", "new_keys": "classify", "labels": [0, 1]},
    "FillMissingTargetsd": {"tasks": TASKS},
    "LabelBoundaryd": {"keys": "segment", "new_keys": "edges"},
    "LabelComponentsd": {"keys": "segment", "new_keys": "instances"},
    "LoadSampled": {"tasks": TASKS, "reader": transforms.PictureReader("RGB")},
    "MaskBlindSpotsd": {"keys": "image", "target_keys": "denoise"},
    "PadSampled": {"tasks": TASKS, "spatial_size": 8},
    "PaintBoxd": {"tasks": TASKS},
    "PictureReader": {},
    "RandFlipGeometryd": {"tasks": TASKS},
    "RandSwapNoisyPaird": {"keys": ["image", "denoise"]},
    "RandZoomGeometryd": {"tasks": TASKS},
    "ResampleSampled": {"tasks": TASKS},
    "ResizeSampled": {"tasks": TASKS, "spatial_size": [4, 4]},
    "ScaleVolumeRanged": {"keys": "image"},
    "SignedDistanceMapd": {"keys": "segment", "new_keys": "distance"},
    "SpaceSampled": {"tasks": TASKS, "spacing": [1, 1]},
    "SplitColord": {"keys": "image", "new_keys": "color"},
}


def test_all_are_tried():
    assert set(MADE) == set(transforms.__all__)


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_transform_pickles(name):
    kind = getattr(transforms, name)
    assert isinstance(pickle.loads(pickle.dumps(kind(**MADE[name]))), kind)
