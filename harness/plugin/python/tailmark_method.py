"""A Tailmark method in Python: derive from Method, call main(). Needs the standard library alone; numpy and torch are used where
they are there. The protocol (version 1, JSON lines) is described in README.md beside this file.

    import tailmark_method as tm

    class Fancy(tm.Method):
        def fit(self, train, validation): ...      # train.inputs, .labels, .known, .ids
        def predict(self, batch): return scores    # batch.inputs, .files, .rows; rows of numbers, one a class
        def state(self): return {"weight": self.weight}
        def load(self, state): self.weight = state["weight"]

    tm.main(Fancy)
"""
import array
import json
import mmap
import os
import struct
import sys
import threading

# Python starts anew for each run: what not every start needs is imported where it is used (50 ms of 70).

_TYPES = {"<f4": "f", "<f8": "d", "|u1": "B", "|b1": "B", "<i8": "q", "<i4": "i"}
_NAMES = {"f": "<f4", "d": "<f8", "B": "|u1", "q": "<i8", "i": "<i4"}
_MASK = (1 << 64) - 1


class Array:
    """Numbers of one .npy file, mapped into memory: .shape, .dtype ("<f4"), .memory (flat), .rows() of lists, .numpy(), .torch().
    numpy.asarray() takes it too."""

    def __init__(self, data):
        import ast
        major = data[6]
        length, start = (struct.unpack("<H", data[8:10])[0], 10) if major == 1 else (struct.unpack("<I", data[8:12])[0], 12)
        header = ast.literal_eval(bytes(data[start:start + length]).decode("latin-1"))
        self.dtype, self.shape = header["descr"], tuple(header["shape"])
        if header["fortran_order"] or self.dtype not in _TYPES:
            raise ValueError("an array of type %s is not read here" % self.dtype)
        self._data = memoryview(data)[start + length:]
        self.memory = self._data.cast(_TYPES[self.dtype]) if len(self._data) else array.array(_TYPES[self.dtype])

    def __len__(self):
        return self.shape[0]

    def rows(self):
        width = 1
        for side in self.shape[1:]:
            width *= side
        return [self.memory[i * width:(i + 1) * width].tolist() for i in range(self.shape[0])]

    def numpy(self):
        import numpy
        return numpy.frombuffer(self._data, dtype=self.dtype).reshape(self.shape)

    def __array__(self, dtype=None, copy=None):
        found = self.numpy()
        return found if dtype is None else found.astype(dtype)

    def torch(self):
        """A copy of its own as a tensor."""
        import torch
        kinds = {"<f4": torch.float32, "<f8": torch.float64, "|u1": torch.uint8, "|b1": torch.bool, "<i8": torch.int64,
                 "<i4": torch.int32}
        if not len(self._data):
            return torch.zeros(self.shape, dtype=kinds[self.dtype])
        return torch.frombuffer(bytearray(self._data), dtype=kinds[self.dtype]).view(self.shape)


def read_npy(path):
    if path is None:
        return None
    with open(path, "rb") as file:
        return Array(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _flat(values):
    """(type code, shape, flat array) of whatever looks like a matrix."""
    if isinstance(values, Array):
        return values.memory.format, values.shape, values.memory
    if hasattr(values, "detach"):  # torch
        values = values.detach().cpu()
        code = {"torch.float64": "d", "torch.int64": "q"}.get(str(values.dtype), "f")
        return code, tuple(values.shape), array.array(code, values.flatten().tolist())
    if hasattr(values, "dtype") and hasattr(values, "tobytes"):  # numpy
        code = {"float64": "d", "int64": "q", "uint8": "B", "int32": "i"}.get(str(values.dtype), "f")
        kinds = {"d": "float64", "q": "int64", "B": "uint8", "i": "int32", "f": "float32"}
        return code, tuple(values.shape), array.array(code, values.astype(kinds[code]).tobytes())
    if values and isinstance(values[0], (list, tuple)):
        if len({len(each) for each in values}) != 1:
            raise ValueError("rows of different lengths are no matrix")
        return "d", (len(values), len(values[0])), array.array("d", [number for each in values for number in each])
    return "d", (len(values),), array.array("d", values)


def npy_bytes(values):
    code, shape, flat = _flat(values)
    sizes = "".join("%d, " % side for side in shape)
    header = "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }" % (_NAMES[code], sizes.rstrip() if len(shape) == 1 else
                                                                          sizes.rstrip(", "))
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(flat)


def derive_seed(root, name, index=0):
    """The seed of a named stream of chance, the same as in C++: DeriveSeed."""
    def mix(z):
        z = (z + 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)
    code = 0xCBF29CE484222325
    for byte in name.encode():
        code = ((code ^ byte) * 0x100000001B3) & _MASK
    return mix(mix(mix(root) ^ code) ^ index) >> 1


def read_safetensors(path):
    """name -> (type, shape, bytes) of a weights file: ("F32", [2, 3], ...)."""
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            found[name] = (entry["dtype"], entry["shape"], data[8 + length + begin:8 + length + end])
    return found


class Part:
    """What one message brought: .inputs, .labels [N, C] of 0 and 1, .known (None: all are), .ids, .captions, .files, .rows."""

    def __init__(self, message):
        for name in ("inputs", "labels", "known"):
            setattr(self, name, read_npy(message.get(name)))
        for name in ("ids", "captions", "files", "rows"):
            setattr(self, name, message.get(name) or [])



class Method:
    """problem: class_names, train_counts, train_images, groups, device, precision, text; options: as the recipe has them, complete.
    fit() is called again after a checkpoint was loaded, and goes on from epoch self.epoch."""

    epoch = 0       # Finished epochs; more than 0 after a checkpoint.
    parameters = 0  # Trained ones, for the record.
    _done = False   # fit() has nothing more to do.

    def __init__(self, problem, options, scratch):
        self.problem, self.options, self.scratch = problem, options, scratch

    def fit(self, train, validation):
        raise NotImplementedError

    def predict(self, batch):
        raise NotImplementedError

    def state(self):
        return {}

    def load(self, state):
        pass

    def seed(self, name, index=0):
        return derive_seed(self.root_seed, name, index)

    def progress(self, epoch, epochs, **curves):
        """At the end of each epoch, from 1. False: please stop. The harness may look at state() and predict() here."""
        self.epoch = epoch
        _channel.say({"type": "progress", "epoch": epoch, "epochs": epochs, "curves": {k: float(v) for k, v in curves.items()}})
        return _serve(self, until=("continue", "stop"))["type"] == "continue"


class _Channel:
    def __init__(self):
        self.lock = threading.Lock()
        self.read = os.fdopen(3, "r", encoding="utf-8")
        self.write = os.fdopen(4, "w", encoding="utf-8")

    def say(self, message):
        with self.lock:
            self.write.write(json.dumps(message) + "\n")
            self.write.flush()

    def hear(self):
        line = self.read.readline()
        if not line:
            os._exit(0)  # The harness is gone.
        return json.loads(line)

    def beat(self):
        while True:
            threading.Event().wait(5)
            self.say({"type": "heartbeat"})


_channel = None


def _save(method, path):
    import zipfile
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        def put(name, data):
            out.writestr(zipfile.ZipInfo(name), data)
        put("epoch.json", json.dumps([method.epoch, method._done, method.parameters]))
        for name, value in sorted(method.state().items()):
            plain = isinstance(value, (int, float, str, bool, dict)) or value is None
            put("state/" + name + (".json" if plain else ".npy"), json.dumps(value) if plain else npy_bytes(value))


def _load(method, path):
    import zipfile
    state = {}
    with zipfile.ZipFile(path) as found:
        for name in found.namelist():
            data = found.read(name)
            if name == "epoch.json":
                method.epoch, method._done, method.parameters = json.loads(data)
            elif name.endswith(".json"):
                state[name[6:-5]] = json.loads(data)
            else:
                state[name[6:-4]] = Array(data)
    method.load(state)


def _answer(method, message):
    kind = message["type"]
    if kind == "fit":
        method.root_seed = message["seed"]
        held = message.get("validation")
        if not method._done:
            method.fit(Part(message["train"]), Part(held) if held else None)
        if not method.epoch:  # It was done in one go.
            method._done = True
            method.progress(1, 1)
        return {"type": "fitted", "epoch": method.epoch, "parameters": method.parameters}
    if kind == "predict":
        import hashlib
        data = npy_bytes(method.predict(Part(message)))
        with open(message["scores"], "wb") as file:
            file.write(data)
        return {"type": "scores", "file": message["scores"], "sha256": hashlib.sha256(data).hexdigest()}
    if kind == "save":
        _save(method, message["path"])
        return {"type": "saved"}
    if kind == "load":
        _load(method, message["path"])
        return {"type": "loaded", "parameters": method.parameters}
    raise ValueError("a message of type '%s' is not known here" % kind)


def _serve(method, until):
    while True:
        message = _channel.hear()
        if message["type"] in until:
            return message
        if message["type"] == "bye":
            os._exit(0)
        _channel.say(_answer(method, message))


def main(kind, name=None, version=1):
    """Serves one object of class `kind` until the harness says bye."""
    global _channel
    _channel = _Channel()
    try:
        hello = _channel.hear()
        if hello.get("protocol") != 1:
            raise ValueError("protocol %s is not spoken here" % hello.get("protocol"))
        threading.Thread(target=_channel.beat, daemon=True).start()
        method = kind(hello["problem"], hello["options"], hello["dirs"]["scratch"])
        _channel.say({"type": "ready", "protocol": 1, "name": name or hello["method"], "version": version})
        _serve(method, until=())
    except Exception as error:
        import traceback
        traceback.print_exc(file=sys.stderr)
        _channel.say({"type": "error", "message": "%s: %s" % (type(error).__name__, error)})
        sys.exit(1)
