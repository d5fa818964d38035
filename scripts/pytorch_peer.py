#!/usr/bin/env python3
"""The same networks in PyTorch: checks our output against its float32, and times it beside us on the same GPU.

    pytorch_peer.py --dump FOLDER --bench FILE.json... --out FILE.json [--seconds N]
    pytorch_peer.py --dump FOLDER --cpu        checks every dump in float32 on the CPU, times nothing
    pytorch_peer.py --selfcheck                the reading of a dump, on a tiny network; torch only where it is

FOLDER holds what `mirror_tests --device cuda --bench --dump FOLDER` wrote: NETWORK-SIZE-BATCH.json (operations in
order, tensors as places in one arena) and .bin (float32: weights HWIO, input and our output NHWC). PyTorch runs
float16, channels_last, inputs on the GPU: eager, as a CUDA graph, as a graph with cuDNN's fused bias, addition
and ReLU, and through torch.compile. Times: CUDA events around one run, median. The result is rewritten after every
measurement; a later call with the same --out goes on where this one ended.
"""
import argparse
import contextlib
import glob
import json
import os
import signal
import statistics
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:  # --selfcheck works without
    torch = None

# ---- a dump as values instead of places ------------------------------------------------------------------------------
# In the arena a concat is the channels of one buffer that several operations write, and an addition happens in place.
# Both are found again by walking back through the writers: INPUT is the network's input, i >= 0 what operation i made.
INPUT = -1


def producers(plan, tensor, before):
    """The values that make up `tensor` when operation number `before` reads it, in the order of their channels."""
    t, operations, tensors = plan["tensors"][tensor], plan["operations"], plan["tensors"]
    if tensor == 0:
        return [INPUT]
    parts, covered = [], 0
    for i in range(before - 1, -1, -1):
        if operations[i]["output"] == tensor:
            return [i]
        s = tensors[operations[i]["output"]]
        start = s["offset"] - t["offset"]
        same = (s["height"], s["width"], s["stride"]) == (t["height"], t["width"], t["stride"])
        if s["slice"] and same and 0 <= start and start + s["channels"] <= t["channels"]:
            parts.append((start, i))
            covered += s["channels"]
            if covered == t["channels"]:
                return [i for _, i in sorted(parts)]
    raise ValueError(f"tensor {tensor}: {covered} of {t['channels']} channels were written before operation {before}")


def shortcut(plan, number):
    """The value that operation `number` adds to its own: what its output's memory holds when it starts."""
    tensors, operations = plan["tensors"], plan["operations"]
    shape = lambda t: (t["offset"], t["height"], t["width"], t["channels"])
    wanted = shape(tensors[operations[number]["output"]])
    for i in range(number - 1, -1, -1):
        if shape(tensors[operations[i]["output"]]) == wanted:
            return i
    raise ValueError(f"operation {number} adds what nobody wrote")


def program(plan):
    """[(operation, inputs, shortcut or None, values not needed after it)], inputs of the result."""
    operations = plan["operations"]
    inputs = [producers(plan, op["input"], i) for i, op in enumerate(operations)]
    shortcuts = [shortcut(plan, i) if op["residual"] else None for i, op in enumerate(operations)]
    result = producers(plan, plan["result"], len(operations))
    last = {}
    for i in range(len(operations)):
        for value in inputs[i] + ([] if shortcuts[i] is None else [shortcuts[i]]):
            last[value] = i
    keep = set(result)
    drops = [[v for v, l in last.items() if l == i and v not in keep] for i in range(len(operations))]
    return list(zip(operations, inputs, shortcuts, drops)), result


# ---- PyTorch ---------------------------------------------------------------------------------------------------------
class Dump:
    def __init__(self, path):
        with open(path) as file:
            self.plan = json.load(file)
        data = path[:-len("json")] + "bin"
        # Mapped, not read: only what is asked for comes from the disk.
        self.values = torch.from_file(data, shared=False, size=os.path.getsize(data) // 4, dtype=torch.float32)

    def floats(self, place):
        return self.values[place["offset"]:place["offset"] + place["count"]]

    def input(self):
        size = self.plan["size"]
        return self.floats(self.plan["input"]).view(self.plan["batch"], size, size, 3).permute(0, 3, 1, 2)

    def output(self):
        t = self.plan["tensors"][self.plan["result"]]
        return self.floats(self.plan["output"]).view(-1, t["height"], t["width"], t["channels"]).permute(0, 3, 1, 2)


def pool_padding(op, tensors):
    """(padding, ceil_mode) by which PyTorch's maximum pools the same windows; None: pad with -inf first."""
    left, right, top, bottom = op["pad"]
    x, y, (kernel_h, kernel_w), (stride_h, stride_w) = (tensors[op["input"]], tensors[op["output"]], op["kernel"],
                                                        op["stride"])
    if 2 * top > kernel_h or 2 * left > kernel_w:
        return None
    for ceil in (False, True):
        def extent(size, pad, kernel, stride):
            cells = (size + 2 * pad - kernel + (stride - 1 if ceil else 0)) // stride + 1
            return cells - 1 if ceil and (cells - 1) * stride >= size + pad else cells
        if (extent(x["height"], top, kernel_h, stride_h), extent(x["width"], left, kernel_w, stride_w)) == (
                y["height"], y["width"]):
            return (top, left), ceil
    return None


def make_network(dump, dtype, device):
    """An nn.Module; `fused` chooses cuDNN's kernels with addition and ReLU inside, which exist on the GPU only."""

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fused = False
            self.steps, self.result = program(dump.plan)
            self.pools = [pool_padding(op, dump.plan["tensors"]) if op["kind"] == "max_pool" else None
                          for op, _, _, _ in self.steps]
            for i, (op, _, _, _) in enumerate(self.steps):
                if op["kind"] != "conv":
                    continue
                channels = dump.plan["tensors"][op["input"]]["channels"]
                kernel = dump.floats(op["weights"]).view(*op["kernel"], channels, -1).permute(3, 2, 0, 1)
                kernel = kernel.to(device, dtype).contiguous(memory_format=torch.channels_last)
                self.register_buffer(f"w{i}", kernel)
                self.register_buffer(f"b{i}", dump.floats(op["bias"]).to(device, dtype))

        def conv(self, i, op, x, added):
            left, right, top, bottom = op["pad"]
            padding, stride = [top, left], op["stride"]
            if (left, top) != (right, bottom):
                x, padding = F.pad(x, (left, right, top, bottom)), [0, 0]
            w, b = getattr(self, f"w{i}"), getattr(self, f"b{i}")
            if self.fused and op["relu"] and x.shape[1] % 8 == 0:  # its engines want vectors of 8 channels
                if added is None:
                    return torch.cudnn_convolution_relu(x, w, b, stride, padding, [1, 1], 1)
                return torch.cudnn_convolution_add_relu(x, w, added, 1.0, b, stride, padding, [1, 1], 1)
            y = F.conv2d(x, w, b, stride, padding)
            if added is not None:
                y += added
            return y.relu_() if op["relu"] else y

        def step(self, i, op, x, added):
            kind, (left, right, top, bottom) = op["kind"], op["pad"]
            if kind == "conv":
                return self.conv(i, op, x, added)
            if kind == "lrn":
                # F.local_response_norm squares in float16, which overflows above 255.
                radius, alpha, beta, bias = op["lrn"]
                squares = F.pad(x.float().square(), (0, 0, 0, 0, radius, radius))
                total = squares[:, :x.shape[1]]
                for i in range(1, 2 * radius + 1):
                    total = total + squares[:, i:i + x.shape[1]]
                return (x * (bias + alpha * total).pow(-beta)).to(x.dtype)
            if kind == "avg_pool":
                padded = F.pad(x, (left, right, top, bottom)) if any(op["pad"]) else x
                return F.avg_pool2d(padded, op["kernel"], op["stride"])
            if self.pools[i] is not None:
                padding, ceil = self.pools[i]
                return F.max_pool2d(x, op["kernel"], op["stride"], padding, ceil_mode=ceil)
            return F.max_pool2d(F.pad(x, (left, right, top, bottom), value=float("-inf")), op["kernel"], op["stride"])

        def join(self, values, parts):
            return values[parts[0]] if len(parts) == 1 else torch.cat([values[p] for p in parts], 1)

        def forward(self, x):
            values = {INPUT: x}
            for i, (op, inputs, added, drops) in enumerate(self.steps):
                values[i] = self.step(i, op, self.join(values, inputs), None if added is None else values[added])
                for value in drops:
                    del values[value]
            return self.join(values, self.result)

    return Network().eval()


def difference(y, reference):
    """max|y - reference| / max|reference|, in float32."""
    reference = reference.float()
    return ((y.float() - reference).abs().max() / reference.abs().max()).item()


class NoTime(BaseException):  # no Exception, which torch.compile would take for its own
    pass


class Clock:
    """What is left of --seconds; `limited` interrupts a compilation that would take longer."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()

    @contextlib.contextmanager
    def limited(self):
        def stop(*_):
            raise NoTime()
        signal.signal(signal.SIGALRM, stop)
        signal.alarm(max(1, int(self.left())))
        try:
            yield
        finally:
            signal.alarm(0)


def seconds_of(work, rounds=15):
    for _ in range(3):
        work()
    times = []
    for _ in range(rounds):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1e-3)
    return statistics.median(times)


def as_graph(function):
    """(replay, the output it writes)."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            function()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = function()
    graph.replay()  # recording runs nothing
    return graph.replay, output


VARIANTS = ("eager", "graph", "graph, cuDNN fused", "compile max-autotune", "compile")


def variant(name, network, x):
    """(one run, its output). Compiled networks run in a graph of our own: that of mode "max-autotune" copies the input
    and checks its guards on the host before every replay, which at small sizes takes longer than the network."""
    network.fused = "fused" in name
    function = network
    if name.startswith("compile"):
        torch._dynamo.reset()
        function = torch.compile(network, dynamic=False, mode="max-autotune-no-cudagraphs" if "max" in name else None)
        function(x)
    return ((lambda: network(x)), network(x)) if name == "eager" else as_graph(lambda: function(x))


class Peer:
    def __init__(self, arguments):
        self.clock, self.out = Clock(arguments.seconds), arguments.out
        self.failed, self.postponed = False, set()
        self.ours, self.searches = read_benches(arguments.bench)
        self.dumps = {}
        for path in sorted(glob.glob(os.path.join(arguments.dump, "*.json"))):
            network, size, _ = os.path.basename(path)[:-len(".json")].rsplit("-", 2)
            self.dumps[network, int(size)] = path
        self.entries, self.search = {}, {}
        if os.path.exists(self.out):
            with open(self.out) as file:
                earlier = json.load(file)
            self.entries = {(e["network"], e["size"], e["batch"]): e for e in earlier["networks"]}
            self.search = earlier["search"]
        self.loaded = None

    def save(self):
        for key, entry in self.entries.items():
            times = {v["name"]: v["us_per_image"] for v in entry["variants"] if "us_per_image" in v}
            entry["ours"] = self.ours.get(key, entry.get("ours", {}))
            if times:
                entry["best"] = min(times, key=times.get)
                entry["ratio"] = {f: times[entry["best"]] / us for f, us in entry["ours"].items()}
        about = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(),
                 "gpu": torch.cuda.get_device_name()}
        with open(self.out + ".new", "w") as file:
            json.dump({**about, "networks": list(self.entries.values()), "search": self.search}, file, indent=1)
        os.replace(self.out + ".new", self.out)

    def load(self, key):
        """The network in float16 and its input; checked against float32 the first time."""
        network, size, batch = key
        if self.loaded and self.loaded[0] == key:
            return self.loaded[1:]
        self.loaded = None
        dump = Dump(self.dumps[network, size])
        half = make_network(dump, torch.float16, "cuda")
        x = dump.input().cuda()
        if not any("check" in e for k, e in self.entries.items() if k[:2] == key[:2]):
            self.entries[key]["check"] = self.check(dump, half, x)
        x = x[[i % x.shape[0] for i in range(batch)]].half().contiguous(memory_format=torch.channels_last)
        self.loaded = (key, half, x)
        torch.cuda.empty_cache()
        return half, x

    def check(self, dump, half, x):
        x = x.contiguous(memory_format=torch.channels_last)
        reference = make_network(dump, torch.float32, "cuda")(x)
        result = {"ours": difference(dump.output().cuda(), reference),
                  "torch_fp16": difference(half(x.half()), reference)}
        result["agrees"] = result["ours"] <= max(0.01, 4 * result["torch_fp16"])
        self.failed |= not result["agrees"]
        print(f"{dump.plan['network']} {dump.plan['size']} px: from float32 PyTorch, of max|output|: ours "
              f"{result['ours']:.2e}, PyTorch's own float16 {result['torch_fp16']:.2e}"
              f"{'' if result['agrees'] else '   DISAGREES'}")
        return result

    def measure(self, key, name):
        entry = self.entries.setdefault(key, dict(zip(("network", "size", "batch"), key), variants=[]))
        if any(v["name"] == name for v in entry["variants"]):
            return
        if self.clock.left() < (20 if "compile" in name else 3):
            self.postponed.add((key, name))
            return
        title = f"{key[0]:<15} {key[1]:>4} px, batch {key[2]:>2}, {name:<22}"
        result, began = {"name": name}, time.monotonic()
        try:
            with self.clock.limited():
                network, x = self.load(key)
                run, output = variant(name, network, x)
                result["prepare_seconds"] = time.monotonic() - began
                network.fused = False
                result["from_eager"] = difference(output, network(x))
                network.fused = "fused" in name
                result["us_per_image"] = seconds_of(run) / key[2] * 1e6
        except NoTime:
            print(f"{title} stopped: no time left")
            self.loaded = None
            self.postponed.add((key, name))
            return
        except Exception as error:  # PyTorch throws all kinds; each is a line of the report
            result["failure"] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            self.failed |= name in ("eager", "graph")
            self.loaded = None
        entry["variants"].append(result)
        self.save()
        if "failure" in result:
            print(f"{title} FAILED: {result['failure']}")
            return
        ratios = "".join(f", {result['us_per_image'] / us:5.2f} x ours ({f})" for f, us in entry["ours"].items())
        print(f"{title} {result['us_per_image']:9.1f} us/image{ratios}")

    def run(self):
        keys = [key for key in self.ours if key[:2] in self.dumps]
        for name in VARIANTS[:4] if keys else []:
            self.measure(keys[0], name)
        self.run_search()
        for key in keys:
            for name in VARIANTS[:3]:
                self.measure(key, name)
        for name in VARIANTS[3:]:
            for key in keys:
                self.measure(key, name)
        if self.postponed:
            print(f"{len(self.postponed)} measurements found no time; a call with the same --out goes on with them")
        if not keys and not self.searches:
            print("nothing to measure: no network of the benchmark has a dump", file=sys.stderr)
            return 1
        return 1 if self.failed else 0

    def run_search(self):
        """The strips that no earlier call measured, until the time is up; a later call goes on."""
        if not self.searches:
            return
        images = next(iter(self.searches.values()))["images"]
        if self.search.get("images") != images:
            self.search = {"images": images, "variants": []}
        self.search["ours_ms"] = {n: s["ms"] for n, s in self.searches.items()}
        counts = [c for c in (32, 64, 128, 256) if c <= images] or [images]
        done = {v["name"] for v in self.search["variants"]}
        strips = [("eager", c) for c in counts] + [("compile", c) for c in counts[-2:]]
        missing = [(name, count) for name, count in strips if f"{name}, strips of {count}" not in done]
        if missing and self.clock.left() >= 30:
            missing = self.measure_search(images, missing)
        self.postponed |= {("search", *strip) for strip in missing}
        times = [v["ms"] for v in self.search["variants"] if "failure" not in v]
        if times:  # both sides without the top 200, which our benchmark of the kernels leaves out
            self.search["ratio"] = {n: min(times) / ms for n, ms in self.search["ours_ms"].items()}
            for kernel, ratio in self.search["ratio"].items():
                print(f"PR-MAC: best of PyTorch is {ratio:5.2f} x ours ({kernel})")
        self.save()

    def measure_search(self, images, strips):
        """All against all PR-MAC, 35 x 256, in strips of queries: products, maximum, sum; then the 200 best.

        Returns the strips for which there was no time.
        """
        regions, dim = 35, 256
        torch.manual_seed(1)
        rows = F.normalize(torch.randn(images * regions, dim, device="cuda"), dim=1).half()

        def scores(strip):
            products = (strip @ rows.T).view(-1, regions, images, regions)
            return products.amax(3).float().sum(1)

        def all_scores(function, count, best):
            for first in range(0, images, count):
                strip = function(rows[first * regions:(first + count) * regions])
                if best:
                    torch.topk(strip, min(200, images), dim=1)

        for i, (name, count) in enumerate(strips):
            result = {"name": f"{name}, strips of {count}"}
            try:
                with self.clock.limited():
                    function = scores if name == "eager" else torch.compile(scores, dynamic=False)
                    for best, field in ((False, "ms"), (True, "ms_with_top_200")):
                        result[field] = seconds_of(lambda: all_scores(function, count, best), 10) * 1e3
            except NoTime:
                print(f"PR-MAC, {result['name']}: no time left")
                return strips[i:]
            except Exception as error:
                result["failure"] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            self.search["variants"].append(result)
            print(f"PR-MAC {images} all against all, {result['name']:<22} "
                  + (f"FAILED: {result['failure']}" if "failure" in result else
                     f"{result['ms']:9.1f} ms, with top 200 {result['ms_with_top_200']:9.1f} ms"))
            self.save()
            torch.cuda.empty_cache()
        return []


def read_benches(paths):
    """{(network, size, batch): {family: us per image}} in float16, {kernel: search}; a file holds one or a list."""
    ours, searches = {}, {}
    for path in paths:
        with open(path) as file:
            text = file.read()
        if not text.strip():
            print(f"{path} is empty: its benchmark did not end", file=sys.stderr)
            continue
        try:
            content = json.loads(text)
        except ValueError:
            print(f"{path} is cut short: its benchmark did not end", file=sys.stderr)
            continue
        for bench in content if isinstance(content, list) else [content]:
            for n in bench["networks"]:
                if n["precision"] == "fp16":
                    ours.setdefault((n["network"], n["size"], n["batch"]), {})[n["family"]] = n["us_per_image"]
            searches.update({s["kernel"]: s for s in bench["search"]})
    return ours, searches


def check_on_cpu(folder, limit):
    failed, paths = False, sorted(glob.glob(os.path.join(folder, "*.json")))
    for path in paths:
        dump = Dump(path)
        error = difference(dump.output(), make_network(dump, torch.float32, "cpu")(dump.input().contiguous()))
        failed |= not error <= limit
        print(f"{os.path.basename(path)}: ours {error:.2e} of max|output| from float32 PyTorch"
              f"{'' if error <= limit else '   DISAGREES'}")
    return 1 if failed or not paths else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dump", metavar="FOLDER")
    parser.add_argument("--bench", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--out", metavar="FILE")
    parser.add_argument("--seconds", type=float, default=3600, help="start nothing new after this time (default 3600)")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--selfcheck", action="store_true")
    arguments = parser.parse_args()
    if arguments.selfcheck:
        from pytorch_peer_check import selfcheck
        return selfcheck()
    if torch is None:
        parser.exit(2, "pytorch_peer: this python3 has no PyTorch\n")
    if not arguments.dump or not (arguments.cpu or arguments.bench and arguments.out):
        parser.error("--dump and --cpu, or --dump, --bench and --out are needed")
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    with torch.no_grad():
        return check_on_cpu(arguments.dump, 0.01) if arguments.cpu else Peer(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
