"""Runs a daemon with the time before each line that it logs: `python -I -S stamp.py COMMAND...`.

PowerDNS itself writes whole seconds. The daemon keeps this process, so whoever started it ends the right one; the
writing is done by a child, which ends with the daemon's output.
"""

import os
import sys
import time


def stamp(source: int, target: int) -> None:
    with open(source, "rb") as lines:
        for line in lines:
            os.write(target, b"%.6f %s" % (time.time(), line))


def main() -> None:
    source, target = os.pipe()
    if os.fork() == 0:
        os.close(target)
        stamp(source, 1)
        os._exit(0)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(source)
    os.close(target)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - argv was made by the benchmark


if __name__ == "__main__":
    main()
