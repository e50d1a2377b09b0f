"""What a network learns from targets, and what they become."""

import pytest

from monai_mtunet.planning.data import DataCase, FoundData, TargetKind
from monai_mtunet.planning.fingerprint import DataFingerprint
from monai_mtunet.planning.rules.intensities import choose_intensities
from monai_mtunet.planning.rules.tasks import choose_tasks, in_order, without_reference

from .fingerprints import case, channel

MRI = choose_intensities([case()], ["MRI"])


def declared(kind, *targets, wanted=(), **found):
    """The task of the target "a", of which each image has one of the targets."""
    cases = tuple(DataCase(str(n), (f"/{n}",), {"a": f"/{n}_a"}) for n in range(len(targets)))
    data = FoundData(cases, {"a": kind}, ("0",), "a folder", **found)
    fingerprint = DataFingerprint([case(targets={"a": target}) for target in targets])
    return choose_tasks(data, fingerprint, MRI, wanted, 3)


def task(kind, *targets, **found):
    return declared(kind, *targets, **found)[0][0]


def values(whole=False, **statistics):
    return {"channels": [channel(**statistics)], "whole": whole}


def test_classes_are_the_numbers_in_the_files():
    one = task(TargetKind.SEGMENTATION, {"labels": {"0": 90, "1": 9, "255": 1}}, {"labels": {"0": 90, "2": 10}})
    assert one.tasks[0]["classes"] == ["background", "label_1", "label_2"]  # 255 is missing
    assert "labels" not in one.tasks[0]
    assert one.key_metric == "a_dice"


def test_of_masks_255_is_a_class():
    assert task(TargetKind.SEGMENTATION, {"labels": {"0": 9, "255": 1}}).tasks[0]["labels"] == [0, 255]


def test_numbers_with_gaps_are_told():
    assert task(TargetKind.SEGMENTATION, {"labels": {"0": 9, "7": 1}}).tasks[0]["labels"] == [0, 7]


def test_declared_classes_have_their_names_and_ignored_ones_none():
    labels = {"a": {"background": 0, "vessel": (1, 2)}}
    one = task(TargetKind.SEGMENTATION, {"labels": {"0": 9, "2": 1}}, labels=labels, ignored={"a": (9,)}).tasks[0]
    assert one["classes"] == ["background", "vessel"]
    assert one["labels"] == [0, [1, 2]]
    assert one["ignored_labels"] == [9]


def test_regions_that_overlap_become_classes_that_do_not():
    labels = {"a": {"background": 0, "whole": (1, 2, 3), "core": (2, 3), "enhancing": 3}}
    one = task(TargetKind.SEGMENTATION, {"labels": {"0": 9, "1": 1, "2": 1, "3": 1}}, labels=labels).tasks[0]
    assert one["classes"] == ["background", "whole", "core", "enhancing"]
    assert "labels" not in one


def test_one_class_is_no_segmentation():
    with pytest.raises(ValueError, match="one class: a segmentation needs two"):
        task(TargetKind.SEGMENTATION, {"labels": {"0": 9}})


def test_colors_become_classes_and_their_palette():
    one = task(TargetKind.COLORED_SEGMENTATION, {"labels": {"0 0 142": 1, "128 64 128": 9}})
    assert one.tasks[0]["palette"] == [[128, 64, 128], [0, 0, 142]]
    assert one.decode[0]["colors"] == [[128, 64, 128], [0, 0, 142]]
    assert one.reader == {"_target_": "PictureReader", "mode": "RGB"}


def test_objects_are_learned_by_what_they_are_made_of():
    one = task(TargetKind.INSTANCES, values())
    assert [entry["_target_"] for entry in one.tasks] == ["SegmentationTask", "DistanceTask", "InstanceTask"]
    assert [step["_target_"] for step in one.make] == ["CopyItemsd", "AsDiscreted", "DistanceMapd"]
    assert one.name == "a"


@pytest.mark.parametrize(("whole", "decoders", "scale"), [(True, 1, 0.1), (False, 0, 100)])
def test_whole_depths_are_millimeters(whole, decoders, scale):
    one = task(TargetKind.DEPTH, values(whole))
    assert len(one.decode) == decoders
    assert one.tasks[0]["scale"] == scale
    assert one.tasks[0]["draw_range"] == [scale, 5 * scale]


def test_masks_of_edges_are_brought_to_1():
    assert task(TargetKind.EDGES, values(max=255.0)).decode[0]["target_labels"] == [0, 1]
    assert task(TargetKind.EDGES, values(max=1.0)).decode == []


def test_distances_say_whether_they_are_signed():
    assert task(TargetKind.DISTANCE, values(min=-3.0)).tasks[0]["signed"]
    assert not task(TargetKind.DISTANCE, values()).tasks[0]["signed"]


def test_classes_of_images_have_their_names():
    one = task(TargetKind.CLASS, 0, 1, labels={"a": {"cat": 0, "dog": 1}})
    assert one.tasks[0]["classes"] == ["cat", "dog"]
    assert one.has_vector


def test_boxes_in_voxels_and_in_parts():
    assert task(TargetKind.BOX, (0.1, 0.2, 0.5, 0.6)).tasks[0]["unit"] == "normalized"
    assert task(TargetKind.BOX, (1, 2, 50, 60)).tasks[0]["unit"] == "voxel"


def test_what_is_not_asked_for_and_what_is_no_task_is_left_out_with_the_reason():
    tasks, (choice,) = declared(TargetKind.QUANTITY, values(), wanted=["b"])
    assert tasks == []
    assert choice.value == "left out"
    tasks, (choice,) = declared(TargetKind.NUMBER, 3.5)
    assert tasks == []
    assert "no task" in choice.reason


def test_tasks_go_from_the_image_to_what_it_means():
    segment, height = task(TargetKind.SEGMENTATION, {"labels": {"0": 9, "1": 1}}), task(TargetKind.QUANTITY, values())
    denoise, _ = without_reference(MRI, 1, 0.1, asked=True)
    ordered, metric, _ = in_order([segment, height, denoise])
    assert ordered == [denoise, height, segment]
    assert metric == "a_dice"
    assert in_order([height, denoise])[1] == "denoise_psnr"


def test_noisy_images_are_denoised_by_blind_spots_and_clean_ones_only_if_asked():
    clean, noisy = (choose_intensities([case(noise=level)], ["MRI"]) for level in (4.0, 40.0))
    assert without_reference(clean, 1, None, asked=False)[0] is None
    asked, _ = without_reference(clean, 1, None, asked=True)
    assert asked.tasks[0]["clean_target"] is False
    assert asked.key_metric == "denoise_noisy_mse"
    assert without_reference(noisy, 1, None, asked=False)[0] == without_reference(noisy, 1, None, asked=True)[0]
    added, choice = without_reference(clean, 1, 0.1, asked=False)
    assert "clean_target" not in added.tasks[0]
    assert "noise of 0.1 is added" in choice.reason
