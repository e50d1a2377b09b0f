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
