#!/usr/bin/python3
"""The queue's code, killed before and after each of its system calls, and each call made to fail
once; then started again, and what is found compared with what was promised and with the state
table of unitpost-queue(5).

  queue-fault-sweep.py SCENARIO     (the program of queue-scenario.c)

strace delivers an injected SIGKILL when a call is entered, and the kernel then does not do the
call (probe_kill() makes sure of it). Nothing but user code lies between two calls, so "before
call n+1" is "after call n", and both ends of every call are covered.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import harness
from queuefile import crc32c

DIRS = ('maildrop', 'incoming', 'active', 'deferred', 'hold', 'corrupt')
ERRORS = {
    'openat': ('EIO', 'ENOSPC', 'EMFILE'),
    'open': ('EIO', 'ENOSPC', 'EMFILE'),
    'pwrite64': ('EIO', 'ENOSPC', 'EINTR'),
    'pread64': ('EIO', 'EINTR'),
    'linkat': ('EIO', 'ENOSPC'),
    'fsync': ('EIO', 'ENOSPC'),
    'renameat2': ('EIO', 'ENOSPC'),
    'unlinkat': ('EIO',),
    'mkdirat': ('EIO', 'ENOSPC'),
    'getdents64': ('EIO',),
    'flock': ('EIO',),
    'newfstatat': ('EIO',),
    'fstat': ('EIO',),
    'fstatfs': ('EIO',),
    'getrandom': ('EIO',),
    'close': ('EIO',),
}
MAY_PASS = ('getrandom', 'close', 'unlinkat')    # an acceptance can do without
SIZES = {1: 3000, 2: 150000, 3: 2000}
# What may follow what: a state on disk can be a step ahead of the line that tells it.
REACHED = {'T': 'TSFR', 'F': 'FR', 'S': 'S', 'R': 'R'}
GOOD, GONE, INCOMPLETE, CORRUPT, NEWER = '01234'

Call = collections.namedtuple('Call', 'name nth args result message')
Point = collections.namedtuple('Point', 'call error')    # error None: killed before it
TRACE_LINE = re.compile(r'^(\w+)\((.*)\)\s+= (-?\w+)')


def message_id(number):
    return f'0123456789ABCDEF{number:04d}'


def newer_file():
    """A preamble of version 2, written from the manual page."""
    head = (b'UNITPOST' + struct.pack('<I', 2)).ljust(60, b'?')
    return head + struct.pack('<I', crc32c(head)) + b'records of another kind'


# What is no good, and where it must be after a restart. None: nowhere.
JUNK = {90: b'no queue file', 91: b'', 92: newer_file()}
JUNK_PLACES = {90: 'corrupt', 91: None, 92: 'hold', 94: None, 95: 'corrupt'}


def add_junk(scenario, top):
    """A good file makes two that are not: one without its END, one with a wrong byte."""
    fill(top)
    subprocess.run([scenario, 'run', top], check=True, stdout=subprocess.DEVNULL)
    message = next(top.glob(f'incoming/{message_id(3)}')).read_bytes()
    JUNK[94] = message[:-9]
    JUNK[95] = message.replace(b'user1@', b'user9@')
    assert JUNK[95] != message


def fill(top):
    for name in DIRS:
        (top / name).mkdir(parents=True)
    for number, content in JUNK.items():
        (top / 'incoming' / message_id(number)).write_bytes(content)
    (top / 'maildrop' / message_id(93)).mkdir()


class Promises:
    """What the lines of a run say about the queue."""

    def __init__(self, output):
        self.acked, self.refused, self.delivered = set(), set(), set()
        self.done, self.failed, self.moved = set(), set(), set()
        self.marked = {}
        self.ended = False
        for line in output.splitlines():
            self.take(line.split())

    def take(self, words):
        kind = words[0]
        if kind == 'ACK':
            self.acked.add((int(words[1]), words[2]))
        elif kind == 'REFUSED':
            self.refused.add((int(words[1]), words[2]))
            self.failed.add(int(words[1]))
        elif kind == 'ERR':
            self.failed.add(int(words[1]))
        elif kind == 'DELIVERED':
            self.delivered.add((int(words[1]), int(words[2])))
        elif kind == 'MARKED':
            self.marked[int(words[1]), int(words[2])] = words[3]
        elif kind == 'DONE':
            self.done.add(int(words[1]))
        elif kind == 'END':
            self.ended = True


class Restart:
    """What `check` found."""

    def __init__(self, scenario, top):
        result = subprocess.run([scenario, 'check', top], capture_output=True, text=True,
                                check=False, env=harness.traced_environment())
        self.problems = []
        self.found = {}       # number -> [(dir, states, diagnoses)]
        self.verdicts = []    # (dir, name, verdict)
        if result.returncode != 0 or 'CHECKED 0' not in result.stdout:
            self.problems.append(f'restart failed: {result.returncode} {result.stdout} '
                                 f'{result.stderr[-500:]}')
        for line in result.stdout.splitlines():
            words = line.split()
            if words[0] == 'FOUND' and words[3] == 'verdict':
                self.verdicts.append((words[1], words[2], words[4]))
            elif words[0] == 'FOUND':
                self.take(words)

    def take(self, words):
        number = int(words[2])
        if int(words[3]) != SIZES.get(number) or words[4] != 'whole':
            self.problems.append(f'not whole: {" ".join(words)}')
        self.found.setdefault(number, []).append((words[1], words[5], words[6]))


class Sweep:
    def __init__(self, scenario, mode, base):
        self.scenario, self.mode, self.base = scenario, mode, base
        self.calls = self.count()
        self.points = [Point(call, None) for call in self.calls]
        for call in self.calls:
            if call.name == 'write':
                continue
            self.points += [Point(call, error) for error in ERRORS.get(call.name, ())]

    def strace(self, top, *options):
        return subprocess.run(['strace', '-qq', '-s', '64', *options, self.scenario, self.mode,
                               top], capture_output=True, text=True, check=False,
                              env=harness.traced_environment())

    def count(self):
        """The run without faults: every call from the START line on, with its number among the
        calls of its name since exec, and the message that was being accepted."""
        top = self.base / 'count'
        fill(top)
        result = self.strace(top, '-o', self.base / 'trace')
        if result.returncode != 0 or not Promises(result.stdout).ended:
            sys.exit(f'the run without faults failed: {result}')
        counts, calls, started, message = collections.Counter(), [], False, None
        for line in (self.base / 'trace').read_text().splitlines():
            match = TRACE_LINE.match(line)
            if not match and not line.startswith('exit_group('):
                continue
            name = match[1] if match else 'exit_group'
            args, value = (match[2], match[3]) if match else ('', '')
            counts[name] += 1
            started = started or 'START' in args
            if begin := re.search(r'"BEGIN (\d+) (\w+)', args):
                message = (int(begin[1]), begin[2])
            if started:
                calls.append(Call(name, counts[name], args, value, message))
            if '"ACK ' in args:
                message = None
        return calls

    def run(self, point, top):
        what = f'error={point.error}' if point.error else 'signal=KILL'
        return self.strace(top, '-o', '/dev/null', '-e', f'trace={point.call.name}', '-e',
                           f'inject={point.call.name}:{what}:when={point.call.nth}')

    def try_point(self, number):
        point = self.points[number]
        top = self.base / f'point-{number}'
        fill(top)
        try:
            result = self.run(point, top)
            problems = self.judge(point, result, top)
        finally:
            shutil.rmtree(top, ignore_errors=True)
        where = f'{point.call.name} #{point.call.nth} ({point.call.args[:60]})'
        return [f'{self.mode}: {point.error or "killed before"} {where}: {problem}'
                for problem in problems]

    def judge(self, point, result, top):
        promises = Promises(result.stdout)
        problems = []
        if point.error is None and result.returncode != -9:
            problems.append(f'was to be killed, ended with {result.returncode}')
        if point.error and result.returncode not in (0, 1):
            problems.append(f'ended with {result.returncode}: {result.stderr[-2000:]}')
        if point.error:
            problems += judge_failure(point, promises)
        problems += [f'refused, but there: {number} in {directory}'
                     for number, directory in promises.refused
                     if (top / directory / message_id(number)).exists()]
        first = Restart(self.scenario, top)
        second = Restart(self.scenario, top)
        problems += first.problems + second.problems
        problems += judge_messages(promises, first)
        if first.found != second.found:
            problems.append(f'a second restart differs: {first.found} {second.found}')
        problems += [f'still no good at the second restart: {verdict}'
                     for verdict in second.verdicts if verdict[0] != 'hold']
        problems += [f'a good message was taken for bad: {verdict}' for verdict in first.verdicts
                     if int(verdict[1][-4:]) in SIZES]
        return problems + judge_directories(top)


def judge_failure(point, promises):
    """One call failed: one message may suffer at most, and an acceptance must be refused."""
    problems = []
    if len(promises.failed) > 1:
        problems.append(f'other messages suffered: {promises.failed}')
    if not promises.ended and 0 not in promises.failed:
        problems.append('did not go on')
    if point.error == 'EINTR':
        if promises.failed:
            problems.append('failed without need')
    elif (point.call.message and point.call.name not in MAY_PASS
          and point.call.message not in promises.refused):
        problems.append(f'{point.call.message} was not refused')
    return problems


def judge_messages(promises, restart):
    problems = []
    for number in SIZES:
        places = [place[0] for place in restart.found.get(number, [])]
        accepted = any(n == number for n, _ in promises.acked)
        if accepted and not places and number not in promises.done:
            problems.append(f'LOST: {number} was acknowledged')
        if len(places) > (2 if number == 3 else 1):
            problems.append(f'{number} is there more than once: {places}')
        for place, states, diagnoses in restart.found.get(number, []):
            problems += judge_recipients(number, place, states, diagnoses, promises)
    return problems


def judge_recipients(number, place, states, diagnoses, promises):
    problems = []
    if len(states) != 4:
        return [f'{number} has {len(states)} recipients']
    for i, state in enumerate(states):
        told = promises.marked.get((number, i), None)
        if state in 'SR' and (number, i) not in promises.delivered:
            problems.append(f'{number} recipient {i} in {place} is {state} and was not served')
        if told and state not in REACHED[told]:
            problems.append(f'{number} recipient {i} in {place}: told {told}, found {state}')
        if (told in ('T', 'F') or state == 'F') and diagnoses[i] != '+':
            problems.append(f'{number} recipient {i} in {place}: diagnosis is missing')
    return problems


def judge_directories(top):
    """Where everything must be after a restart, by the state table."""
    problems = []
    for number, content in JUNK.items():
        places = [path for path in top.glob(f'**/*{message_id(number)}*')]
        wanted = [top / JUNK_PLACES[number] / message_id(number)] if JUNK_PLACES[number] else []
        if places != wanted or any(path.read_bytes() != content for path in places):
            problems.append(f'{number} is at {places}, wanted at {wanted}')
    if not (top / 'corrupt' / message_id(93)).is_dir():
        problems.append('the directory in maildrop was not set aside')
    good = {message_id(number) for number in SIZES}
    for directory in ('maildrop', 'incoming', 'active'):
        names = {path.name for path in (top / directory).iterdir()} - good - {'.lock'}
        problems += [f'{name} is left in {directory}' for name in sorted(names)]
    for bucket in (top / 'deferred').iterdir():
        names = {path.name for path in bucket.iterdir()}
        problems += [f'{name} is left in {bucket}' for name in sorted(names - good)]
        if not names:
            problems.append(f'{bucket} is empty')
    return problems


def check_order(calls):
    """Of each acceptance: link, then the file's sync, then its directory's, and only then ACK.
    A process that dies loses nothing that was written, so only the trace can tell."""
    problems, n = [], 0
    for i, call in enumerate(calls):
        if call.name != 'linkat' or not call.message:
            continue
        message = call.message
        temporary = re.search(r'/proc/self/fd/(\d+)', call.args)
        directory = re.search(r', (\d+), "\w+"', call.args)[1]
        after = [c for c in calls[i + 1:] if c.message == message]
        syncs = [(c.args, c.result) for c in after if c.name == 'fsync']
        file = temporary[1] if temporary else syncs[0][0] if syncs else None
        if syncs != [(file, '0'), (directory, '0')] or file == directory:
            problems.append(f'{message}: syncs after the link: {syncs}')
        if not after or '"ACK ' not in after[-1].args:
            problems.append(f'{message}: no ACK at the end')
        if any(c.name.startswith(('pwrite', 'ftruncate')) for c in after):
            problems.append(f'{message}: written after the link')
        n += 1
    if n < 3:
        problems.append(f'only {n} acceptances seen')
    return problems


def probe_kill(sweep):
    """Is "killed before" before? The link must not be there; killed before the next call it is."""
    link = next(i for i, call in enumerate(sweep.calls) if call.name == 'linkat')
    problems = []
    for index, wanted in ((link, False), (link + 1, True)):
        top = sweep.base / f'probe-{index}'
        fill(top)
        sweep.run(Point(sweep.calls[index], None), top)
        if (top / 'incoming' / message_id(1)).exists() != wanted:
            problems.append(f'killed before {sweep.calls[index].name}: '
                            f'the link is{" not" if wanted else ""} there')
    return problems


def sweep_mode(scenario, mode, base):
    sweep = Sweep(scenario, mode, base)
    problems = check_order(sweep.calls) + probe_kill(sweep)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for found in pool.map(sweep.try_point, range(len(sweep.points))):
            problems += found
    n_kills = sum(point.error is None for point in sweep.points)
    print(f'{mode}: {len(sweep.points)} points: {len(sweep.calls)} system calls, '
          f'killed at {n_kills}, failed at {len(sweep.points) - n_kills}', flush=True)
    return problems


def main():
    scenario = pathlib.Path(sys.argv[1]).resolve()
    memory = '/dev/shm' if os.access('/dev/shm', os.W_OK) else None
    problems = []
    with tempfile.TemporaryDirectory(prefix='unitpost-sweep-', dir=memory) as base:
        add_junk(scenario, pathlib.Path(base) / 'queue')
    for mode in ('run', 'run-hidden'):
        with tempfile.TemporaryDirectory(prefix='unitpost-sweep-', dir=memory) as base:
            problems += sweep_mode(scenario, mode, pathlib.Path(base))
    for problem in problems[:40]:
        print(problem)
    print(f'{len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
