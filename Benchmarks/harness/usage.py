"""What processes use: processor time and memory, from /proc."""

import os
import time
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all its descendants, those that ended included.

    /proc/PID/stat counts in steps of 10 ms.
    """
    parents: dict[int, int] = {}
    own: dict[int, int] = {}
    ended: dict[int, int] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        # The command name, in parentheses, may itself contain blanks and parentheses.
        fields = text[text.rindex(")") + 2 :].split()
        process = int(entry)
        parents[process] = int(fields[1])
        own[process] = int(fields[11]) + int(fields[12])
        ended[process] = int(fields[13]) + int(fields[14])
    ticks = 0
    for process in own:
        ancestor = process
        while ancestor not in (pid, 0, 1):
            ancestor = parents.get(ancestor, 0)
        if ancestor == pid:
            ticks += own[process] + ended[process]
    return ticks / _TICKS_PER_SECOND


def cpu_nanoseconds(pid: int) -> int:
    """Time on a processor of all threads of one process, exact and with those that ended: for a server that does little.

    The clock of another process has an id made of the process id (clock_getcpuclockid(3), as glibc makes it).
    """
    return time.clock_gettime_ns((~pid << 3) | 2)


def resident_bytes(pid: int) -> int:
    """Memory that the process holds now (VmRSS)."""
    return _status_bytes(pid, "VmRSS:")


def peak_resident_bytes(pid: int) -> int:
    """The most memory it ever held (VmHWM)."""
    return _status_bytes(pid, "VmHWM:")


def _status_bytes(pid: int, name: str) -> int:
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise KeyError(name)
