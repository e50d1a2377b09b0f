"""Targets of another grid than the image's: refused by the check, brought onto it by the transform it names."""

import os
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.transforms import Compose, Spacingd

from monai_mtunet.tasks import DepthTask, InstanceTask, NormalsTask, SegmentationTask, TaskList
from monai_mtunet.transforms import CheckSampled, LabelBoundaryd, LoadSampled, ResampleSampled

SEGMENT = SegmentationTask("segment", ["none", "one", "two"])
TASKS = TaskList([SEGMENT, DepthTask("depth"), InstanceTask("instances", "segment")])
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
AFFINE[:3, 3] = 5, -10, 20


def scene(shape=(16, 14, 12)):
    """A volume whose intensities tell its labels: 200, 500 and 800."""
    labels = np.zeros(shape, np.uint8)
    labels[3:8, 4:12, 4:10] = 1
    labels[9:14, 2:7, 4:10] = 2
    return labels * 300.0 + 200, labels


def flipped(affine, size, axis=0):
    """The affine of a volume that is stored the other way round along an axis."""
    result = affine.copy()
    result[:3, 3] += affine[:3, axis] * (size - 1)
    result[:3, axis] *= -1
    return result


@pytest.fixture
def write(tmp_path):
    def save(name, values, affine=AFFINE):
        path = tmp_path / f"{name}.nii.gz"
        nib.save(nib.Nifti1Image(values, affine), path)
        return str(path)

    return save


def load(**files):
    return LoadSampled(tasks=TASKS)(files)


def check(sample):
    return CheckSampled(3, 1, TASKS, allow_missing_keys=True)(sample)


def intensities(sample, label):
    return sample["image"][sample["segment"] == label].unique().tolist()


def test_a_label_stored_the_other_way_round_is_refused_and_resampled(write):
    image, labels = scene()
    sample = load(
        image=write("i", image.astype(np.float32)), segment=write("l", labels[::-1].copy(), flipped(AFFINE, 16))
    )
    assert intensities(sample, 2) != [800]
    message = (
        r"image \(.*i\.nii\.gz, 16 x 14 x 12\) and segment \(.*l\.nii\.gz, 16 x 14 x 12\) do not lie in the same "
        r"place: axis 0 is flipped; origins at \(5, -10, 20\) and \(35, -10, 20\) mm. Their corners are up to 15 "
        r"voxels apart. "
        r'Add \{"_target_": "ResampleSampled".* at the end of "load"'
    )
    with pytest.raises(ValueError, match=message):
        check(sample)
    resampled = check(ResampleSampled(TASKS)(sample))
    assert intensities(resampled, 1) == [500]
    assert intensities(resampled, 2) == [800]
    assert np.array_equal(resampled["segment"][0], labels)
    assert resampled["segment"].dtype == torch.int16
    assert resampled["segment"].meta["filename_or_obj"].endswith("l.nii.gz")


def test_permuted_axes_too(write):
    image, labels = scene()
    turned = AFFINE[:, [2, 0, 1, 3]]
    sample = load(image=write("i", image), segment=write("l", labels.transpose(2, 0, 1).copy(), turned))
    with pytest.raises(ValueError, match=r"differ in size.*ResampleSampled"):
        check(sample)
    assert np.array_equal(check(ResampleSampled(TASKS)(sample))["segment"][0], labels)


def test_another_spacing(write):
    image, labels = scene()
    fine = AFFINE @ np.diag([0.5, 1, 1, 1])
    fine[:3, 3] -= AFFINE[:3, 0] / 4  # the same field, twice the voxels along the first axis
    sample = load(image=write("i", image), segment=write("l", labels.repeat(2, axis=0), fine))
    assert np.array_equal(check(ResampleSampled(TASKS)(sample))["segment"][0], labels)
    same_size = load(image=write("i", image), segment=write("m", labels, AFFINE @ np.diag([1, 1, 2, 1])))
    with pytest.raises(ValueError, match=r"voxels of 2 x 2 x 3 and 2 x 2 x 6 mm\. Their corners are up to 11 voxels"):
        check(same_size)


@pytest.mark.parametrize("shift", [3, -4])
def test_outside_of_its_field_a_target_is_missing_and_never_class_0(write, shift):
    image, labels = scene()
    elsewhere = AFFINE.copy()
    elsewhere[:3, 3] += AFFINE[:3, 2] * shift
    depth, ids = image.astype(np.float32), labels.astype(np.int32) * 70001
    files = {"segment": labels, "depth": depth, "instances": ids}
    sample = load(image=write("i", image), **{name: write(name, values, elsewhere) for name, values in files.items()})
    resampled = check(ResampleSampled(TASKS)(sample))
    known = np.zeros(12, bool)
    known[max(shift, 0) : 12 + min(shift, 0)] = True
    inside = slice(max(-shift, 0), 12 - max(shift, 0))
    for name, missing in (("segment", 255), ("depth", np.nan), ("instances", -1)):
        values = resampled[name][0].numpy()
        np.testing.assert_array_equal(values[..., ~known], np.full(values[..., ~known].shape, missing))
        np.testing.assert_array_equal(values[..., known], files[name][..., inside])


def test_missing_voxels_stay_missing(write):
    image, _ = scene()
    depth = image.astype(np.float32)
    depth[2, 3, 4] = np.nan
    sample = load(image=write("i", image), depth=write("d", depth[:, ::-1].copy(), flipped(AFFINE, 14, 1)))
    np.testing.assert_array_equal(ResampleSampled(TASKS)(sample)["depth"][0], depth)


def test_vectors_turn_with_their_axes(write):
    tasks = TaskList([NormalsTask("normals")])
    normals = np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype(np.float32)
    theirs = normals[::-1] * np.float32([-1, 1, 1])
    files = {
        "image": write("i", np.zeros((6, 5, 4), np.float32)),
        "normals": write("n", theirs.copy(), flipped(AFFINE, 6)),
    }
    resampled = ResampleSampled(tasks)(LoadSampled(tasks=tasks)(files))["normals"]
    np.testing.assert_allclose(resampled, normals.transpose(3, 0, 1, 2), rtol=1e-6)


def test_what_fits_is_the_same_object(write):
    image, labels = scene()
    rounded = AFFINE.copy()
    rounded[:3, 3] += 0.05  # a fortieth of a voxel
    sample = load(image=write("i", image), segment=write("l", labels, rounded))
    sample["depth"] = torch.zeros(1, 16, 14, 12)  # made, so it lies where the image does
    resampled = ResampleSampled(TASKS)(check(sample))
    assert all(resampled[key] is sample[key] for key in sample)


def test_arrays_and_what_is_made_of_targets(write, tmp_path):
    image, labels = scene()
    np.save(tmp_path / "depth.npy", image)
    sample = load(image=write("i", image), segment=write("l", labels), depth=tmp_path / "depth.npy")
    tasks = TaskList([SEGMENT, DepthTask("depth"), SegmentationTask("edges", ["no", "yes"])])
    made = LabelBoundaryd("segment", "edges")(sample)
    CheckSampled(3, 1, tasks)(made)
    spaced = Spacingd(["image", "segment", "edges"], pixdim=(1, 1, 1), mode=["bilinear", "nearest", "nearest"])(made)
    CheckSampled(3, tasks=TaskList([SEGMENT]))(spaced)


def test_a_header_that_is_not_a_number(write):
    image, labels = scene()
    sample = load(image=write("i", image), segment=write("l", labels))
    sample["segment"].affine = torch.full((4, 4), torch.nan)
    with pytest.raises(ValueError, match=re.escape("up to nan voxels apart")):
        check(sample)


@pytest.mark.skipif("MONAI_DATA_DIRECTORY" not in os.environ, reason="MONAI_DATA_DIRECTORY is not set")
@pytest.mark.parametrize(("folder", "classes"), [("hippocampus/Task04_Hippocampus", 3), ("sstem_vnc", 9)])
def test_real_data_lie_where_their_labels_do(folder, classes):
    root = Path(os.environ["MONAI_DATA_DIRECTORY"], folder)
    images = sorted((root / "imagesTr").glob("[!.]*.nii.gz"))
    if not images:
        pytest.skip(f"{root} has no images")
    tasks = TaskList([SegmentationTask("segment", [str(number) for number in range(classes)])])
    steps = Compose([LoadSampled(tasks=tasks), CheckSampled(3, 1, tasks)])
    for image in images:
        steps({"image": image, "segment": root / "labelsTr" / image.name})
