#!/usr/bin/python3 -B
"""local's deliveries, killed before each system call, and each call made to fail once; then the
next messages are delivered, and the mailbox is read by a reader that is not ours.

  local-fault-sweep.py      (as root; UNITPOST_BUILD: the build directory)

What must hold, whatever happened to message "one":

  - no call fails, and one is acknowledged: it is there;
  - a call fails, and one is not acknowledged: it is not there, and nothing of it (but where the
    call that would take it back failed too: then until the next delivery);
  - it was killed: the next message, whoever's it is, finds and leaves whole messages only;
  - one is tried again, as qmgr does: it is there once, or twice, whole each time;
  - no lock file and no file in tmp/ is left, and what was in the mailbox before still is.

strace delivers an injected SIGKILL when a call is entered, and the kernel then does not do the
call; "before call n+1" is "after call n".
"""

import collections
import concurrent.futures
import contextlib
import hashlib
import itertools
import mailbox
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

import harness
from harness import PEOPLE, PROGRAMS, Peer, World

QUEUE_ID = '6610CD7F62AC0D4D2470'
OFFSET = 64
SENT = 1
MAIL_GID = 8

ERRORS = {
    'openat': ('EIO', 'ENOSPC', 'EDQUOT', 'EMFILE'),
    'write': ('EIO', 'ENOSPC', 'EDQUOT', 'EINTR'),
    'pread64': ('EIO', 'EINTR'),
    'fdatasync': ('EIO', 'ENOSPC', 'EDQUOT'),
    'fsync': ('EIO', 'ENOSPC', 'EDQUOT'),
    'linkat': ('EIO', 'ENOSPC', 'EDQUOT'),
    'mkdirat': ('EIO', 'ENOSPC', 'EDQUOT'),
    'unlink': ('EIO', 'EROFS'),
    'unlinkat': ('EIO',),
    'fcntl': ('EIO', 'EAGAIN'),
    'newfstatat': ('EIO',),
    'close': ('EIO',),
    'socket': ('EMFILE',),
    'sendto': ('EIO',),
}
# How many of these there are depends on how fast the peer is; they come before and after the work.
UNSTEADY = ('recvmsg', 'ppoll')
HARMLESS = ('EINTR', 'EAGAIN')    # the delivery goes on
# What fails in the taking back of what failed.
AFTERMATH = ('ftruncate:error=EIO', 'ftruncate:signal=KILL')

Scenario = collections.namedtuple('Scenario', 'name size options target')
SCENARIOS = [
    Scenario('mbox', 2000, ['mail_spool_directory={spool}'], '{spool}/bob'),
    Scenario('mbox of 300 kB', 300000, ['mail_spool_directory={spool}'], '{spool}/bob'),
    Scenario('home_mailbox', 2000, ['home_mailbox={name}/mbox'], '{home}/mbox'),
    Scenario('Maildir', 70000, ['home_mailbox={name}/Maildir/'], '{home}/Maildir'),
]
Call = collections.namedtuple('Call', 'name nth args')
Point = collections.namedtuple('Point', 'call faults')    # faults: of strace, one or two
TRACE_LINE = re.compile(r'^(\w+)\((.*)\)\s+= (-?\w+)')


def content(name, size):
    """A message that shows whether it is whole: its last line is the hash of its lines."""
    lines = [f'{name} {i} {"x" * (i % 60)}' for i in range(size // 40)]
    lines.insert(len(lines) // 2, 'From the middle of it')
    body = '\n'.join(lines) + '\n'
    return f'Subject: {name}\n\n{body}{hashlib.sha256(body.encode()).hexdigest()}\n'.encode()


def name_if_whole(message):
    """Of a message as a reader has it, its Subject; None when anything of it is missing."""
    head, _, body = message.decode().partition('\n\n')
    body, _, digest = body.replace('\n>From ', '\nFrom ').rstrip('\n').rpartition('\n')
    if hashlib.sha256(f'{body}\n'.encode()).hexdigest() != digest:
        return None
    if not re.search('^Return-Path: <ann@example.org>$', head, re.M):
        return None
    return re.search('^Subject: (.*)$', head, re.M)[1]


class Conversation(Peer):
    """A peer at the other end of a pair of sockets."""

    def __init__(self, one):
        self.socket = one
        self.socket.settimeout(30)
        self.data = b''


def ask(local, message):
    """One delivery by a local that talks to LOCAL: was it acknowledged?"""
    fd = os.memfd_create('message')
    try:
        os.write(fd, b'\0' * OFFSET + message)
        with Conversation(local) as peer:
            peer.receive()
            peer.send_message('delivery', {
                'queue-id': QUEUE_ID, 'nexthop': '', 'sender': 'ann@example.org', 'envid': '',
                'arrival': 1, 'active': 1, 'content-offset': OFFSET, 'content-size': len(message),
                'flags': 0, 'ret': 0}, [fd])
            peer.send_message('delivery-recipient', {
                'handle': 0, 'address': 'bob@example.org', 'original': '', 'orcpt': '',
                'notify': 0})
            peer.send_end()
            (_, outcome), = peer.receive_answer()
            return int(outcome['status']) == SENT
    except (EOFError, ConnectionError):
        return False
    finally:
        os.close(fd)


class Place:
    """A spool and a home of one point."""

    def __init__(self, scenario, name):
        self.scenario = scenario
        names = {'name': name, 'spool': f'/var/mail/{name}', 'home': f'/home/bob/{name}'}
        self.directories = [names['spool'], names['home']]
        self.target = pathlib.Path(scenario.target.format(**names))
        self.options = [word for option in scenario.options + ['deliver_lock_attempts=1']
                        for word in ('-o', option.format(**names))]

    def __enter__(self):
        for path, user, group, mode in zip(self.directories, (0, PEOPLE['bob']),
                                           (MAIL_GID, PEOPLE['bob']), (0o2775, 0o755)):
            os.mkdir(path)
            os.chown(path, user, group)
            os.chmod(path, mode)
        return self

    def __exit__(self, *_):
        for path in self.directories:
            shutil.rmtree(path)

    def deliver(self, name, tracer=()):
        """With a local of its own, as traced by TRACER. Acknowledged?, exit status."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen([*tracer, f'{PROGRAMS}/local', *self.options], stdin=theirs,
                                   stdout=subprocess.DEVNULL, env=harness.traced_environment())
        theirs.close()
        acknowledged = ask(ours, content(name, self.scenario.size))
        return acknowledged, process.wait(60)

    def messages(self):
        """The names of what an independent reader finds; None for what is not whole."""
        if self.target.name == 'Maildir':
            return [name_if_whole(path.read_bytes()) for path in self.target.glob('new/*')]
        with contextlib.closing(mailbox.mbox(self.target, create=False)) as box:
            return [name_if_whole(bytes(one)) for one in box]

    def leftovers(self):
        return [str(path) for directory in self.directories
                for pattern in ('**/*.lock', '**/tmp/*')
                for path in pathlib.Path(directory).glob(pattern)]


def trace(scenario, log):
    """The calls of a delivery without faults: each with its number among those of its name."""
    with Place(scenario, 'count') as place:
        place.deliver('zero')
        acknowledged, status = place.deliver('one', ['strace', '-qq', '-s', '32', '-o', log])
        if not acknowledged or status != 0 or sorted(place.messages()) != ['one', 'zero']:
            sys.exit(f'{scenario.name}: the run without faults failed: {place.messages()}')
    counts, calls, started = collections.Counter(), [], False
    for line in pathlib.Path(log).read_text(encoding='utf-8').splitlines():
        if not (match := TRACE_LINE.match(line)):
            continue
        counts[match[1]] += 1
        started = started or match[1] == 'setresgid'    # it becomes the recipient
        if started and match[1] not in UNSTEADY:
            calls.append(Call(match[1], counts[match[1]], match[2]))
    return calls


def is_for_the_journal(call):
    return call.name in ('sendto', 'sendmsg') and 'MESSAGE' in call.args


def points_of(calls):
    points = [Point(call, [f'signal=KILL:when={call.nth}']) for call in calls]
    for call in calls:
        if is_for_the_journal(call):
            continue
        for error in ERRORS.get(call.name, ()):
            fault = f'error={error}:when={call.nth}'
            points.append(Point(call, [fault]))
            if error in ('EIO', 'ENOSPC') and call.name in ('write', 'fdatasync', 'unlink'):
                points += [Point(call, [fault, second]) for second in AFTERMATH]
    return points


def injections(point):
    for fault in point.faults:
        name, _, rest = fault.partition(':')
        yield f'inject={fault}' if '=' not in name else f'inject={point.call.name}:{fault}'


def judge_first(point, place, acknowledged, status):
    """After the fault."""
    killed = any('KILL' in fault for fault in point.faults)
    found = place.messages()
    problems = []
    if killed and status not in (-9, 137) and 'ftruncate' not in point.faults[-1]:
        problems.append(f'was to be killed, ended with {status}')
    if acknowledged and found != ['zero', 'one'] and sorted(found) != ['one', 'zero']:
        problems.append(f'acknowledged, but there is {found}')
    if not killed and len(point.faults) == 1:
        if not acknowledged and point.faults[0].split('=')[1].split(':')[0] in HARMLESS:
            problems.append('failed without need')
        if not acknowledged and found != ['zero'] and point.call.name not in ('close', 'setresuid'):
            problems.append(f'refused, but there is {found}')
        if None in found:
            problems.append(f'half a message: {found}')
    return problems


def try_point(scenario, point, name):
    with Place(scenario, name) as place:
        place.deliver('zero')
        tracer = ['strace', '-qq', '-o', '/dev/null', '-e', 'signal=none']
        for one in injections(point):
            tracer += ['-e', one]
        acknowledged, status = place.deliver('one', tracer)
        problems = judge_first(point, place, acknowledged, status)
        steps = ['two'] if acknowledged else ['two', 'one']
        for step in steps:
            if place.deliver(step) != (True, 0):
                problems.append(f'then {step} is not delivered')
        counts = collections.Counter(place.messages())
        if counts['zero'] != 1 or counts['two'] != 1 or counts[None] != 0:
            problems.append(f'in the end: {counts}')
        if counts['one'] not in ((1,) if acknowledged else (1, 2)):
            problems.append(f'in the end one is there {counts["one"]} times')
        problems += [f'{path} is left' for path in place.leftovers()]
    where = f'{point.call.name} #{point.call.nth} ({point.call.args[:60]})'
    return [f'{scenario.name}: {point.faults} at {where}: {problem}' for problem in problems]


def sweep(scenario, log):
    calls = trace(scenario, log)
    points = points_of(calls)
    if {'write', 'linkat'} - {call.name for call in calls}:
        return [f'{scenario.name}: no delivery was seen: {calls}']
    numbers = itertools.count()
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda point: try_point(scenario, point, f'p{next(numbers)}'), points)
        problems = list(itertools.chain.from_iterable(found))
    n_kills = sum('KILL' in point.faults[0] for point in points)
    print(f'{scenario.name}: {len(points)} points: {len(calls)} system calls, killed at {n_kills}, '
          f'failed at {len(points) - n_kills}', flush=True)
    return problems


def main():
    problems = []
    with World(roles=['local']):
        for scenario in SCENARIOS:
            problems += sweep(scenario, '/run/unitpost-test-trace')
    for problem in problems[:40]:
        print(problem)
    print(f'{len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
