"""What each kind of file holds, of images and of volumes."""

import json

import nibabel
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image

from monai_mtunet.inferers import SavePredictionsd
from monai_mtunet.tasks import (
    ClassificationTask,
    DepthTask,
    InstanceTask,
    NormalsTask,
    RestorationTask,
    SavedAs,
    SegmentationTask,
    TaskList,
)

PALETTE = [[10, 20, 30], [200, 0, 0]]
AFFINE = np.diag([2.0, 1.0, 0.5, 1.0])
TASKS = TaskList(
    [
        SegmentationTask("segment", ["back", "front"], palette=PALETTE),
        InstanceTask("instances", "segment"),
        RestorationTask("denoise", channels=1, data_range=(0, 255)),
        DepthTask("depth"),
        NormalsTask("normals"),
        ClassificationTask("classify", ["cat", "dog"]),
    ]
)
# Values that a coarser file would change: an id above 255, intensities off the range and between whole numbers.
VALUES = {
    "segment": torch.tensor([[0, 1, 1]], dtype=torch.uint8),
    "instances": torch.tensor([[0, 300, 65535]], dtype=torch.int32),
    "denoise": torch.tensor([[-3.0, 99.6, 256.0]]),
    "depth": torch.tensor([[0.25, 700.5, -1.0]]),
    "normals": torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]),
}


@pytest.fixture(params=[2, 3], ids=["image", "volume"])
def written(request, tmp_path):
    """The folder of one sample's files, of an image (2, 3) or of a volume (2, 3, 4) whose values are along axis 1."""
    dims = request.param
    size = (2, 3, 4)[:dims]
    sample = {
        f"pred_{name}": values.view(len(values), 1, 3, *[1] * (dims - 2)).expand(-1, *size).contiguous()
        for name, values in VALUES.items()
    }
    name, affine = ("scan.nii.gz", torch.from_numpy(AFFINE)) if dims == 3 else ("photo.png", None)
    image = MetaTensor(torch.zeros(1, *size), affine=affine, meta={"filename_or_obj": f"a/{name}"})
    SavePredictionsd(TASKS, tmp_path)(sample | {"image": image, "pred_classify": torch.tensor([0.25, 0.75])})
    return dims, tmp_path


def test_every_choice_is_made_by_a_task_here():
    assert {task.saved_as for task in TASKS} == set(SavedAs)


def test_names_of_files(written):
    dims, folder = written
    endings = {"segment": "png", "instances": "png", "denoise": "png", "depth": "npy", "normals": "npy"}
    expected = (
        {f"photo_{name}.{ending}" for name, ending in endings.items()} | {"photo_classify.json"}
        if dims == 2
        else {f"scan_{name}.nii.gz" for name in endings} | {"scan_classify.json"}
    )
    assert {file.name for file in folder.iterdir()} == expected


def test_one_vector_is_json_of_images_and_volumes(written):
    _, folder = written
    (file,) = folder.glob("*_classify.json")
    assert json.loads(file.read_text()) == {"class": "dog", "number": 1, "probabilities": [0.25, 0.75]}


@pytest.mark.parametrize("written", [2], indirect=True)
class TestImages:
    @staticmethod
    def rows(name):
        return VALUES[name].numpy()[0][None].repeat(2, axis=0)

    def test_labels_are_of_8_bits_with_the_tasks_palette(self, written):
        file = Image.open(written[1] / "photo_segment.png")
        assert file.mode == "P"
        np.testing.assert_array_equal(np.asarray(file), self.rows("segment"))
        np.testing.assert_array_equal(np.asarray(file.convert("RGB")), np.array(PALETTE)[self.rows("segment")])

    def test_ids_are_of_16_bits(self, written):
        file = Image.open(written[1] / "photo_instances.png")
        assert file.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(file), self.rows("instances"))

    def test_pictures_are_drawn_in_8_bits(self, written):
        drawn = np.asarray(Image.open(written[1] / "photo_denoise.png"))
        np.testing.assert_array_equal(drawn, np.array([0, 100, 255])[None].repeat(2, 0))  # gray

    def test_values_are_float32_without_the_axis_of_a_single_channel(self, written):
        depth, normals = (np.load(written[1] / f"photo_{name}.npy") for name in ("depth", "normals"))
        assert depth.dtype == normals.dtype == np.float32
        np.testing.assert_array_equal(depth, self.rows("depth"))
        np.testing.assert_array_equal(normals, VALUES["normals"].numpy()[:, None].repeat(2, axis=1))


@pytest.mark.parametrize("written", [3], indirect=True)
@pytest.mark.parametrize(
    ("name", "dtype"),
    [("segment", "u1"), ("instances", "u2"), ("denoise", "f4"), ("depth", "f4"), ("normals", "f4")],
)
def test_volumes_have_the_type_that_holds_them_and_the_inputs_affine(written, name, dtype):
    file = nibabel.load(written[1] / f"scan_{name}.nii.gz")
    assert file.get_data_dtype() == np.dtype(dtype)
    np.testing.assert_allclose(file.affine, AFFINE)
    values = np.squeeze(np.asarray(file.dataobj))  # NIfTI has channels on its fifth axis
    assert values.shape == (2, 3, 4, *([3] if name == "normals" else []))
    expected = VALUES[name].numpy().T if name == "normals" else VALUES[name].numpy()[0]
    np.testing.assert_array_equal(values[1, :, 3], expected)
