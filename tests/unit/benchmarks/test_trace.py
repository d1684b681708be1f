from benchmarks.model import Started
from benchmarks.trace import started

LOG = """\
100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f) = 101
101 clone3({flags=CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND, exit_signal=SIGCHLD, stack=0x7f}, 88) = 102
101 clone3({flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD, stack=0x7f} => {parent_tid=[103]}, 88) = 103
100 vfork( <unfinished ...>
100 <... vfork resumed>)                = 104
100 clone(child_stack=NULL, flags=SIGCHLD) = -1 EAGAIN (Resource temporarily unavailable)
"""


def test_processes_and_threads_are_told_apart() -> None:
    assert started(LOG) == Started(processes=4, threads=5)


def test_a_command_that_starts_nothing_is_one_process() -> None:
    assert started("") == Started(1, 1)
