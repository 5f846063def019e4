"""Which number type a run computes in, and where a faster one would be slower."""

from pathlib import Path

import torch


def precision(name: str, device: torch.device) -> tuple[torch.dtype, str]:
    """(type, one sentence when it is not the one asked for, else "").

    "auto" is bf16 where the hardware multiplies it: CUDA, or a CPU with AVX-512 BF16 or AMX. A CPU
    that would emulate a short type (6 times slower, measured) takes fp32 whatever was asked for.
    """
    if name == "fp32":
        return torch.float32, ""
    if device.type == "cuda":
        if name == "fp16":
            return torch.float16, ""
        if torch.cuda.is_bf16_supported():
            return torch.bfloat16, ""
        return torch.float32, "" if name == "auto" else f"{device} does not know bf16; took fp32."
    if device.type == "cpu" and name != "fp16" and cpu_has_bf16():
        return torch.bfloat16, ""
    if name == "auto":
        return torch.float32, ""
    return torch.float32, f"This {device.type} would emulate {name}, six times slower; took fp32."


def cpu_has_bf16() -> bool:
    """False where bf16 would be emulated."""
    info = Path("/proc/cpuinfo")
    flags = info.read_text() if info.is_file() else ""
    return "avx512_bf16" in flags or "amx_bf16" in flags


def limit_threads(threads: int) -> None:
    """CPU threads of the net; 0 leaves torch's choice."""
    if threads > 0:
        torch.set_num_threads(threads)
