#!/usr/bin/env python3
"""Makes tests/data/nets from the golden vectors of the networks: python3 tests/data/make_subset.py [--all] [GOLDEN [TARGET]]

Copies image 0 (with --all: every image) of each size of GOLDEN/nets/<net>.npz into safetensors files, which the native
tests read: images.safetensors holds "image_HxW" (U8 [n, h, w, 3]), shared by all networks; <net>.safetensors
holds "output_HxW" (F32 [n, mh, mw, c]). Without --all, sizes whose image is above 200 kB are left out.
"""

import json
import pathlib
import re
import struct
import sys
import zipfile

DTYPES = {"|u1": "U8", "<f4": "F32"}
MAX_IMAGE_BYTES = 200_000


def read_npy(data):
    """(dtype, shape, bytes) of a version 1 .npy file in C order."""
    assert data[:8] == b"\x93NUMPY\x01\x00", "not a version 1 .npy file"
    (header_bytes,) = struct.unpack_from("<H", data, 8)
    header = data[10 : 10 + header_bytes].decode("latin-1")
    dtype = re.search(r"'descr': '([^']*)'", header).group(1)
    assert "'fortran_order': False" in header
    shape = [int(n) for n in re.search(r"'shape': \(([^)]*)\)", header).group(1).split(",") if n.strip()]
    return DTYPES[dtype], shape, data[10 + header_bytes :]


def first_image(tensor):
    dtype, shape, data = tensor
    return dtype, [1] + shape[1:], data[: len(data) // shape[0]]


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))


def main():
    arguments = sys.argv[1:]
    everything = "--all" in arguments
    paths = [pathlib.Path(a) for a in arguments if a != "--all"]
    here = pathlib.Path(__file__).resolve().parent
    golden = paths[0] if paths else here.parents[2] / "shared" / "golden"
    target = paths[1] if len(paths) > 1 else here / "nets"
    target.mkdir(parents=True, exist_ok=True)

    images = {}
    for source in sorted((golden / "nets").glob("*.npz")):
        outputs = {}
        with zipfile.ZipFile(source) as archive:
            for name in archive.namelist():
                kind, _, size = name.removesuffix(".npy").partition("_")
                if kind != "image":
                    continue
                image = read_npy(archive.read(name))
                output = read_npy(archive.read(f"output_{size}.npy"))
                if not everything:
                    image, output = first_image(image), first_image(output)
                    if len(image[2]) > MAX_IMAGE_BYTES:
                        continue
                assert images.setdefault(f"image_{size}", image) == image, f"{source}: another image of {size}"
                outputs[f"output_{size}"] = output
        write_safetensors(target / f"{source.stem}.safetensors", outputs)
    write_safetensors(target / "images.safetensors", images)


if __name__ == "__main__":
    main()
