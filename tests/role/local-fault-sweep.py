#!/usr/bin/python3 -B
"""local's deliveries, killed before each system call, and each call made to fail once; then the
next messages are delivered, and what they were delivered to is read by a reader that is not ours:
mailboxes, the queue behind a .forward or alias, files that a command has written.

  local-fault-sweep.py [KIND]...    (mailbox, forward, command; as root; UNITPOST_BUILD: the build)

What must hold, whatever happened to message "one":

  - one is acknowledged: it is there, once (an alias with several destinations may leave a mailbox
    that has it to a message of its own, when what failed came after the delivery);
  - a call fails, and one is not acknowledged: it is deferred and never bounced; it is in no
    mailbox, and nothing of it (but where the call that would take it back failed too, until the
    next delivery; and where it is all there, and what came after it failed);
  - it was killed: the next message, whoever's it is, finds and leaves whole messages only;
  - one is tried again, as qmgr does: it is there once, or twice if it was there before;
  - in the queue there are whole files of whole messages only, at any time;
  - no lock file, no file in tmp/, no cgroup is left, and no process of a command: when local has
    answered, or, where it was killed, when the next one has (without cgroups nobody can);
  - what was there before still is; local ends with 0, or 75 where it cannot go on.

A command that gets a part of a message because its local was killed may keep that part: it is
given the whole message later.

A scenario of more than POINTS_MAX points has a part of them tried: the first of each name of a call
and fault, and evenly spaced ones of the rest. Each of them must be reached, as strace tells. How
many calls there are of some depends on how fast others are, so of these, tried three times each, a
tenth may be missed. Of a command's child, between fork and exec, calls are tried whose names its
parent does not use: strace counts them for both.
"""

import collections
import concurrent.futures
import itertools
import os
import pathlib
import sys

import faults
import local_places
from harness import World
from local_places import CgroupCommand, Command, Forward, List, Mailbox, Scenario

POINTS_MAX = 250
TRIES = 3
TRACES = pathlib.Path('/run/unitpost-test-traces')

# What fails in the taking back of what failed.
AFTERMATH = ('ftruncate:error=EIO', 'ftruncate:signal=KILL')
# Where it fails after the delivery: then nobody hears that it took place.
ANSWERING = ('sendmsg', 'recvmsg', 'ppoll', 'close', 'setresuid', 'setresgid')

MAILBOXES = [
    Scenario('mbox', Mailbox, 2000, ['mail_spool_directory={spool}'], target='{spool}/bob'),
    Scenario('mbox of 300 kB', Mailbox, 300000, ['mail_spool_directory={spool}'],
             target='{spool}/bob'),
    Scenario('home_mailbox', Mailbox, 2000, ['home_mailbox={name}/mbox'], target='{home}/mbox'),
    Scenario('Maildir', Mailbox, 70000, ['home_mailbox={name}/Maildir/'],
             target='{home}/Maildir'),
]
FORWARDS = [
    Scenario('.forward', Forward, 2000, forward='alice@example.net\n'),
    Scenario('alias of 70 kB', Forward, 70000, at='team', alias='alice@example.net'),
    Scenario('alias to a mailbox and on', List, 2000, ['mail_spool_directory={spool}'], at='team',
             alias='bob@example.org, alice@example.net', target='{spool}/bob'),
]
COMMANDS = [
    Scenario('command of a .forward', CgroupCommand, 2000, forward='"|{command} {home}/out"\n'),
    Scenario('command of an alias, 200 kB', CgroupCommand, 200000, at='team',
             alias='"|{command} {home}/out"'),
    Scenario('mailbox_command, no cgroup', Command, 2000,
             ['mailbox_command={command} {home}/out']),
]
KINDS = {'mailbox': MAILBOXES, 'forward': FORWARDS, 'command': COMMANDS}


# ---- what can happen ----

def begins(call, result):
    """The request has come."""
    return call.name == 'recvmsg' and result.isdigit() and result != '0'


def trace(scenario):
    """The calls of a delivery without faults, and those of the command's child before its exec."""
    prefix = TRACES / 'count'
    for path in TRACES.iterdir():
        path.unlink()
    with scenario.kind(scenario) as place:
        place.deliver('zero')
        answer, status = place.deliver('one', ['strace', '-ff', '-qq', '-s', '32', '-o', prefix])
        found = place.found()
        if (answer, status) != ('sent', 0) or any(sorted(names, key=str) != ['one', 'zero']
                                                  for names in found.values()):
            sys.exit(f'{scenario.name}: the run without faults failed: {answer}, {found}')
        problems = place.leftovers() + place.other_view()
    runs = {path: faults.read_trace(path, lambda *_: True) for path in TRACES.iterdir()}
    local = next(path for path, calls in runs.items()
                 if any(call.name == 'recvmsg' for call in calls))
    child = next((calls for calls in runs.values() if calls is not runs[local]
                  and any(call.name == 'capset' for call in calls)), [])
    n_child = next((i for i, call in enumerate(child) if call.name == 'execve'), -1) + 1
    return runs[local], faults.read_trace(local, begins), child[:n_child], problems


def find_points(scenario):
    """All of a scenario's, and problems of the run without faults."""
    parents, calls, child, problems = trace(scenario)
    fork = next((i for i, call in enumerate(calls) if call.name.startswith('clone')), len(calls))
    steady = {call for call in calls[:fork] if call.name not in faults.UNSTEADY}
    points = faults.points_of(calls, steady.__contains__,
                              AFTERMATH if scenario.kind is Mailbox else ())
    if issubclass(scenario.kind, Command):
        # A call that strace lets fail is not done: the pipe would stay open, and hang both sides.
        points = [point for point in points
                  if point.call.name != 'close' or not faults.error_of(point)]
    points += faults.points_of_child(child, parents)
    wanted = {Mailbox: {'linkat'}, Forward: {'connect'}, List: {'linkat', 'connect'}}
    missing = wanted.get(scenario.kind, {'execve'}) - {point.call.name for point in points}
    if missing:
        problems.append(f'{scenario.name}: no {missing} was seen: {[call.name for call in calls]}')
    return points, problems


# ---- what came of it ----

def count(names, name):
    return collections.Counter(names)[name]


def judge_first(point, place, answer, status, is_reached):
    """After the fault."""
    killed = faults.kills(point) and is_reached
    problems = []
    if killed and status not in (-9, 137) and 'ftruncate' not in point.faults[-1]:
        problems.append(f'was to be killed, ended with {status}')
    if not killed and status not in (0, 75):
        problems.append(f'ended with {status}')
    if answer in ('bounced', local_places.HUNG):
        problems.append(answer)
    error = faults.error_of(point)
    is_harmless = error == 'EINTR' or (error == 'EAGAIN' and 'SETLK' in point.call.args)
    if answer != 'sent' and is_harmless:
        problems.append('failed without need')
    if not killed:
        problems += [f'{what} is left' for what in place.leftovers()
                     if len(point.faults) == 1 and what.startswith('process')]
    return problems


def may_be_twice(point, place):
    """Where it fails after the delivery, the mailbox is left to a message of its own."""
    return isinstance(place, List) and point.call.name in ANSWERING


def judge_found(point, place, answer, found):
    """What there is after the fault."""
    problems = []
    is_simple = not faults.kills(point) and len(point.faults) == 1
    for where, names in found.items():
        wanted = [['one', 'zero']]
        if may_be_twice(point, place):
            wanted.append(['one', 'one', 'zero'])
        if answer == 'sent' and sorted(names, key=str) not in wanted:
            problems.append(f'acknowledged, but {where} has {names}')
        if answer != 'sent' and is_simple and place.scenario.kind is Mailbox \
                and names != ['zero'] and point.call.name not in ANSWERING:
            problems.append(f'refused, but {where} has {names}')
        if None in names and isinstance(place, Forward) and where != 'bob':
            problems.append(f'half a message in the queue: {names}')
        if None in names and is_simple and not place.may_be_cut:
            problems.append(f'half a message: {names}')
    return problems


def judge_last(point, place, answer, before):
    """After the next deliveries; BEFORE: what there was after the fault."""
    problems = []
    is_simple = not faults.kills(point) and len(point.faults) == 1
    for where, names in place.found().items():
        counts = collections.Counter(names)
        n_before = count(before.get(where, []), 'one')
        if counts['zero'] != 1 or counts['two'] != 1 or (counts[None] and not place.may_be_cut):
            problems.append(f'in the end: {where} has {counts}')
        if answer == 'sent':
            allowed = (1, 2) if may_be_twice(point, place) else (1,)
        else:
            allowed = (n_before + 1,) if is_simple else (1, 2)
        if counts['one'] not in allowed:
            problems.append(f'in the end one is {counts["one"]} times in {where}, not {allowed}')
    return problems


def try_once(scenario, point):
    """Was it reached, and what was wrong?"""
    with scenario.kind(scenario) as place:
        place.deliver('zero')
        log = TRACES / place.name
        answer, status = place.deliver('one', faults.tracer(point, log))
        is_reached = faults.was_reached(log)
        log.unlink()
        problems = judge_first(point, place, answer, status, is_reached)
        if faults.kills(point):
            place.settle()
        before = place.found()
        problems += judge_found(point, place, answer, before)
        for step in ['two'] if answer == 'sent' else ['two', 'one']:
            if (then := place.deliver(step)) != ('sent', 0):
                problems.append(f'then {step} is not delivered: {then}')
        problems += judge_last(point, place, answer, before)
        if any('command-' in what for what in place.leftovers()):
            place.deliver('three')    # what was killed a moment ago may take another sweep
        problems += [f'{what} is left' for what in place.leftovers()]
    return is_reached, problems


def try_point(scenario, point):
    for _ in range(1 if point.is_steady else TRIES):
        is_reached, problems = try_once(scenario, point)
        if is_reached or problems:
            break
    if not is_reached and point.is_steady:
        problems.append('was not reached')
    where = (f'{point.call.name} #{point.call.nth}{" of the child" if point.is_in_child else ""} '
             f'({point.call.args[:60]})')
    return is_reached, [f'{scenario.name}: {point.faults} at {where}: {problem}'
                        for problem in problems]


# ---- all of it ----

def sweep(scenario):
    every, problems = find_points(scenario)
    points = faults.sample(every, POINTS_MAX)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda point: try_point(scenario, point), points))
    problems += itertools.chain.from_iterable(found for _, found in results)
    n_kills = sum('KILL' in point.faults[0] for point in points)
    n_child = sum(point.is_in_child for point in points)
    n_missed = sum(not is_reached for is_reached, _ in results)
    print(f'{scenario.name}: {len(points)} of {len(every)} points: killed at {n_kills}, failed at '
          f'{len(points) - n_kills}; {n_child} in the child, {n_missed} not reached', flush=True)
    problems += local_places.clear_queue()
    if not points or n_missed * 10 > len(points):
        problems.append(f'{scenario.name}: {n_missed} of {len(points)} points were not reached')
    return problems


def main():
    kinds = sys.argv[1:] or KINDS
    problems = []
    CgroupCommand.top = local_places.has_cgroups()
    with World(roles=['local', 'cleanup', 'showq'],
               main_cf='myhostname = host.test\nmydestination = example.org\n'):
        TRACES.mkdir()
        pathlib.Path(local_places.COMMAND).write_text(local_places.COMMAND_TEXT)
        os.chmod(local_places.COMMAND, 0o755)
        for scenario in itertools.chain.from_iterable(KINDS[kind] for kind in kinds):
            if scenario.kind is CgroupCommand and not CgroupCommand.top:
                print(f'{scenario.name}: no cgroup can be had here, so without')
                scenario = scenario._replace(kind=Command)
            problems += sweep(scenario)
    for problem in problems[:40]:
        print(problem)
    print(f'{len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
