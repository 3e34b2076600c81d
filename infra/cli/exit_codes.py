"""What the exit codes of ``hybridmesh`` mean."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Documented in ``hybridmesh --help``."""

    OK = 0
    TASK_FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    REFUSED = 4
    SETUP = 5
    DATA = 65
    BUG = 70
    INTERRUPTED = 130
    READER_GONE = 141  # as of a program that SIGPIPE ended
