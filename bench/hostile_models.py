"""Weights files that would run a program, or take the machine's memory, if they were trusted."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

CANARY = "pwned"
Made = Callable[[Path], bytes]
"""From the folder in which nothing may appear, the bytes of the file."""


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _global(name: str, *, is_new: bool = False) -> bytes:
    module, _, what = name.rpartition(".")
    if is_new:
        parts = (b"\x8c" + bytes([len(p)]) + p.encode() for p in (module, what))
        return b"".join(parts) + b"\x93"
    return f"c{module}\n{what}\n".encode()


def _command(outside: Path) -> bytes:
    return _text(f"echo x > '{outside / CANARY}'")


def _python(outside: Path) -> bytes:
    return _text(f"open({str(outside / CANARY)!r}, 'w').write('x')")


def _called(name: str, argument: Callable[[Path], bytes], *, is_new: bool = False) -> Made:
    """REDUCE of a name."""
    start = b"\x80\x04" if is_new else b"\x80\x02"
    return lambda o: start + _global(name, is_new=is_new) + argument(o) + b"\x85R."


def _inst(o: Path) -> bytes:
    return b"\x80\x02(" + _command(o) + b"ios\nsystem\n."


def _obj(o: Path) -> bytes:
    return b"\x80\x02(" + _global("os.system") + _command(o) + b"o."


def _new_object(o: Path) -> bytes:
    return b"\x80\x02" + _global("subprocess.Popen") + _shell(o) + b"\x85\x81."


def _new_object_with_words(o: Path) -> bytes:
    words = b"}" + _text("shell") + b"\x88s"
    return b"\x80\x04" + _global("subprocess.Popen") + _command(o) + b"\x85" + words + b"\x92."


def _shell(o: Path) -> bytes:
    return b"(" + b"".join(map(_text, ("sh", "-c", f"echo x > '{o / CANARY}'"))) + b"t"


def _build(o: Path) -> bytes:
    """The state of an object whose `__setstate__` is a function of the interpreter."""
    made = _global("argparse.Namespace") + b")R"
    return b"\x80\x02" + made + b"}" + _text("__setstate__") + _global("os.system") + b"sb" + (
        _command(o) + b"b."
    )  # fmt: skip


def _factory(o: Path) -> bytes:
    made = _global("collections.defaultdict") + _global("os.system") + b"\x85R"
    return b"\x80\x02" + made + _command(o) + b"Ns."


def _partial(o: Path) -> bytes:
    made = _global("functools.partial") + _global("os.system") + _command(o) + b"\x86R"
    return b"\x80\x02" + made + b")R."


def _by_attribute(o: Path) -> bytes:
    found = _global("builtins.getattr") + _global("os.path") + _text("os") + b"\x86R"
    return b"\x80\x02" + found + _command(o) + b"\x85R."


def _dotted(o: Path) -> bytes:
    """A name that leads through a module that is allowed."""
    return b"\x80\x04\x8c\x05torch\x8c\x11serialization.os.system\x93" + _command(o) + b"\x85R."


def _nested(o: Path) -> bytes:
    inner = _called("os.system", _command)(o)
    data = b"C" + bytes([len(inner)]) + inner
    return b"\x80\x03" + _global("pickle.loads") + data + b"\x85R."


def _extension(_: Path) -> bytes:
    return b"\x80\x02\x82\x01)R."


def _persistent(o: Path) -> bytes:
    return b"\x80\x02" + _command(o) + b"Q."


def _second(o: Path) -> bytes:
    """Tensors first, the program behind them."""
    out = io.BytesIO()
    torch.save({"a": torch.ones(2)}, out, _use_new_zipfile_serialization=False)
    return out.getvalue() + _called("os.system", _command)(o)


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Linear(2, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.a(x)


def _whole_net(_: Path) -> bytes:
    out = io.BytesIO()
    torch.save(nn.Sequential(nn.Linear(2, 2)), out)
    return out.getvalue()


_SCRIPT: list[bytes] = []


def prepare() -> None:
    """What the compiler of TorchScript makes, before anything is watched."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = io.BytesIO()
        torch.jit.save(torch.jit.trace(_Net(), torch.ones(1, 2)), out)
    _SCRIPT[:] = [out.getvalue()]


def _torchscript(_: Path) -> bytes:
    return _SCRIPT[0]


def zipped(made: Made) -> Made:
    """The same pickle as torch packs it now."""

    def pack(o: Path) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("archive/data.pkl", made(o))
            packed.writestr("archive/version", "3\n")
            packed.writestr("archive/byteorder", "little")
        return out.getvalue()

    return pack


def _endless_view(_: Path) -> bytes:
    """A small file of a tensor of 10¹⁰ elements: stride 0."""
    out = io.BytesIO()
    torch.save({"w": torch.ones(1).as_strided((10**5, 10**5), (0, 0))}, out)
    return out.getvalue()


def _bomb(_: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("archive/data.pkl", pickle.dumps({}, 2))
        packed.writestr("archive/data/0", bytes(300_000_000))
    return out.getvalue()


def _tensors(**entry: object) -> Made:
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **entry}})
    data = head.encode()
    return lambda _: len(data).to_bytes(8, "little") + data + bytes(4)


MODELS: dict[str, tuple[str, Made]] = {
    "GLOBAL, REDUCE": ("a.pth", _called("os.system", _command)),
    "GLOBAL of protocol 0": ("a.pth", lambda o: _called("os.system", _command)(o)[2:]),
    "STACK_GLOBAL, REDUCE": ("a.pth", _called("os.system", _command, is_new=True)),
    "posix.system": ("a.pth", _called("posix.system", _command)),
    "INST": ("a.pth", _inst),
    "OBJ": ("a.pth", _obj),
    "NEWOBJ": ("a.pth", _new_object),
    "NEWOBJ_EX": ("a.pth", _new_object_with_words),
    "BUILD": ("a.pth", _build),
    "eval": ("a.pth", _called("builtins.eval", _python)),
    "exec": ("a.pth", _called("builtins.exec", _python)),
    "exec of Python 2": ("a.pth", _called("__builtin__.exec", _python)),
    "import": ("a.pth", _called("importlib.import_module", lambda _: _text("antigravity"))),
    "getattr": ("a.pth", _by_attribute),
    "a name through another": ("a.pth", _dotted),
    "functools.partial": ("a.pth", _partial),
    "a factory of defaults": ("a.pth", _factory),
    "a pickle in a pickle": ("a.pth", _nested),
    "timeit": ("a.pth", _called("timeit.timeit", _python)),
    "numpy.testing runstring": (
        "a.pth",
        _called("numpy.testing._private.utils.runstring", _python),
    ),
    "torch.hub": ("a.pth", _called("torch.hub.load", lambda _: _text("someone/something"))),
    "EXT1": ("a.pth", _extension),
    "BINPERSID": ("a.pth", _persistent),
    "behind tensors": ("a.pth", _second),
    "packed REDUCE": ("a.pt", zipped(_called("os.system", _command))),
    "packed STACK_GLOBAL": ("a.pt", zipped(_called("os.system", _command, is_new=True))),
    "packed INST": ("a.pt", zipped(_inst)),
    "packed BUILD": ("a.pt", zipped(_build)),
    "a pickle called safetensors": ("a.safetensors", _called("os.system", _command)),
    "a whole net": ("a.pth", _whole_net),
    "TorchScript": ("a.pt", _torchscript),
    "a view without end": ("a.pth", _endless_view),
    "weights that unpack to 300 MB": ("a.pth", _bomb),
    "safetensors out of bounds": ("a.safetensors", _tensors(data_offsets=[0, 10**12])),
    "safetensors of 10^18": ("a.safetensors", _tensors(shape=[10**9, 10**9])),
}
