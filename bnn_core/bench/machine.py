"""What a measurement was made on: processor, system, versions."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from bnn_core.kernels import status

_PACKAGES = ("numpy", "llvmlite", "torch", "onnxruntime", "bnn-lab")


def machine() -> dict[str, Any]:
    """Processor, cores, system, the kernel that is picked, and the versions of what was measured."""
    kernels = status()
    return {
        "processor": processor_name(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "kernel": kernels.best,
        "llvm_cpu": kernels.cpu,
        "python": platform.python_version(),
        **{name: version for name in _PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def processor_name() -> str:
    """The processor as it is sold, as far as the system tells."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if platform.system() == "Linux":
            for line in Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines():
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
        elif platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=5
            ).stdout.strip()
    return platform.processor() or platform.machine() or "unknown"
