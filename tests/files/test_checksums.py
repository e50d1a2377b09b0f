"""What libraries read past: wrong checksums, and JPEGs without an end."""

import gzip

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from monai_mtunet.files import open_image
from monai_mtunet.transforms import LoadSampled, PictureReader

VALUES = np.random.default_rng(0).integers(0, 256, (24, 20, 3), dtype=np.uint8)


def changed(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)


def test_a_compressed_volume_with_a_wrong_checksum(tmp_path):
    path = tmp_path / "a.nii.gz"
    volume = np.random.default_rng(0).normal(size=(40, 50, 60)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, np.eye(4)), path)
    np.testing.assert_array_equal(open_image(path).read()[0], volume)
    np.testing.assert_array_equal(open_image(path).read([slice(1, 3)] * 3)[0], volume[1:3, 1:3, 1:3])
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[-4] ^= 1
    path.write_bytes(gzip.compress(bytes(content)))
    changed(path, -8)  # of the checksum, which nibabel does not read
    assert not np.array_equal(np.asarray(nib.load(path).dataobj), volume)
    with pytest.raises(OSError, match=r"a.nii.gz cannot be read. It is truncated, corrupt.*replace.*CRC"):
        open_image(path).read()


def test_a_volume_in_several_compressed_parts_is_whole(tmp_path):
    path = tmp_path / "a.nii"
    volume = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, np.eye(4)), path)
    content = path.read_bytes()
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content[:999]) + gzip.compress(content[999:]))
    np.testing.assert_array_equal(open_image(tmp_path / "a.nii.gz").read()[0], volume)


@pytest.mark.parametrize("reader", [None, PictureReader("L")])
def test_a_png_with_a_wrong_checksum(tmp_path, reader):
    path = tmp_path / "a.png"
    Image.fromarray(VALUES).save(path)
    load = LoadSampled("image", reader=reader)
    load({"image": path})
    content = path.read_bytes()
    start = content.index(b"IDAT")
    length = int.from_bytes(content[start - 4 : start], "big")
    changed(path, start + 4 + length)  # of the pixels' checksum
    np.asarray(Image.open(path))  # Pillow does not notice
    with pytest.raises(OSError, match=r"image: .*a.png cannot be read. It is truncated, corrupt .*replace"):
        load({"image": path})


def test_a_jpeg_without_an_end(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x010E] = "a thumbnail's own end \xff\xd9"
    Image.fromarray(VALUES).save(path, exif=exif, quality=95)
    whole = open_image(path).read()
    content = path.read_bytes()
    path.write_bytes(content + b"more at the end")
    np.testing.assert_array_equal(open_image(path).read(), whole)
    path.write_bytes(content[:-400] + bytes(400))
    np.asarray(Image.open(path))  # Pillow does not notice
    with pytest.raises(OSError, match=r"a.jpg cannot be read.*its image has no end"):
        open_image(path)
