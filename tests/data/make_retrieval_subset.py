#!/usr/bin/env python3
"""Makes tests/data/{preprocess,rmac,whitening} from the golden vectors: make_retrieval_subset.py GOLDEN [TARGET]

preprocess/golden.safetensors  image_N (U8 [h, w, 3]), expected_N (F32 [size, size, 3]), shapes (I32, the whole table)
rmac/golden.safetensors        map_M, rmac_M_STEPS_POOL as in rmac.npz for some maps, table (I32, the whole table)
whitening/golden.safetensors   rows (F32), mean, components, variances of the exact PCA, components_randomized, variances_randomized of
                               scikit-learn's randomized one, normals it starts from (F64)
Standard library only; PNGs are decoded here, because the native core decodes no files.
"""

import json
import pathlib
import re
import struct
import sys
import zipfile
import zlib

DTYPES = {"|u1": "U8", "<f4": "F32", "<f8": "F64"}
MAPS = ["1", "7", "8", "14", "28", "9x14"]


def read_npz(path):
    """name -> (dtype, shape, bytes in C order) of every array in the file."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            assert data[:8] == b"\x93NUMPY\x01\x00", f"{name} is not a version 1 .npy file"
            (size,) = struct.unpack_from("<H", data, 8)
            header = data[10 : 10 + size].decode("latin-1")
            dtype = DTYPES[re.search(r"'descr': '([^']*)'", header).group(1)]
            shape = [int(n) for n in re.search(r"'shape': \(([^)]*)\)", header).group(1).split(",") if n.strip()]
            values = data[10 + size :]
            if "'fortran_order': True" in header:
                rows, columns = shape
                width = len(values) // (rows * columns)
                values = b"".join(values[(c * rows + r) * width : (c * rows + r + 1) * width]
                                  for r in range(rows) for c in range(columns))
            arrays[name.removesuffix(".npy")] = (dtype, shape, values)
    return arrays


def read_png(path):
    """(width, height, RGB bytes) of a non-interlaced 8-bit RGB PNG."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", f"{path} is not a PNG"
    offset, packed = 8, b""
    while offset < len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        kind, body = data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlace) == (8, 2, 0), f"{path}: only 8-bit RGB without interlace"
        elif kind == b"IDAT":
            packed += body
        offset += length + 12
    raw, pitch, previous, out = zlib.decompress(packed), width * 3, bytearray(width * 3), bytearray()
    for y in range(height):
        kind, row = raw[y * (pitch + 1)], bytearray(raw[y * (pitch + 1) + 1 : (y + 1) * (pitch + 1)])
        for x in range(pitch):
            left = row[x - 3] if x >= 3 else 0
            up, corner = previous[x], previous[x - 3] if x >= 3 else 0
            if kind == 1:
                row[x] = (row[x] + left) & 255
            elif kind == 2:
                row[x] = (row[x] + up) & 255
            elif kind == 3:
                row[x] = (row[x] + (left + up) // 2) & 255
            elif kind == 4:
                estimate = left + up - corner
                nearest = min((abs(estimate - left), 0, left), (abs(estimate - up), 1, up), (abs(estimate - corner), 2, corner))
                row[x] = (row[x] + nearest[2]) & 255
        out += row
        previous = row
    return width, height, bytes(out)


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data for _, _, data in tensors.values()))
    print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")


def table(rows):
    return "I32", [len(rows), len(rows[0])], struct.pack(f"<{len(rows) * len(rows[0])}i", *(v for row in rows for v in row))


def preprocess(golden):
    cases = json.loads((golden / "cases.json").read_text())
    expected = read_npz(golden / "expected.npz")
    tensors = {"shapes": table(cases["shapes"])}
    for i, case in enumerate(cases["images"]):
        if case["img_size"] > 100:
            continue  # img3 at 224: 600 kB
        width, height, pixels = read_png(golden / case["file"])
        assert [height, width] == [case["height"], case["width"]]
        tensors[f"image_{i}"] = ("U8", [height, width, 3], pixels)
        tensors[f"expected_{i}"] = expected[f"out{i}"]
    return tensors


def rmac(golden):
    tensors = {"table": table(json.loads((golden / "table.json").read_text())["rows"])}
    for name, array in read_npz(golden / "rmac.npz").items():
        if name.split("_")[1] in MAPS:
            tensors[name] = array
    return tensors


def whitening(golden):
    arrays = read_npz(golden / "pca_out_dim_16.npz")
    _, shape, data = arrays["normalized_rows"]
    count = shape[0] * shape[1]
    rows = struct.pack(f"<{count}f", *struct.unpack(f"<{count}d", data))
    return {"rows": ("F32", shape, rows), "mean": arrays["mean"], "components": arrays["components_exact"],
            "variances": arrays["variance_exact"], "components_randomized": arrays["components_randomized"],
            "variances_randomized": arrays["variance_randomized"], "normals": arrays["randomstate0_normal"]}


def main(golden, target):
    for folder, make, source in [("preprocess", preprocess, "preprocess"), ("rmac", rmac, "rmac"), ("whitening", whitening, "deep_query")]:
        write_safetensors(target / folder / "golden.safetensors", make(golden / source))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else pathlib.Path(__file__).parent))
