"""Where nets run: the devices of this computer, and their errors in people's words."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from segstudio.errors import DeviceError, OutOfMemory, SegStudioError

_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory")
_DEVICE_WORDS = ("cuda error", "cublas", "cudnn", "device-side assert", "mps backend", "nvrtc")


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """One device a person can pick. name: torch's ("cuda:0", "mps", "cpu"). title: for menus."""

    name: str
    title: str


def cpu_threads() -> int:
    """Cores that this process may use (affinity and container included where Python knows)."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # Windows, macOS
        return max(1, os.cpu_count() or 1)


def list_devices() -> tuple[DeviceChoice, ...]:
    """What this computer has, best first; the CPU is always the last."""
    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        about = torch.cuda.get_device_properties(index)
        found.append(
            DeviceChoice(f"cuda:{index}", f"{about.name} · {about.total_memory / 2**30:.0f} GB")
        )
    if torch.backends.mps.is_available():
        found.append(DeviceChoice("mps", "Apple GPU"))
    threads = cpu_threads()
    found.append(DeviceChoice("cpu", f"CPU · {threads} thread{'s' if threads > 1 else ''}"))
    return tuple(found)


def choose_device(name: str = "auto") -> torch.device:
    """The torch device called `name`; "auto" is the best there is, "cuda" the first CUDA device.

    DeviceError when the name means nothing or the device is not there.
    """
    known = [choice.name for choice in list_devices()]
    if name == "auto":
        return torch.device(known[0])
    wanted = "cuda:0" if name == "cuda" else name
    if wanted in known:
        return torch.device(wanted)
    raise DeviceError(
        f"The device '{name}' is not on this computer; choose one of auto, {', '.join(known)}."
    )


def is_out_of_memory(error: BaseException) -> bool:
    """True when the error, or one that caused it, says that memory ran out.

    Compiled nets wrap the original error, so the whole chain is looked at.
    """
    for one in _chain(error):
        if isinstance(one, OutOfMemory | torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(one, RuntimeError) and any(w in str(one).lower() for w in _MEMORY_WORDS):
            return True
    return False


def is_device_lost(error: BaseException) -> bool:
    """True when the driver or the device itself failed."""
    accelerator = getattr(torch, "AcceleratorError", None)
    for one in _chain(error):
        if accelerator is not None and isinstance(one, accelerator):
            return True
        if isinstance(one, RuntimeError) and any(w in str(one).lower() for w in _DEVICE_WORDS):
            return True
    return False


@contextlib.contextmanager
def guarded(what: str, device: torch.device | str) -> Iterator[None]:
    """Errors of the device inside become OutOfMemory or DeviceError; others pass unchanged.

    what: the thing that was done, as it stands in a sentence ("The model 'city' on 2048×1024").
    """
    try:
        yield
    except SegStudioError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise OutOfMemory(
                f"{what} needs more memory than is free on {device}; choose a smaller input size"
                " or close other programs."
            ) from error
        if is_device_lost(error):
            first = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given"
            raise DeviceError(
                f"The device {device} stopped working ({first}); choose another device or start"
                " SegStudio again."
            ) from error
        raise


def free_cache(device: torch.device) -> None:
    """Give memory that torch keeps for later back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class PeakMemory:
    """Most memory that one net takes on a CUDA device, from now on; nothing is known elsewhere.

    own: bytes of its weights, which lie there already. Everything else that was there before
    belongs to other nets and does not count.
    """

    def __init__(self, device: torch.device, own: int) -> None:
        self._device, self._own = device, own
        self._before = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)

    def mb(self) -> float | None:
        """MiB until now."""
        if self._device.type != "cuda":
            return None
        return (torch.cuda.max_memory_allocated(self._device) - self._before + self._own) / 2**20


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
