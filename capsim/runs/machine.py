"""What figures are measured on and with: processor, memory, versions, seconds of the processor."""

from __future__ import annotations

import os
import platform
import resource
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("numpy", "scipy", "pandas", "highspy", "pulp", "linopy", "xarray", "pyomo")


def cpu_s() -> float:
    """Seconds of the processor, of this process and of the children it has waited for."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + waited.ru_utime + waited.ru_stime


def described() -> dict[str, str]:
    """Describe this machine and the libraries in use."""
    found = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _from("/proc/cpuinfo", "model name") or platform.processor(),
        "processors": str(len(os.sched_getaffinity(0))),
        "memory": _gigabytes(_from("/proc/meminfo", "MemTotal")),
        "load": " ".join(f"{part:.1f}" for part in os.getloadavg()),
    }
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _gigabytes(kilobytes: str) -> str:
    """Write what `/proc/meminfo` says (`24684084 kB`) in a unit that people know."""
    number = kilobytes.split()[0] if kilobytes else ""
    return f"{int(number) * 1024 / 1e9:.0f} GB" if number.isdigit() else kilobytes


def _from(path: str, key: str) -> str:
    file = Path(path)
    if not file.exists():
        return ""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")
