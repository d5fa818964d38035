"""pytorch_peer.py --selfcheck: a search that runs out of time goes on in the next call; and a tiny network with all
that makes a dump hard to read, run twice in plain Python.

Once literally, in one arena of numbers, and once through pytorch_peer.program; both must give the same bits. Where
torch is, its float32 must agree as well. The plan has uneven padding, a concat whose parts come out of order, an
addition in place, and a second concat in the memory of the first.
"""
import array
import contextlib
import io
import json
import math
import os
import random
import tempfile

import pytorch_peer

BATCH, SIZE = 2, 6
A, B, C, ARENA = 1000, 2000, 3000, 4000  # places in the arena: reused, as a planner would


def tensor(side, channels, offset, stride=None):
    return {"height": side, "width": side, "channels": channels, "stride": stride or channels, "offset": offset,
            "slice": stride is not None}


TENSORS = [tensor(6, 3, 0), tensor(6, 8, A), tensor(3, 8, C),
           tensor(3, 16, B), tensor(3, 8, B + 8, 16), tensor(3, 8, B, 16),     # concat 3 of 5 and 4
           tensor(3, 8, A), tensor(3, 8, C), tensor(3, 8, A),                  # 8 is added onto 6
           tensor(3, 16, B), tensor(3, 4, B, 16), tensor(3, 12, B + 4, 16),    # concat 9 of 10 and 11, where 3 was
           tensor(3, 16, C), tensor(2, 16, A)]
TENSORS[0]["stride"] = 8  # as aligned pixels have it


def operation(kind, source, target, kernel, stride=1, pad=(0, 0, 0, 0), relu=False, residual=False):
    return {"kind": kind, "name": f"op{target}", "input": source, "output": target, "kernel": [kernel, kernel],
            "stride": [stride, stride], "pad": list(pad), "relu": relu, "residual": residual,
            "lrn": [2, 0.1, 0.75, 1.0]}


OPERATIONS = [operation("conv", 0, 1, 3, pad=(0, 2, 1, 1), relu=True), operation("max_pool", 1, 2, 3, 2, (0, 1, 0, 1)),
              operation("conv", 2, 4, 3, pad=(1, 1, 1, 1)), operation("conv", 2, 5, 1, relu=True),
              operation("conv", 3, 6, 1), operation("conv", 6, 7, 1, relu=True),
              operation("conv", 7, 8, 3, pad=(1, 1, 1, 1), relu=True, residual=True),
              operation("conv", 8, 10, 1), operation("conv", 8, 11, 1, relu=True),
              operation("lrn", 9, 12, 1), operation("avg_pool", 12, 13, 2)]


def compute(op, get, x, y, weights, bias, added):
    """{(n, row, column, channel): value} of one operation; get(n, row, column, channel) reads inside the image only."""
    left, _, top, _ = op["pad"]
    result = {}
    for n in range(BATCH):
        for row in range(y["height"]):
            for column in range(y["width"]):
                cells = [(i, j, row * op["stride"][0] - top + i, column * op["stride"][1] - left + j)
                         for i in range(op["kernel"][0]) for j in range(op["kernel"][1])]
                cells = [c for c in cells if 0 <= c[2] < x["height"] and 0 <= c[3] < x["width"]]
                for k in range(y["channels"]):
                    if op["kind"] == "conv":
                        value = bias[k] + sum(get(n, r, s, c) * weights[((i * op["kernel"][1] + j) * x["channels"] + c)
                                                                        * y["channels"] + k]
                                              for i, j, r, s in cells for c in range(x["channels"]))
                        value += added(n, row, column, k) if added else 0.0
                        value = max(value, 0.0) if op["relu"] else value
                    elif op["kind"] == "lrn":
                        radius, alpha, beta, offset = op["lrn"]
                        near = range(max(0, k - radius), min(x["channels"], k + radius + 1))
                        value = get(n, row, column, k) * (
                            offset + alpha * sum(get(n, row, column, c) ** 2 for c in near)) ** -beta
                    else:
                        window = [get(n, r, s, k) for _, _, r, s in cells]
                        value = max(window) if op["kind"] == "max_pool" else sum(window) / math.prod(op["kernel"])
                    result[n, row, column, k] = value
    return result


def place(t, n, row, column, channel):
    return t["offset"] + ((n * t["height"] + row) * t["width"] + column) * t["stride"] + channel


def run_in_arena(plan, pixels, weights):
    arena = [math.nan] * ARENA
    for at, value in pixels.items():
        arena[place(TENSORS[0], *at)] = value
    for op, (w, b) in zip(plan["operations"], weights):
        x, y = TENSORS[op["input"]], TENSORS[op["output"]]
        read = lambda t: (lambda *at: arena[place(t, *at)])
        for at, value in compute(op, read(x), x, y, w, b, read(y) if op["residual"] else None).items():
            arena[place(y, *at)] = value
    t = TENSORS[plan["result"]]
    return [arena[place(t, n, r, s, c)] for n in range(BATCH) for r in range(t["height"]) for s in range(t["width"])
            for c in range(t["channels"])]


def run_program(plan, pixels, weights):
    steps, result = pytorch_peer.program(plan)
    values = {pytorch_peer.INPUT: (3, pixels)}

    def join(parts):
        joined, first = {}, 0
        for channels, cells in (values[p] for p in parts):
            joined.update({(n, r, s, first + c): value for (n, r, s, c), value in cells.items()})
            first += channels
        return joined

    for i, ((op, inputs, added, drops), (w, b)) in enumerate(zip(steps, weights)):
        x, y, cells = TENSORS[op["input"]], TENSORS[op["output"]], join(inputs)
        shortcut = None if added is None else (lambda *at, held=values[added][1]: held[at])
        values[i] = (y["channels"], compute(op, lambda *at: cells[at], x, y, w, b, shortcut))
        for value in drops:
            del values[value]
    return [value for _, value in sorted(join(result).items())]


class Interrupted(pytorch_peer.Peer):
    """Measures at most `strips` strips of a search a call."""

    def __init__(self, earlier, strips):
        self.search, self.strips, self.postponed = earlier, strips, set()
        self.searches = {"kernel": {"images": 100, "ms": 2.0}}
        self.clock = pytorch_peer.Clock(3600)

    def save(self):
        self.search = json.loads(json.dumps(self.search))

    def measure_search(self, images, strips):
        for name, count in strips[:self.strips]:
            self.search["variants"].append({"name": f"{name}, strips of {count}", "ms": float(count)})
        return strips[self.strips:]


def search_resumes():
    search, left = {}, []
    with contextlib.redirect_stdout(io.StringIO()):
        for strips in (0, 1, 2, 9, 9):
            peer = Interrupted(search, strips)
            peer.run_search()
            search, left = peer.search, left + [len(peer.postponed)]
    names = [v["name"] for v in search["variants"]]
    return left == [4, 3, 1, 0, 0] and len(set(names)) == len(names) == 4 and search["ratio"] == {"kernel": 16.0}


def selfcheck():
    if not search_resumes():
        print("selfcheck: a search that ran out of time does not go on where it ended")
        return 1
    random.seed(1)
    numbers = lambda count: array.array("f", [random.uniform(-1, 1) for _ in range(count)])
    pixels = {(n, r, s, c): v for (n, r, s, c), v in zip(
        ((n, r, s, c) for n in range(BATCH) for r in range(SIZE) for s in range(SIZE) for c in range(3)),
        numbers(BATCH * SIZE * SIZE * 3))}
    plan = {"network": "tiny", "size": SIZE, "batch": BATCH, "tensors": TENSORS, "operations": OPERATIONS, "result": 13}
    data, weights = array.array("f"), []

    def put(values):
        data.extend(values)
        return {"offset": len(data) - len(values), "count": len(values)}

    for op in OPERATIONS:
        w = b = None
        if op["kind"] == "conv":
            filters = TENSORS[op["output"]]["channels"]
            w = numbers(math.prod(op["kernel"]) * TENSORS[op["input"]]["channels"] * filters)
            b = numbers(filters)
            op["weights"], op["bias"] = put(w), put(b)
        weights.append((w, b))

    expected, actual = run_in_arena(plan, pixels, weights), run_program(plan, pixels, weights)
    if expected != actual or any(map(math.isnan, expected)):
        print("selfcheck: the values differ from the arena")
        return 1
    plan["input"], plan["output"] = put(list(pixels.values())), put(expected)
    with tempfile.TemporaryDirectory() as folder:
        stem = os.path.join(folder, f"tiny-{SIZE}-{BATCH}")
        with open(stem + ".json", "w") as file:
            json.dump(plan, file)
        with open(stem + ".bin", "wb") as file:
            data.tofile(file)
        if pytorch_peer.torch is None:
            print("selfcheck: values equal the arena; no PyTorch here to compare with")
            return 0
        return pytorch_peer.check_on_cpu(folder, 1e-5)
