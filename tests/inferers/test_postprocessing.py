import nibabel as nib
import numpy as np
import pytest
import SimpleITK
import tifffile
import torch
from monai.data import DataLoader, Dataset, MetaTensor, decollate_batch
from monai.networks.utils import one_hot
from monai.transforms import Compose, DivisiblePadd, NormalizeIntensityd, Orientationd, Spacingd
from PIL import Image

from monai_mtunet.engines import MultiTaskPredictor
from monai_mtunet.inferers import MultiTaskSlidingWindowInferer, SavePredictionsd, TaskPostprocessing, save_predictions
from monai_mtunet.inferers.save_predictions import SavePaneld
from monai_mtunet.tasks import RestorationTask, SegmentationTask, TaskList
from monai_mtunet.transforms import LoadSampled, ScaleVolumeRanged

MEAN, STD = 0.5, 0.2
# Voxels of 2 x 1 x 1.5 mm; the file's axes run to the left, up and to the front.
AFFINE = np.array([[-2.0, 0, 0, 30], [0, 0, 1.5, -20], [0, 1, 0, 10], [0, 0, 0, 1]])
PALETTE = [[10, 20, 30], [200, 0, 0], [0, 200, 0]]


class Thresholds(torch.nn.Module):
    """Denoises by giving back its input, and segments by thresholds on the intensities before normalization."""

    def __init__(self, thresholds=(0.25, 0.75)):
        super().__init__()
        self.thresholds = thresholds

    def forward(self, x):
        labels = sum(((x * STD + MEAN) > threshold).int() for threshold in self.thresholds)
        return {"denoise": x, "segment": one_hot(labels[:, :1], num_classes=3)}


def tasks(channels=1, data_range=(0, 1), mean=MEAN, std=STD):
    return TaskList(
        [
            RestorationTask("denoise", channels=channels, data_range=data_range, mean=mean, std=std),
            SegmentationTask("segment", ["back", "left", "right"], palette=PALETTE),
        ]
    )


def infer(tasks, path, steps, folder, undo=True, network=None):
    """As a bundle's inference.json does it."""
    preprocessing = Compose([LoadSampled("image"), *steps])
    evaluator = MultiTaskPredictor(
        tasks=tasks,
        device=torch.device("cpu"),
        val_data_loader=DataLoader(Dataset([{"image": str(path)}], preprocessing), batch_size=1),
        network=network or Thresholds(),
        inferer=MultiTaskSlidingWindowInferer(roi_size=-1),
        postprocessing=TaskPostprocessing(tasks, folder, preprocessing if undo else None),
    )
    evaluator.run()


@pytest.fixture
def volume(tmp_path):
    """A file in scanner units 100..900 with labels 0, 1, 2 in thirds along its first axis."""
    values = np.full((9, 7, 6), 100, dtype=np.float32)
    values[3:6], values[6:] = 500, 900
    values += np.random.default_rng(0).uniform(-40, 40, values.shape).astype(np.float32)
    values[0, 0, 0], values[8, 6, 5] = 0, 1000
    path = tmp_path / "in" / "sub.01.nii.gz"
    path.parent.mkdir()
    nib.save(nib.Nifti1Image(values, AFFINE), path)
    labels = np.arange(9).repeat(42).reshape(9, 7, 6) // 3
    return path, values, labels


def normalize():
    return NormalizeIntensityd("image", subtrahend=MEAN, divisor=STD)


@pytest.mark.parametrize("scale_first", [True, False])
def test_volumes_come_back_in_the_files_space_and_units(volume, tmp_path, scale_first):
    path, values, labels = volume
    geometry = [Orientationd("image", axcodes="RAS", labels=None), DivisiblePadd("image", k=4)]
    scale = [ScaleVolumeRanged("image")]
    steps = scale + geometry if scale_first else geometry + scale
    infer(tasks(), path, [*steps, normalize()], tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        "sub.01_denoise.nii.gz",
        "sub.01_segment.nii.gz",
        "sub.01_panel.png",
    }
    denoised, segmented = (nib.load(tmp_path / "out" / f"sub.01_{name}.nii.gz") for name in ("denoise", "segment"))
    for image, dtype in ((denoised, np.float32), (segmented, np.uint8)):
        np.testing.assert_allclose(image.affine, AFFINE)
        assert image.get_data_dtype() == dtype
    np.testing.assert_allclose(denoised.get_fdata(), values, atol=0.01)  # scanner units
    np.testing.assert_array_equal(segmented.get_fdata(), labels)  # classes, not scaled with the intensities


@pytest.mark.parametrize("scale_first", [True, False])
def test_resampled_label_maps_come_back_as_labels(volume, tmp_path, scale_first):
    path, values, _ = volume
    resample, scale = Spacingd("image", pixdim=(1, 1, 1)), ScaleVolumeRanged("image")
    steps = [*([scale, resample] if scale_first else [resample, scale]), normalize()]
    # Classes 0 and 2 alone: interpolating between them would invent class 1.
    infer(tasks(), path, steps, tmp_path, network=Thresholds((0.5, 0.5)))
    segmented = nib.load(tmp_path / "sub.01_segment.nii.gz")
    assert segmented.get_data_dtype() == np.uint8
    assert segmented.shape == values.shape
    np.testing.assert_allclose(segmented.affine, AFFINE)
    assert np.unique(segmented.get_fdata()).tolist() == [0, 2]


def test_without_preprocessing_files_stay_in_the_networks_space(volume, tmp_path):
    path, _, labels = volume
    steps = [Orientationd("image", axcodes="RAS", labels=None), ScaleVolumeRanged("image", 0, 100), normalize()]
    infer(tasks(), path, steps, tmp_path, undo=False)
    segmented, denoised = (nib.load(tmp_path / f"sub.01_{name}.nii.gz") for name in ("segment", "denoise"))
    # In RAS the last voxel along the file's first axis is the first: x = 30 - 2 * 8.
    np.testing.assert_allclose(segmented.affine, [[2, 0, 0, 14], [0, 1.5, 0, -20], [0, 0, 1, 10], [0, 0, 0, 1]])
    assert denoised.get_fdata().max() == pytest.approx(1, abs=1e-5)
    # The same place in the world: in RAS the first axis runs to the right, the second to the front, the third up.
    np.testing.assert_array_equal(segmented.get_fdata(), labels[::-1].transpose(0, 2, 1))


def test_images_become_palette_and_color_pngs(tmp_path):
    colors = np.zeros((6, 9, 3), dtype=np.uint8)
    colors[:, 3:6], colors[:, 6:] = 128, 230
    colors[0, 0] = 7  # an asymmetric mark
    (tmp_path / "in").mkdir()
    Image.fromarray(colors).save(tmp_path / "in" / "street.png")
    two = tasks(channels=3, data_range=(0, 255), mean=MEAN * 255, std=STD * 255)
    steps = [
        NormalizeIntensityd("image", subtrahend=[MEAN * 255] * 3, divisor=[STD * 255] * 3, channel_wise=True),
        DivisiblePadd("image", k=4),
    ]
    infer(two, tmp_path / "in" / "street.png", steps, tmp_path / "out")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "out" / "street_denoise.png")), colors)
    segmented = Image.open(tmp_path / "out" / "street_segment.png")
    assert segmented.mode == "P"
    labels = np.tile(np.arange(9) // 3, (6, 1))
    np.testing.assert_array_equal(np.asarray(segmented), labels)
    np.testing.assert_array_equal(np.asarray(segmented.convert("RGB")), np.array(PALETTE)[labels])
    assert Image.open(tmp_path / "out" / "street_panel.png").width > 100


@pytest.mark.parametrize(("ending", "y_down"), [(".nii", False), (".nrrd", False), (".tif", True)])
def test_panels_show_volumes_in_their_spacing_and_as_programs_do(tmp_path, monkeypatch, ending, y_down):
    """A voxel is 2 wide and 5 high; of stacks of pictures the first row is above."""
    values = np.zeros((6, 4, 3), np.float32)
    values[0, 0] = 1
    path = tmp_path / f"a{ending}"
    if ending == ".tif":
        described = {"axes": "ZYX", "unit": "um", "spacing": 3}
        tifffile.imwrite(path, values.T.copy(), imagej=True, resolution=(1 / 2, 1 / 5), metadata=described)
    elif ending == ".nrrd":
        image = SimpleITK.GetImageFromArray(values.T)
        image.SetSpacing((2, 5, 3))
        SimpleITK.WriteImage(image, str(path))
    else:
        nib.save(nib.Nifti1Image(values, np.diag([2, 5, 3, 1])), path)
    figures = []
    monkeypatch.setattr(save_predictions, "save_figure", lambda figure, path: figures.append(figure) or path.touch())
    infer(tasks(), path, [ScaleVolumeRanged("image", lower=0, upper=100), normalize()], tmp_path / "out")
    axes = figures[0].axes
    assert [axis.get_title() for axis in axes] == ["input", "denoise", "segment"]
    assert [axis.get_aspect() for axis in axes] == [pytest.approx(2.5)] * 3
    for axis, color in zip(axes, ([255] * 3, [255] * 3, PALETTE[2]), strict=True):
        drawn = np.asarray(axis.images[0].get_array())
        assert drawn.shape == (4, 6, 3)
        bright = [0 if y_down else 3, 0]
        assert np.argwhere((drawn == color).all(axis=-1)).tolist() == [bright]


def test_samples_without_a_file_are_saved(tmp_path):
    output = {"image": torch.rand(1, 1, 4, 5), "pred": Thresholds()(torch.rand(1, 1, 4, 5))}
    for sample in decollate_batch(output):
        TaskPostprocessing(tasks(), tmp_path)(sample)
    assert (tmp_path / "sample_segment.png").exists()


@pytest.mark.parametrize("writer", [SavePaneld, SavePredictionsd])
def test_files_that_would_overwrite_another_samples_are_refused(tmp_path, writer):
    def sample(name):
        image = MetaTensor(torch.rand(1, 4, 4, 4), meta={"filename_or_obj": name})
        return {"image": image, "pred_denoise": image, "pred_segment": torch.zeros(1, 4, 4, 4, dtype=torch.uint8)}

    save = writer(tasks(), tmp_path)
    save(sample("a/t2.nii.gz"))
    save(sample("a/t2.nii.gz"))  # the same file again may be saved again
    written = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=r"b/t2\.nii\.gz and a/t2\.nii\.gz would both be saved as t2_"):
        save(sample("b/t2.nii.gz"))
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == written


def test_predictions_of_one_name_are_refused_before_the_first_is_made(tmp_path):
    both = [SegmentationTask(name, ["background", "cell"]) for name in ("segment", "fine_segment")]
    data = [{"image": "/d/a.nii"}, {"image": "/d/a_fine.nii"}]
    with pytest.raises(ValueError, match="would both be saved as a_fine_segment"):
        TaskPostprocessing(both, tmp_path, data=data)


def test_nothing_to_undo_does_not_warn(volume, tmp_path, recwarn):
    path, _, labels = volume
    infer(tasks(), path, [ScaleVolumeRanged("image"), normalize()], tmp_path)  # nothing for the label map
    assert not [warning for warning in recwarn if "inverse" in str(warning.message)]
    np.testing.assert_array_equal(nib.load(tmp_path / "sub.01_segment.nii.gz").get_fdata(), labels)
    np.testing.assert_allclose(nib.load(tmp_path / "sub.01_segment.nii.gz").affine, AFFINE)
