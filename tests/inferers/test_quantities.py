"""Depth and normals as files: in their own units, whatever scaled the network's input."""

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, DivisiblePadd, Flipd, NormalizeIntensityd
from PIL import Image

from monai_mtunet.engines import MultiTaskPredictor
from monai_mtunet.inferers import TaskPostprocessing
from monai_mtunet.tasks import DepthTask, NormalsTask, TaskList
from monai_mtunet.transforms import LoadSampled, ScaleVolumeRanged

TASKS = TaskList([DepthTask("depth"), NormalsTask("normals")])


class Ramp(torch.nn.Module):
    """Depth grows from 3 by 1 per voxel along the first axis; normals are along the last component."""

    def forward(self, image):
        steps = torch.arange(3.0, 3 + image.shape[2]).reshape(-1, *(1 for _ in image.shape[3:]))
        direction = torch.tensor([0.0, 0.0, 7.0]).reshape(1, 3, *(1 for _ in image.shape[2:]))
        return {
            "depth": steps.expand(1, 1, *image.shape[2:]),
            "normals": direction.expand(1, 3, *image.shape[2:]),
        }


def infer(path, steps, folder):
    preprocessing = Compose([LoadSampled("image"), *steps])
    MultiTaskPredictor(
        tasks=TASKS,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset([{"image": str(path)}], preprocessing), batch_size=1),
        network=Ramp(),
        postprocessing=TaskPostprocessing(TASKS, folder, preprocessing),
    ).run()


def test_of_images_arrays_are_saved_and_a_panel_with_the_scale(tmp_path):
    Image.fromarray(np.zeros((9, 14, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    infer(tmp_path / "a.png", [DivisiblePadd("image", k=8), Flipd("image", spatial_axis=0)], tmp_path)
    depth, normals = np.load(tmp_path / "a_depth.npy"), np.load(tmp_path / "a_normals.npy")
    assert depth.dtype == normals.dtype == np.float32
    # The 9 rows lie in the middle of 16, the first of them last.
    np.testing.assert_array_equal(depth, np.arange(15.0, 6, -1)[:, None].repeat(14, axis=1))
    assert normals.shape == (3, 9, 14)
    np.testing.assert_array_equal(normals, np.array([0, 0, 1.0])[:, None, None] * np.ones((9, 14)))
    assert (tmp_path / "a_panel.png").exists()


@pytest.mark.parametrize("scale", [[], [ScaleVolumeRanged("image"), NormalizeIntensityd("image")]])
def test_of_volumes_nothing_but_the_geometry_is_undone(tmp_path, scale):
    values = np.random.default_rng(0).uniform(100, 900, (6, 5, 4)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.diag([2.0, 1, 1, 1])), tmp_path / "v.nii.gz")
    infer(tmp_path / "v.nii.gz", [*scale, DivisiblePadd("image", k=8)], tmp_path)
    depth, normals = (nib.load(tmp_path / f"v_{task.name}.nii.gz") for task in TASKS)
    assert depth.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.squeeze(depth.get_fdata())[:, 0, 0], np.arange(4.0, 10))
    np.testing.assert_array_equal(depth.affine, np.diag([2.0, 1, 1, 1]))
    assert np.squeeze(normals.get_fdata()).shape == (6, 5, 4, 3)
