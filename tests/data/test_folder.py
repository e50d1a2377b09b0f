from pathlib import Path

import pytest

from monai_mtunet.data import folder_datalist


def test_lists_images_by_name_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.nii.gz", "a.PNG", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    assert folder_datalist(tmp_path) == [{"image": str(tmp_path / "a.PNG")}, {"image": str(tmp_path / "b.nii.gz")}]


@pytest.mark.parametrize("folder", [None, "", "nowhere"])
def test_no_folder_says_how_to_give_one(folder: str | None) -> None:
    with pytest.raises(FileNotFoundError, match="--input_dir"):
        folder_datalist(folder)


def test_empty_folder_names_the_extensions(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.nii\.gz"):
        folder_datalist(tmp_path)


def test_hidden_files_are_left_out_and_more_formats_are_listed(tmp_path: Path) -> None:
    for name in ("._a.nii.gz", ".DS_Store", ".hidden.png", "a.nii.gz", "b.webp", "c.ppm", "d.gif", "e.tif", "f.TIFF"):
        (tmp_path / name).touch()
    listed = [Path(sample["image"]).name for sample in folder_datalist(tmp_path)]
    assert listed == ["a.nii.gz", "b.webp", "c.ppm", "d.gif", "e.tif", "f.TIFF"]


def test_folders_of_dicom_are_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    with pytest.raises(ValueError, match="It holds DICOM slices: convert each series"):
        folder_datalist(tmp_path)


def test_folders_of_nnunet_are_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "imagesTr").mkdir()
    with pytest.raises(ValueError, match="laid out as nnU-Net's: give one of its folders imagesTr"):
        folder_datalist(tmp_path)
    (tmp_path / "imagesTr" / "a_0000.nii.gz").touch()
    assert len(folder_datalist(tmp_path / "imagesTr")) == 1
    (tmp_path / "imagesTr" / "a_0001.nii.gz").touch()
    with pytest.raises(ValueError, match=r"""--channels "\['_0000', '_0001'\]\""""):
        folder_datalist(tmp_path / "imagesTr")
    for number in range(2):  # frames of a film are images
        (tmp_path / f"frame_{number:04d}.png").touch()
    assert len(folder_datalist(tmp_path)) == 2


def test_folders_within_are_named(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(ValueError, match="Folders within it are not searched: give one of inner"):
        folder_datalist(tmp_path)


def test_channels_in_files_of_their_own_are_taken_together(tmp_path: Path) -> None:
    for name in (
        "b_t2.nii.gz",
        "b_t1.nii.gz",
        "a_t1.nii.gz",
        "a_t1_t2.nii.gz",
        "a_t2.NII.GZ",
        "a_t1_t1.nii.gz",
        "x.png",
    ):
        (tmp_path / name).touch()
    listed = [[Path(file).name for file in sample["image"]] for sample in folder_datalist(tmp_path, ["_t1", "_t2"])]
    assert listed == [
        ["a_t1.nii.gz", "a_t2.NII.GZ"],
        ["a_t1_t1.nii.gz", "a_t1_t2.nii.gz"],
        ["b_t1.nii.gz", "b_t2.nii.gz"],
    ]
    (tmp_path / "b_t2.nii.gz").unlink()
    with pytest.raises(FileNotFoundError, match=r"b has b_t1\.nii\.gz, but no file that ends in _t2: add it"):
        folder_datalist(tmp_path, ["_t1", "_t2"])
    with pytest.raises(ValueError, match="no image whose name ends in _flair, _dwi; it has a_t1"):
        folder_datalist(tmp_path, ["_flair", "_dwi"])
