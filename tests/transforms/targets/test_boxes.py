import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Flipd, Resized, Rotate90d, SpatialCropd

from monai_mtunet.tasks import BoundingBoxTask, SegmentationTask, TaskList
from monai_mtunet.transforms import BoxOfLabelsd, BoxOfMaskd, FillMissingTargetsd, PadSampled, PaintBoxd

NAN = [torch.nan] * 4
KEYS = ["image", "box"]
TASKS = TaskList([BoundingBoxTask("box")])
PAINT = PaintBoxd(TASKS)


def box_of(*labels, **arguments):
    """The box of a label map."""
    transform = BoxOfLabelsd("segment", "box", *labels, **arguments)
    return lambda values: transform({"segment": values})["box"]


def after(*augmentation, box=(2.0, 3.0, 6.0, 9.0), unit="voxel"):
    """A box in an image of 10 x 20 after augmentation."""
    sample = {"image": torch.zeros(3, 10, 20), "box": torch.tensor(box)}
    sample = Compose([PAINT, *augmentation, BoxOfMaskd(TASKS, unit=unit)])(sample)
    assert type(sample["box"]) is torch.Tensor
    assert sample["box"].dtype == torch.float32
    return sample["box"].tolist()


class TestABoxThroughAugmentation:
    def test_without_any_is_the_same(self):
        assert after(unit="normalized") == pytest.approx([0.2, 0.15, 0.6, 0.45])
        assert after(unit="voxel") == [2, 3, 6, 9]

    def test_is_flipped(self):
        assert after(Flipd(KEYS, 1)) == [2, 11, 6, 17]
        assert after(Flipd(KEYS, [0, 1])) == [4, 11, 8, 17]

    def test_is_turned(self):
        assert after(Rotate90d(KEYS, k=1)) == [11, 2, 17, 6]

    def test_is_cropped_to_what_is_seen(self):
        assert after(SpatialCropd(KEYS, roi_start=[4, 5], roi_end=[10, 20])) == [0, 0, 2, 4]

    def test_out_of_sight_is_missing(self):
        np.testing.assert_equal(after(SpatialCropd(KEYS, roi_start=[6, 0], roi_end=[10, 20])), NAN)

    @pytest.mark.parametrize("factor", [2, 0.5])
    def test_is_resized(self, factor):
        size = [int(10 * factor), int(20 * factor)]
        box = after(Resized(KEYS, size, mode=["area", "nearest"]))
        assert box == pytest.approx([factor * side for side in (2, 3, 6, 9)], abs=0.5)

    def test_is_padded_with_what_is_not_known(self):
        assert after(PadSampled(TASKS, [20, 20])) == [7, 3, 11, 9]

    @pytest.mark.parametrize("box", [None, NAN])
    def test_missing_stays_missing(self, box):
        sample = PAINT({"image": torch.zeros(1, 4, 4), "box": box})
        assert sample["box"].unique().tolist() == [255]
        np.testing.assert_equal(BoxOfMaskd(TASKS)(sample)["box"].tolist(), NAN)

    def test_absent_is_missing(self):
        sample = PAINT({"image": torch.zeros(1, 4, 4)})
        assert sample["box"].unique().tolist() == [255]
        assert FillMissingTargetsd(TASKS)(sample)["box"] is sample["box"]  # a mask stays one

    def test_without_boxes_nothing_happens(self):
        tasks = TaskList([SegmentationTask("segment", ["a", "b"]), *TASKS], only="segment")
        sample = {"image": torch.zeros(1, 4, 4), "segment": torch.ones(1, 4, 4)}
        painted = PaintBoxd(tasks)(sample)
        assert set(painted) == {"image", "segment", "box"}  # to be resized and padded with the others
        assert BoxOfMaskd(tasks)(painted)["box"] is painted["box"]
        assert BoxOfMaskd(tasks)(sample) == sample

    def test_a_box_that_was_not_painted_is_noticed(self):
        with pytest.raises(ValueError, match=r"A mask has one channel, with labels; got shape \(4,\)"):
            BoxOfMaskd(TASKS)({"box": torch.zeros(4)})


class TestPaint:
    def test_has_the_images_affine_and_rounds_outwards(self):
        image = MetaTensor(torch.zeros(3, 4, 4), affine=torch.diag(torch.tensor([2.0, 3, 1, 1])))
        mask = PAINT({"image": image, "box": [0.6, -3.0, 2.2, 1.0]})["box"]
        assert torch.equal(mask.affine, image.affine)
        assert mask.dtype == torch.int16
        assert torch.equal(mask[0, :, 0], torch.tensor([1, 1, 1, 0]))
        assert not mask[0, :, 1:].any()

    @pytest.mark.parametrize("unit", ["normalized", "voxel"])
    def test_in_3d_and_back(self, unit):
        box = torch.tensor([0.25, 0, 0.5, 0.5, 1, 1]) * (1 if unit == "normalized" else 4)
        sample = PaintBoxd(TASKS, unit=unit)({"image": torch.zeros(1, 4, 4, 4), "box": box})
        assert sample["box"].sum() == 1 * 4 * 2
        assert torch.equal(BoxOfMaskd(TASKS, unit=unit)(sample)["box"], box)

    @pytest.mark.parametrize(
        ("box", "message"),
        [
            ([0.0, 1, 2], r"box has shape \(3,\), but a box has two numbers for each of the 2 spatial axes"),
            ([5.0, 0, 7, 2], r"nothing of the box \[5.0, 0.0, 7.0, 2.0\] \(voxel\) is inside the image of 4 x 4"),
        ],
    )
    def test_wrong_boxes_are_refused(self, box, message):
        with pytest.raises(ValueError, match=message):
            PAINT({"image": torch.zeros(1, 4, 4), "box": box})


class TestOfLabelMaps:
    labels = torch.zeros(1, 6, 8, dtype=torch.int16)
    labels[0, 1:3, 2:5] = 1
    labels[0, 4, 7] = 2
    labels[0, 0] = 255

    def test_around_chosen_labels(self):
        assert box_of(unit="voxel")(self.labels).tolist() == [1, 2, 5, 8]
        assert box_of([1], unit="voxel")(self.labels).tolist() == [1, 2, 3, 5]
        assert box_of([3])(self.labels).isnan().all()

    def test_gives_the_target_of_a_task_under_its_name(self):
        sample = BoxOfLabelsd("segment", "box", labels=[1])({"segment": self.labels})
        assert torch.equal(sample["segment"], self.labels)
        target = BoundingBoxTask("box").prepare_target(sample["box"][None])
        torch.testing.assert_close(target[0], torch.tensor([1 / 6, 2 / 8, 3 / 6, 5 / 8]))

    def test_one_channel_is_needed(self):
        with pytest.raises(ValueError, match=r"one channel, with labels; got shape \(2, 4, 4\)"):
            box_of()(torch.zeros(2, 4, 4))


@pytest.mark.parametrize(
    "made",
    [
        lambda: BoxOfLabelsd("segment", "box", unit="mm"),
        lambda: BoxOfMaskd(TASKS, unit="mm"),
        lambda: PaintBoxd(TASKS, unit="mm"),
    ],
)
def test_other_units_are_refused(made):
    with pytest.raises(ValueError, match=r"unit must be one of \['normalized', 'voxel'\], got 'mm'"):
        made()
