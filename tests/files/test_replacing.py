"""A file bears its name only when it is complete."""

import pytest

from monai_mtunet.files.replacing import replacing


def test_what_is_complete_replaces_what_was_there(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with replacing(path) as made:
        assert (made.parent, made.suffix, path.read_text()) == (tmp_path, ".csv", "old")
        made.write_text("new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_after_an_error_all_is_as_before(tmp_path):
    path = tmp_path / "a.csv"

    def half(path):
        with replacing(path) as made:
            made.write_text("hal")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: '.*a\.csv'"):
        half(path)
    assert not list(tmp_path.iterdir())
    path.write_text("old")
    with pytest.raises(OSError, match="No space"):
        half(path)
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])
