"""What is to be predicted is found in files, folders, patterns and lists, and named before anything is written."""

import json
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from monai_mtunet.files import folder_search, open_image
from monai_mtunet.prediction.inputs import PredictionInput, find_inputs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def touch(*names: str) -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def stems(inputs: Iterable[PredictionInput]) -> dict[str, str]:
    """{path from here: stem} of images in one file."""
    return {os.path.relpath(one.files[0]): one.stem for one in inputs}


def write_series(folder: Path, slices: int, series: str | None = None, prefix: str = "IM") -> None:
    """A series of slices as scanners write it: names without endings, in an order of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    series, study, frame = series or generate_uid(), generate_uid(), generate_uid()
    for number in range(slices):
        data = pydicom.Dataset()
        data.file_meta = pydicom.dataset.FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        data.SeriesInstanceUID, data.StudyInstanceUID, data.FrameOfReferenceUID = series, study, frame
        data.Modality, data.PatientName, data.PatientID = "CT", "A", "1"
        data.SeriesDate = data.StudyDate = "20240101"
        data.InstanceNumber = number + 1
        data.ImagePositionPatient = [0, 0, 2.0 * number]
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness = [1, 1], 2
        data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 4, 5, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 0
        data.PixelData = np.full((4, 5), number, np.uint16).tobytes()
        data.save_as(folder / f"{prefix}{slices - number:04d}", enforce_file_format=True)


def test_a_folder_is_searched_with_its_structure_kept_and_tells_what_it_leaves_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    touch("scans/b.nii.gz", "scans/A.PNG", "scans/sub1/t1.nrrd", "scans/sub2/deep/t1.nrrd", "scans/stack.ome.tif")
    touch("scans/notes.txt", "scans/sub1/t1.json", "scans/._b.nii.gz", "scans/.git/a.png", "scans/__MACOSX/b.nii.gz")
    with caplog.at_level(logging.WARNING):
        found = find_inputs(["scans"])
    assert stems(found) == {
        "scans/A.PNG": "A",
        "scans/b.nii.gz": "b",
        "scans/stack.ome.tif": "stack",
        "scans/sub1/t1.nrrd": "sub1/t1",
        "scans/sub2/deep/t1.nrrd": "sub2/deep/t1",
    }
    assert all(os.path.isabs(one.files[0]) and one.source == "scans" for one in found)
    assert "Left out: 2 that are no images: scans/notes.txt, scans/sub1/t1.json; 3 hidden." in caplog.text


@pytest.fixture
def earlier_run() -> None:
    """Images, and in a folder among them what was predicted of two: one finished, the other begun."""
    touch("scans/a.nii.gz", "scans/sub/b.nii.gz", "scans/out/mine.nii.gz", "scans/out/sub/b_segment.ome.zarr/zarr.json")
    touch("scans/out/a_segment.nii.gz", "scans/out/a_panel.png", "scans/out/a_cells.tif", "scans/out/a_segmented.nii")
    lines = [
        {"tasks": ["segment"]},
        {"part": "a", "source": [], "files": ["a_segment.nii.gz", "a_cells.tif"]},
        {"part": "sub/b", "begun": True},
    ]
    Path("scans/out/predictions.2-of-3.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_predictions_of_an_earlier_run_are_no_images(earlier_run: None, caplog: pytest.LogCaptureFixture) -> None:
    images = ["scans/a.nii.gz", "scans/out/a_segmented.nii", "scans/out/mine.nii.gz", "scans/sub/b.nii.gz"]
    for source in ("scans", "scans/", "scans/**", "scans/*"):
        caplog.clear()
        assert sorted(stems(find_inputs([source]))) == images
        assert "4 predicted by earlier runs: scans/out/a_cells.tif, scans/out/a_panel.png, scans/out/" in caplog.text
    assert sorted(stems(find_inputs(["scans/out"]))) == images[1:3]
    assert sorted(stems(find_inputs(["scans/**/*.nii.gz"]))) == [images[0], *images[2:]]


def test_predictions_are_images_where_they_are_named(earlier_run: None) -> None:
    assert list(stems(find_inputs(["scans/out/*_segment.nii.gz"]))) == ["scans/out/a_segment.nii.gz"]
    assert list(stems(find_inputs(["scans/out/a_panel.png"]))) == ["scans/out/a_panel.png"]
    for name in ("mine.nii.gz", "a_segmented.nii"):
        Path("scans/out", name).unlink()
    told = r"scans/out holds no image .*, but 4 predicted by earlier runs: .* a pattern, such as 'scans/out/\*\.tif'"
    with pytest.raises(ValueError, match=told):
        find_inputs(["scans/out"])
    with pytest.raises(ValueError, match=r"matches no image to predict, but 1 predicted by earlier runs"):
        find_inputs(["scans/*/*_segment.nii.gz"])


@pytest.mark.parametrize("content", ["", "no JSON\n", "[]\n", '{"tasks": 3}\n{"part": "a"}\n', '{}\n{"image": "a"}\n'])
def test_a_file_that_is_no_ledger_says_nothing_of_predictions(content: str) -> None:
    touch("scans/a.nii.gz", "scans/a_segment.nii.gz")
    Path("scans/predictions.jsonl").write_text(content)
    assert len(find_inputs(["scans"])) == 2


def test_names_do_not_depend_on_which_images_are_there_today() -> None:
    touch("scans/sub1/t1.nii.gz")
    assert stems(find_inputs(["scans"])) == {"scans/sub1/t1.nii.gz": "sub1/t1"}
    touch("scans/sub2/t1.nii.gz")
    assert stems(find_inputs(["scans"]))["scans/sub1/t1.nii.gz"] == "sub1/t1"


def test_files_have_their_names_and_what_is_named_twice_counts_once() -> None:
    touch("a/x.nii.gz", "a/y.png", "b/x.nii.gz")
    assert stems(find_inputs(["a/y.png"])) == {"a/y.png": "y"}
    again = ["a/x.nii.gz", "a", Path("b").absolute() / ".." / "a" / "x.nii.gz", "a/*"]
    assert stems(find_inputs(again)) == {"a/x.nii.gz": "x", "a/y.png": "y"}
    assert stems(find_inputs(["a", "b"])) == {"a/x.nii.gz": "a/x", "a/y.png": "a/y", "b/x.nii.gz": "b/x"}


def test_a_file_of_any_kind_is_taken_where_it_is_named() -> None:
    touch("scan.hdr", ".hidden.png")
    assert [one.stem for one in find_inputs(["scan.hdr", ".hidden.png"])] == ["scan", ".hidden"]


def test_names_that_collide_are_refused() -> None:
    touch("scans/a.nii.gz", "scans/a.png")
    with pytest.raises(ValueError, match=r"a\.png and .*a\.nii\.gz would both be saved as a: "):
        find_inputs(["scans"])


@pytest.mark.parametrize("pattern", ["scans/*/t1.nii.gz", "scans/**/t1.nii.gz", "sc?ns/*/t1*", "scans/**", "scans/*"])
def test_patterns_keep_what_follows_their_fixed_part(pattern: str) -> None:
    touch("scans/sub1/t1.nii.gz", "scans/sub2/t1.nii.gz", "scans/sub1/notes.txt")
    found = find_inputs([pattern])
    below = "" if pattern.startswith("scans") else "scans/"
    assert [one.stem for one in found] == [f"{below}sub1/t1", f"{below}sub2/t1"]


def test_a_file_whose_name_looks_like_a_pattern_is_itself() -> None:
    touch("a[1].png", "a1.png")
    assert [one.stem for one in find_inputs(["a[1].png"])] == ["a[1]"]


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist: give a file, a folder, a pattern or a da"):
        find_inputs(["nowhere"])
    with pytest.raises(FileNotFoundError, match=r"Nothing matches '\*\.png'"):
        find_inputs(["*.png"])


def test_nothing_found_says_what_is_there_instead() -> None:
    touch("scans/a.txt", "scans/inner/b.txt", "scans/.c.png")
    with pytest.raises(ValueError, match=r"scans holds no image to predict, but 2 that are no images: scans/a\.txt"):
        find_inputs(["scans"])
    with pytest.raises(ValueError, match=r"and 1 hidden\. Images are DICOM, .*\.nii\.gz"):
        find_inputs(["scans"])
    with pytest.raises(ValueError, match=r"'scans/\*\.txt' matches no image to predict, but 1 that is no image"):
        find_inputs(["scans/*.txt"])
    Path("empty").mkdir()
    with pytest.raises(ValueError, match="empty holds no image to predict, but nothing at all"):
        find_inputs(["empty"])


def test_a_zarr_store_is_one_image(tmp_path: Path) -> None:
    zarr = pytest.importorskip("zarr")
    for name in ("scans/x.ome.zarr", "scans/y.zarr", "scans/store"):
        zarr.create_array(tmp_path / name, shape=(4, 4, 4), dtype="u1")
    expected = {"scans/store": "store", "scans/x.ome.zarr": "x", "scans/y.zarr": "y"}
    assert stems(find_inputs(["scans"])) == stems(find_inputs(["scans/**"])) == expected
    assert stems(find_inputs(["scans/x.ome.zarr"])) == {"scans/x.ome.zarr": "x"}


def test_a_folder_of_one_dicom_series_is_one_image(tmp_path: Path) -> None:
    write_series(tmp_path / "study" / "1.2.840.1", 3)
    write_series(tmp_path / "study" / "1.2.840.2", 4)
    touch("study/1.2.840.1/report.pdf")
    found = find_inputs(["study"])
    assert stems(found) == {"study/1.2.840.1": "1.2.840.1", "study/1.2.840.2": "1.2.840.2"}
    assert [open_image(one.files).shape for one in found] == [(1, 5, 4, 3), (1, 5, 4, 4)]
    assert stems(find_inputs(["study/1.2.840.1"])) == {"study/1.2.840.1": "1.2.840.1"}
    assert stems(find_inputs(["study/1.2.840.1/IM*"])) == {"study/1.2.840.1": "1.2.840.1"}


def test_dicom_images_of_one_slice_are_images_of_their_own(tmp_path: Path) -> None:
    for name in ("1.2.3", "1.2.4"):
        write_series(tmp_path / "xrays", 1, prefix=name)
    assert stems(find_inputs(["xrays"])) == {f"xrays/1.2.{n}0001": f"1.2.{n}0001" for n in (3, 4)}


def test_series_that_are_mixed_in_one_folder_fail_alone(tmp_path: Path) -> None:
    for prefix in ("A", "B"):
        write_series(tmp_path / "study" / "mixed", 3, prefix=prefix)
    touch("study/a.png")
    found = find_inputs(["study"])
    assert stems(found) == {"study/a.png": "a", "study/mixed": "mixed"}
    with pytest.raises(OSError, match="several DICOM series: move each into a folder of its own"):
        open_image(found[1].files)


def test_lists_name_the_files_of_each_image() -> None:
    touch("data/s1_t1.nii", "data/s1_t2.nii", "data/s2_t1.nii", "data/s2_t2.nii", "data/s3_t1.nii")
    Path("data/list.json").write_text(
        '{"training": [{"image": ["s1_t1.nii", "s1_t2.nii"], "segment": "absent.nii"}],'
        ' "test": [["s2_t1.nii", "s2_t2.nii"]]}'
    )
    (one,) = find_inputs(["data/list.json#test"])
    assert one == PredictionInput(
        tuple(os.path.abspath(f"data/s2_t{n}.nii") for n in (1, 2)), "s2_t1", "data/list.json#test"
    )
    assert [one.stem for one in find_inputs(["data/list.json#train", "data/s3_t1.nii"])] == ["s1_t1", "s3_t1"]
    with pytest.raises(ValueError, match=r'the sections "training", "test": say which, as data/list\.json#test\.'):
        find_inputs(["data/list.json"])
    Path("data/list.csv").write_text("image,image\ns1_t1.nii,s1_t2.nii\n")
    assert [len(one.files) for one in find_inputs(["data/list.csv"])] == [2]
    Path("data/twice.csv").write_text("image,image\ns1_t1.nii,s2_t2.nii\n")
    with pytest.raises(ValueError, match=r"s1_t1\.nii is the first file of two images"):
        find_inputs(["data/list.csv", "data/twice.csv"])


def test_channels_in_files_of_their_own() -> None:
    names = [f"{case}_000{n}.nii.gz" for case in ("a", "sub/b") for n in (0, 1)]
    touch(*(f"imagesTs/{name}" for name in names), "imagesTs/c.nii.gz")
    found = find_inputs(["imagesTs"], channels=["_0000", "_0001"])
    assert [[os.path.relpath(file, "imagesTs") for file in one.files] for one in found] == [names[:2], names[2:]]
    assert [one.stem for one in found] == ["a_0000", "sub/b_0000"]
    with pytest.raises(ValueError, match=r"Say so, .*: --channels _0000 --channels _0001"):
        find_inputs(["imagesTs"])
    with pytest.raises(ValueError, match="--channels _0000 --channels _0001"):
        find_inputs(["imagesTs/*_000?.nii.gz"])


@pytest.mark.parametrize("path", ["scans", "scans/*", "scans/**/*.png"])
def test_predictions_in_a_searched_folder_are_no_images(path: str) -> None:
    touch("scans/a.png", "scans/out/a_segment.png", "scans/out/sub/b_segment.png")
    assert stems(find_inputs([path], output="scans/out")) == {"scans/a.png": "a"}
    with pytest.raises(ValueError, match="scans is the folder of the predictions as well"):
        find_inputs(["scans"], output="scans")


def test_links_to_folders_are_followed_once() -> None:
    touch("disk/a.png", "scans/b.png")
    os.symlink(os.path.abspath("disk"), "scans/disk")
    os.symlink(os.path.abspath("scans"), "disk/back")
    assert stems(find_inputs(["scans"])) == {"scans/b.png": "b", "scans/disk/a.png": "disk/a"}


def test_a_link_that_leads_nowhere_and_a_closed_folder_fail_when_they_are_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    touch("scans/a.png", "scans/closed/b.png")
    os.symlink("nowhere", "scans/lost.png")
    os.symlink("nowhere", "scans/lost")
    whole: Callable[[Path], bool] = folder_search.is_zarr

    def closed(folder: Path) -> bool:
        if folder.name == "closed":
            raise PermissionError(folder)
        return whole(folder)

    monkeypatch.setattr(folder_search, "is_zarr", closed)
    assert list(stems(find_inputs(["scans"]))) == ["scans/a.png", "scans/lost.png", "scans/closed"]
