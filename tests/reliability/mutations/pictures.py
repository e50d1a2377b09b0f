"""PNG, TIFF and JPEG with headers that claim something else, and of kinds that are rare."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.random import Generator
from PIL import Image

from .any_file import Mutation, flipped


def _pick(rng: Generator, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _saved(change: Callable[[Image.Image, Generator], Image.Image], **options: Any) -> Mutation:
    def mutate(path: Path, rng: Generator) -> None:
        with Image.open(path) as image:
            image.load()
        change(image, rng).save(path, **options)

    return mutate


def _of_a_mode(image: Image.Image, rng: Generator) -> Image.Image:
    mode = _pick(rng, "L", "RGB", "CMYK") if image.format == "JPEG" else _pick(rng, "L", "1", "P", "LA", "RGBA", "I;16")
    if mode == "I;16":
        return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 200)
    return image.convert(mode)


def _of_a_size(image: Image.Image, rng: Generator) -> Image.Image:
    return image.resize(_pick(rng, (1, 1), (1, 40), (300, 2), (17, 16), (18, 15)))


def _turned(image: Image.Image, rng: Generator) -> Image.Image:
    image.getexif()[274] = int(rng.integers(2, 12))
    return image


def _constant(image: Image.Image, rng: Generator) -> Image.Image:
    return Image.new(
        image.mode, image.size, _pick(rng, 0, 1, 255) if image.mode in "LP" else _pick(rng, (0,) * 3, (9,) * 3)
    )


def _classes_that_are_none(image: Image.Image, rng: Generator) -> Image.Image:
    array = np.array(image)
    array.flat[int(rng.integers(array.size))] = _pick(rng, 3, 77, 254)
    return Image.fromarray(array)


def _wrong_crc(path: Path, rng: Generator) -> None:
    """Of the chunk that holds the pixels."""
    content = bytearray(path.read_bytes())
    start = content.index(b"IDAT")
    (length,) = struct.unpack_from(">I", content, start - 4)
    content[start + 4 + length + int(rng.integers(4))] ^= 1 << int(rng.integers(8))
    path.write_bytes(content)


def _chunk(content: bytearray, start: int, length: int) -> None:
    struct.pack_into(">I", content, start + 4 + length, zlib.crc32(content[start : start + 4 + length]))


def _claimed_png(path: Path, rng: Generator) -> None:
    content = bytearray(path.read_bytes())
    size = _pick(rng, (2**31 - 1, 2**31 - 1), (0, 16), (100000, 100000), (18, 17), (17, 16), (4000, 4000))
    struct.pack_into(">2I", content, 16, *size)
    _chunk(content, 12, 13)
    path.write_bytes(content)


def _claimed_bits(path: Path, rng: Generator) -> None:
    content = bytearray(path.read_bytes())
    content[24:26] = bytes(_pick(rng, (16, 2), (8, 0), (1, 0), (8, 6), (7, 2), (8, 3), (8, 9)))
    _chunk(content, 12, 13)
    path.write_bytes(content)


def _claimed_jpeg(path: Path, rng: Generator) -> None:
    content = bytearray(path.read_bytes())
    start = content.index(b"\xff\xc0") + 5
    struct.pack_into(">2H", content, start, *_pick(rng, (65500, 65500), (0, 16), (17, 18), (8, 8), (30000, 30000)))
    path.write_bytes(content)


def _tag(number: int, *choices: int) -> Mutation:
    """Change the first value of a TIFF's tag."""

    def mutate(path: Path, rng: Generator) -> None:
        content = bytearray(path.read_bytes())
        (start,) = struct.unpack_from("<I", content, 4)
        (count,) = struct.unpack_from("<H", content, start)
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from("<2H", content, entry)
            if tag == number:
                struct.pack_into("<H" if kind == 3 else "<I", content, entry + 8, _pick(rng, *choices))
        path.write_bytes(content)

    return mutate


def _several_pages(path: Path, rng: Generator) -> None:
    with Image.open(path) as image:
        image.load()
    image.save(path, save_all=True, append_images=[image] * int(rng.integers(1, 4)))


def _not_finite(path: Path, rng: Generator) -> None:
    array = tifffile.imread(path).astype(np.float32)
    array.flat[rng.integers(0, array.size, 5)] = _pick(rng, np.nan, np.inf)
    tifffile.imwrite(path, array, photometric="rgb" if array.ndim == 3 else "minisblack")


def _first(count: int) -> Mutation:
    return lambda path, rng: flipped(path, rng, 0, count)


PICTURES: dict[str, Mutation] = {
    "another mode": _saved(_of_a_mode),
    "another size": _saved(_of_a_size),
    "turned by a camera": _saved(_turned),
    "constant": _saved(_constant),
}
PNG = PICTURES | {
    "flipped bits in the header": _first(33),
    "claimed size": _claimed_png,
    "claimed bits and colors": _claimed_bits,
    "wrong checksum": _wrong_crc,
}
LABELS = {"no class": _saved(_classes_that_are_none)}
TIFF = PICTURES | {
    "flipped bits in the header": lambda path, rng: flipped(path, rng, 0, 8),
    "flipped bits in the tags": lambda path, rng: flipped(path, rng, path.stat().st_size - 160),
    "claimed size": _tag(256, 0, 1, 19, 65535, 10**6, 2**32 - 1),
    "claimed rows": _tag(257, 0, 1, 17, 65535),
    "claimed bits": _tag(258, 0, 1, 16, 32, 64, 7),
    "claimed channels": _tag(277, 0, 1, 2, 4, 1000),
    "claimed compression": _tag(259, 0, 5, 8, 7, 32773, 50000, 34712),
    "offset of the values": _tag(273, 0, 4, 10**6, 2**32 - 1),
    "several pages": _several_pages,
    "values not finite": _not_finite,
    "deflate": _saved(lambda image, rng: image, compression="tiff_deflate"),
}
JPEG = PICTURES | {
    "flipped bits in the header": _first(160),
    "claimed size": _claimed_jpeg,
}
