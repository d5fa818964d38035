#!/usr/bin/env python3
"""Makes tests/data/deep_query from the full golden set: make_deep_query_subset.py GOLDEN_FOLDER

Copies the features, the index and a choice of expected match_pairs, and turns the pickled PCA into the safetensors that
Mirror reads. Standard library only: the pickle is read with stand-ins for numpy's classes.
"""
import io
import json
import pathlib
import pickle
import shutil
import struct
import sys

KEEP = ["plain", "out_dim_16", "pca_thresh_0.9", "pca_file", "rmac", "mac_out_dim_16", "aml", "euclidean", "euclidean_out_dim_16",
        "qe5_et2_out_dim_16", "queries_out_dim_16", "out_dim_40_no_pca", "pca_file_out_dim_100_ignored", "qe5_et0",
        "qe5_et2_euclidean_as_original"]


class Dtype:
    def __init__(self, *args):
        self.kind = args[0]

    def __setstate__(self, state):
        self.order = state[1]


class Array:
    def __setstate__(self, state):
        _, self.shape, self.dtype, self.fortran, self.data = state


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        known = {"_reconstruct": lambda *args: Array(), "ndarray": Array, "dtype": Dtype,
                 "encode": lambda text, encoding: text.encode(encoding)}
        return known[name]


def doubles(array):
    assert array.dtype.kind in ("f8", b"f8") and array.dtype.order in ("<", "="), "expected little-endian doubles"
    values = struct.unpack(f"<{len(array.data) // 8}d", array.data)
    if array.fortran and len(array.shape) == 2:
        rows, columns = array.shape
        values = [values[c * rows + r] for r in range(rows) for c in range(columns)]
    return list(values)


def safetensors(path, tensors):
    header, blob = {}, b""
    for name in sorted(tensors):
        shape, values = tensors[name]
        data = struct.pack(f"<{len(values)}d", *values)
        header[name] = {"dtype": "F64", "shape": shape, "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)


def main(golden):
    source = pathlib.Path(golden) / "deep_query"
    target = pathlib.Path(__file__).parent / "deep_query"
    target.mkdir(exist_ok=True)
    index = json.loads((source / "index.json").read_text())
    index["cases"] = [case for case in index["cases"] if case["name"] in KEEP]
    (target / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    for case in index["cases"]:
        for kind in ("file", "exact", "sklearn"):
            if kind in case:
                shutil.copyfile(source / case[kind], target / case[kind])
    shutil.copyfile(source / "features.npz", target / "features.npz")

    raw = (source / "pca_24d.npy").read_bytes()
    length = struct.unpack("<H", raw[8:10])[0]
    outer = Unpickler(io.BytesIO(raw[10 + length:]), encoding="latin1").load()
    pca = outer.data[0] if isinstance(outer.data, list) else outer
    shape = list(pca["eigvec"].shape)
    safetensors(target / "pca_24d.safetensors", {
        "mean": ([shape[1]], doubles(pca["mean"])),
        "components": (shape, doubles(pca["eigvec"])),
        "variances": ([shape[0]], doubles(pca["eigval"])),
    })


main(sys.argv[1])
