"""Points at which a program is killed, or one of its system calls made to fail, by strace.

A run without faults is traced and its calls are counted; each becomes a point "the n-th call of
this name". strace delivers an injected SIGKILL when a call is entered, and the kernel then does not
do the call; "before call n+1" is "after call n".
"""

import collections
import pathlib
import re

ERRORS = {
    'openat': ('EIO', 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENOMEM'),
    'write': ('EIO', 'ENOSPC', 'EDQUOT', 'ENOMEM', 'EINTR'),
    'read': ('EIO', 'ENOMEM', 'EINTR'),
    'pread64': ('EIO', 'EINTR'),
    'fdatasync': ('EIO', 'ENOSPC', 'EDQUOT'),
    'fsync': ('EIO', 'ENOSPC', 'EDQUOT'),
    'linkat': ('EIO', 'ENOSPC', 'EDQUOT'),
    'mkdirat': ('EIO', 'ENOSPC', 'EDQUOT'),
    'unlink': ('EIO', 'EROFS'),
    'unlinkat': ('EIO',),
    'fcntl': ('EIO', 'EAGAIN'),
    'flock': ('ENOLCK',),
    'newfstatat': ('EIO',),
    'getdents64': ('EIO',),
    'close': ('EIO',),
    'setresuid': ('EAGAIN',),
    'setresgid': ('ENOMEM',),
    # to peers
    'socket': ('EMFILE', 'ENOBUFS'),
    'connect': ('ECONNREFUSED', 'EAGAIN'),
    'sendto': ('EIO',),
    'sendmsg': ('EPIPE', 'ENOBUFS', 'EINTR'),
    'recvmsg': ('ECONNRESET', 'ENOMEM', 'EINTR'),
    'ppoll': ('ENOMEM', 'EINTR'),
    # for commands
    'pipe2': ('EMFILE', 'ENFILE'),
    'clone': ('EAGAIN', 'ENOMEM'),
    'clone3': ('EAGAIN', 'ENOMEM'),
    'pidfd_open': ('EMFILE', 'ENOMEM'),
    'pidfd_send_signal': ('EPERM',),
    'poll': ('ENOMEM', 'EINTR'),
    'waitid': ('EIO',),
    'dup2': ('EMFILE',),
    'close_range': ('ENOMEM',),
    'capset': ('EPERM',),
    'chdir': ('EIO', 'EACCES', 'ENOENT'),
    'execve': ('EIO', 'ENOMEM', 'EAGAIN'),
}
# How many of these there are depends on how fast others are.
UNSTEADY = ('recvmsg', 'ppoll', 'poll', 'restart_syscall')

Call = collections.namedtuple('Call', 'name nth args')
# FAULTS: of strace, one or two. IS_STEADY: every run comes to it. IS_IN_CHILD: of a forked process.
Point = collections.namedtuple('Point', 'call faults is_steady is_in_child')

_LINE = re.compile(r'^(\w+)\((.*)\)\s+= (-?\w+)')
_FAULT = re.compile(r'(?:(\w+):)?(error|signal)=(\w+)')


def kills(point):
    """Is it the program itself that ends?"""
    return not point.is_in_child and any('KILL' in fault for fault in point.faults)


def error_of(point):
    """The name of the first fault's error; '' when it is no error."""
    match = _FAULT.match(point.faults[0])
    return match[3] if match[2] == 'error' else ''


def read_trace(log, begins):
    """The calls of a run in order, from the first for which BEGINS(call, result) on."""
    counts, calls = collections.Counter(), []
    for line in pathlib.Path(log).read_text(encoding='utf-8', errors='replace').splitlines():
        if not (match := _LINE.match(line)):
            continue
        counts[match[1]] += 1
        call = Call(match[1], counts[match[1]], match[2])
        if calls or begins(call, match[3]):
            calls.append(call)
    return calls


def _is_for_the_journal(call):
    return call.name in ('sendto', 'sendmsg') and 'MESSAGE' in call.args


def points_of(calls, is_steady=lambda call: True, aftermath=()):
    """All that can happen to CALLS: death before each, and each error of each. AFTERMATH: second
    faults, for what fails in the taking back of what failed."""
    points = [Point(call, [f'signal=KILL:when={call.nth}'], is_steady(call), False)
              for call in calls]
    for call in calls:
        if _is_for_the_journal(call):
            continue
        for error in ERRORS.get(call.name, ()):
            fault = f'error={error}:when={call.nth}'
            points.append(Point(call, [fault], is_steady(call), False))
            if error in ('EIO', 'ENOSPC') and call.name in ('write', 'fdatasync', 'unlink'):
                points += [Point(call, [fault, second], is_steady(call), False)
                           for second in aftermath]
    return points


def points_of_child(calls, parents):
    """The same for CALLS of a forked process. strace counts the calls of each process anew and
    injects into all, but not into the first execve: so only names that the PARENTS' calls do not
    have. What ERRORS holds of a child's calls keeps it from becoming a command, which would have
    the same fault else."""
    names = {call.name for call in parents} - {'execve'}
    return [Point(call, [f'{fault}:when={call.nth}'], True, True)
            for call in calls if call.name not in names
            for fault in ['signal=KILL'] + [f'error={e}' for e in ERRORS.get(call.name, ())]]


def sample(points, limit):
    """At most about LIMIT of them: the first of each name and fault, then evenly spaced ones."""
    first = {}
    for i, point in enumerate(points):
        kind = tuple(re.sub(':when=.*', '', fault) for fault in point.faults)
        first.setdefault((point.call.name, kind, point.is_in_child), i)
    chosen = set(first.values())
    rest = [i for i in range(len(points)) if i not in chosen]
    n = min(len(rest), max(0, limit - len(chosen)))
    chosen.update(rest[i * len(rest) // n] for i in range(n))
    return [points[i] for i in sorted(chosen)]


def tracer(point, log):
    """The words in front of a command line. LOG: for was_reached()."""
    words = ['strace', '-q', '-o', log]
    if point.is_in_child:
        words.append('-f')
    for fault in point.faults:
        name, _, _ = fault.partition(':')
        words += ['-e', f'inject={fault}' if '=' not in name
                  else f'inject={point.call.name}:{fault}']
    return words


def was_reached(log):
    text = pathlib.Path(log).read_text(encoding='utf-8', errors='replace')
    return '(INJECTED)' in text or 'killed by SIGKILL' in text
