"""Tiles a volume along its last axis into a large uncompressed NIfTI, every other tile mirrored; a plane at a time."""

import argparse
from math import prod
from pathlib import Path

import nibabel
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volume", type=Path)
    parser.add_argument("output", type=Path, help="ends with .nii; float32")
    parser.add_argument("--depth", type=int, default=2000, help="planes of the output")
    args = parser.parse_args()
    source = nibabel.load(args.volume)
    tile = np.asanyarray(source.dataobj).astype(np.float32)
    header = nibabel.Nifti1Image(tile[..., :1], source.affine).header
    header.set_data_shape((*tile.shape[:2], args.depth))
    header["magic"], header["vox_offset"] = b"n+1", 352
    order = [*range(tile.shape[2]), *reversed(range(tile.shape[2]))]
    with args.output.open("wb") as file:
        file.write(header.binaryblock.ljust(352, b"\0"))
        for plane in range(args.depth):
            file.write(tile[..., order[plane % len(order)]].tobytes(order="F"))
    shape = nibabel.load(args.output).shape
    print(f"{args.output}: {' x '.join(map(str, shape))}, {prod(shape):.3g} voxels")


if __name__ == "__main__":
    main()
