from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_mtunet.data.file_names import check_predictions_differ, relative_stems
from monai_mtunet.inferers import TaskPostprocessing
from monai_mtunet.tasks import SegmentationTask, TaskList

TASKS = TaskList([SegmentationTask("segment", ["a", "b"])])


def data(*files):
    return [{"image": file} for file in files]


def test_files_of_one_folder_have_their_own_names():
    stems = relative_stems(data("/d/a.nii.gz", "/d/b.NII.GZ", "/d/c.d.png"))
    assert list(stems.values()) == ["a", "b", "c.d"]


def test_subfolders_are_kept_and_the_first_of_several_files_names_the_prediction():
    files = ("/d/sub-01/anat/T1.nii", ["/d/sub-02/anat/T1.nii", "/d/sub-02/anat/T2.nii"])
    assert relative_stems(data(*files)) == {
        "/d/sub-01/anat/T1.nii": "sub-01/anat/T1",
        "/d/sub-02/anat/T1.nii": "sub-02/anat/T1",
    }


def test_two_images_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"/d/a\.png and /d/a\.nii\.gz would both be saved as a: "):
        relative_stems(data("/d/a.nii.gz", "/d/a.png"))
    assert relative_stems(data("/d/a.png", "/d/a.png")) == {"/d/a.png": "a"}


def test_seeds_and_images_in_memory_name_themselves():
    assert relative_stems([{"seed": 1}, {"image": np.zeros(3)}, {"image": None}]) == {}


def sample(file):
    image = MetaTensor(torch.rand(1, 4, 4), meta={"filename_or_obj": str(file)})
    return {"image": image, "pred": {"segment": torch.rand(2, 4, 4)}}


def test_predictions_lie_as_their_images_do(tmp_path: Path):
    files = [tmp_path / "in" / subject / "T1.png" for subject in ("sub-01", "sub-02")]
    post = TaskPostprocessing(TASKS, tmp_path / "out", data=data(*files))
    for file in files:
        post(sample(file))
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert written == [f"sub-0{n}/T1_{what}.png" for n in (1, 2) for what in ("panel", "segment")]


def test_a_collision_is_found_before_anything_is_written(tmp_path: Path):
    with pytest.raises(ValueError, match="would both be saved as a"):
        TaskPostprocessing(TASKS, tmp_path / "out", data=data(tmp_path / "a.png", tmp_path / "a.jpg"))
    assert not (tmp_path / "out").exists()


def test_numbers_are_no_ending_and_folders_have_none_but_for_zarrs(tmp_path: Path):
    for name in ("1.2.840.6", "v1.raw", "x.ome.zarr", "y.zarr"):
        (tmp_path / name).mkdir()
    files = [*map(str, sorted(tmp_path.iterdir())), *(str(tmp_path / name) for name in ("1.2.7", "a.ome.tif", "b.nii"))]
    assert list(relative_stems(data(*files)).values()) == ["1.2.840.6", "v1.raw", "x", "y", "1.2.7", "a", "b"]


def test_what_is_below_a_searched_folder_is_kept():
    assert relative_stems(data("/d/sub/a.nii"), roots=["/d"]) == {"/d/sub/a.nii": "sub/a"}
    assert relative_stems(data("/d/sub/a.nii"), roots=["/d/sub/a.nii"]) == {"/d/sub/a.nii": "a"}


def test_images_and_tasks_that_together_are_one_name_are_refused():
    stems = {"/d/sub/a_fine.nii": "sub/a_fine", "/d/sub/a.nii": "sub/a", "/d/a_fine.nii": "a_fine"}
    check_predictions_differ(stems, ["segment", "fine_edges", "finesegment"])
    with pytest.raises(ValueError, match=r"'fine_segment' of /d/sub/a.nii and task 'segment' of /d/sub/a_fine.nii .*"):
        check_predictions_differ(stems, ["segment", "fine_segment"])
    check_predictions_differ({"/d/a_fine.nii": "a_fine", "/d/b.nii": "b"}, ["segment", "fine_segment"])
