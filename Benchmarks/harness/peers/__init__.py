"""The servers that are measured: ours and, where installed, those we compare it with.

Each has `name`, `start()`, `stop()` and `pid`; starts on a free port of 127.0.0.1 with an empty
directory of its own; and makes the loads that it can serve. `Unavailable` says that one is not
installed here or cannot run here.
"""


class Unavailable(Exception):
    """The text says why, for the report."""
