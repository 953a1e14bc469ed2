"""Places that local delivers to, one for each point of local-fault-sweep.py, which reads them as
somebody who is not ours would."""

import collections
import contextlib
import hashlib
import itertools
import mailbox
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import harness
import queuefile
from harness import PEOPLE, PROGRAMS, Peer

QUEUE_ID = '6610CD7F62AC0D4D2470'
OFFSET = 64
STATUS = {1: 'sent', 2: 'deferred', 3: 'bounced'}
BROKEN = 'broken'    # the connection, before an answer
HUNG = 'no answer within 30 s'
MAIL_GID = 8
INCOMING = pathlib.Path('/var/spool/unitpost/incoming')
COMMAND = '/run/unitpost-test-command'

# KIND: a Place below. AT: the recipient. OPTIONS: of local, ALIAS: what "team" stands for, FORWARD:
# bob's .forward; {name}, {home} ... are the place's.
Scenario = collections.namedtuple('Scenario', 'name kind size options at alias forward target',
                                  defaults=((), 'bob', '', '', ''))

# A part of it that wants to stay, and the message, in a file of its own.
COMMAND_TEXT = """#!/bin/sh
setsid sleep 600 > /dev/null 2>&1 &
exec cat > "$1/$$"
"""


def content(name, size):
    """A message that shows whether it is whole: its last line is the hash of its lines."""
    lines = [f'{name} {i} {"x" * (i % 60)}' for i in range(size // 40)]
    lines.insert(len(lines) // 2, 'From the middle of it')
    body = '\n'.join(lines) + '\n'
    return f'Subject: {name}\n\n{body}{hashlib.sha256(body.encode()).hexdigest()}\n'.encode()


def name_if_whole(message, return_path=True):
    """Of a message as a reader has it, its Subject; None when anything of it is missing."""
    head, _, body = message.decode().partition('\n\n')
    body, _, digest = body.replace('\n>From ', '\nFrom ').rstrip('\n').rpartition('\n')
    if hashlib.sha256(f'{body}\n'.encode()).hexdigest() != digest:
        return None
    if return_path and not re.search('^Return-Path: <ann@example.org>$', head, re.M):
        return None
    return re.search('^Subject: (.*)$', head, re.M)[1]


class Conversation(Peer):
    """A peer at the other end of a pair of sockets."""

    def __init__(self, one):
        self.socket = one
        self.socket.settimeout(30)
        self.data = b''


def ask(local, recipient, envid, message):
    """One delivery by a local that talks to LOCAL: its status."""
    fd = os.memfd_create('message')
    try:
        os.write(fd, b'\0' * OFFSET + message)
        with Conversation(local) as peer:
            peer.receive()
            peer.send_message('delivery', {
                'queue-id': QUEUE_ID, 'nexthop': '', 'sender': 'ann@example.org', 'envid': envid,
                'arrival': 1, 'active': 1, 'content-offset': OFFSET, 'content-size': len(message),
                'flags': 0, 'ret': 0}, [fd])
            peer.send_message('delivery-recipient', {
                'handle': 0, 'address': f'{recipient}@example.org', 'original': '', 'orcpt': '',
                'notify': 0})
            peer.send_end()
            (_, outcome), = peer.receive_answer()
            return STATUS[int(outcome['status'])]
    except (EOFError, ConnectionError):
        return BROKEN
    except TimeoutError:
        return HUNG
    finally:
        os.close(fd)


class Place:
    """A spool, a home and a configuration of one point. A context; NAME is its own for ever."""

    may_be_cut = False    # is a part of a message possible, when it was not acknowledged?
    numbers = itertools.count()

    def __init__(self, scenario):
        self.scenario = scenario
        self.name = f'p{next(self.numbers)}'
        self.spool = f'/var/mail/{self.name}'
        self.home = f'/home/bob/{self.name}'
        self.target = pathlib.Path(self.fill_in(scenario.target))
        self.options = [word for option in (*scenario.options, 'deliver_lock_attempts=1',
                                            'alias_maps=texthash:{home}/aliases',
                                            'forward_path={home}/forward')
                        for word in ('-o', self.fill_in(option))]
        self.prefix = []

    def fill_in(self, text):
        return text.format(name=self.name, spool=self.spool, home=self.home, command=COMMAND)

    def __enter__(self):
        for path, user, group, mode in ((self.spool, 0, MAIL_GID, 0o2775),
                                        (self.home, PEOPLE['bob'], PEOPLE['bob'], 0o755)):
            os.mkdir(path)
            os.chown(path, user, group)
            os.chmod(path, mode)
        aliases = pathlib.Path(self.home, 'aliases')
        aliases.write_text(self.fill_in(f'team {self.scenario.alias}\n' if self.scenario.alias
                                        else '# none\n'))
        os.utime(aliases, (1, 1))    # quiet: read at once
        if self.scenario.forward:
            pathlib.Path(self.home, 'forward').write_text(self.fill_in(self.scenario.forward))
        return self

    def __exit__(self, *_):
        for path in (self.spool, self.home):
            shutil.rmtree(path)

    def deliver(self, name, tracer=()):
        """With a local of its own, as traced by TRACER. Its answer and exit status."""
        ours, theirs = socket.socketpair()
        environment = {**harness.traced_environment(), 'UNITPOST_TEST_PLACE': self.name}
        process = subprocess.Popen([*self.prefix, *tracer, f'{PROGRAMS}/local', *self.options],
                                   stdin=theirs, stdout=subprocess.DEVNULL, env=environment)
        theirs.close()
        answer = ask(ours, self.scenario.at, self.name, content(name, self.scenario.size))
        try:
            return answer, process.wait(0 if answer == HUNG else 60)
        except subprocess.TimeoutExpired:
            self.end_processes()
            return answer, process.wait()

    def found(self):
        """{destination: [name of each message there, None for what is not whole]}"""
        raise NotImplementedError

    def leftovers(self):
        return [str(path) for directory in (self.spool, self.home)
                for pattern in ('**/*.lock', '**/tmp/*')
                for path in pathlib.Path(directory).glob(pattern)]

    def processes(self):
        """Of local and its commands, by what they were started with: ENVID is this place."""
        marks = {f'UNITPOST_TEST_PLACE={self.name}'.encode(), f'ENVID={self.name}'.encode()}
        found = set()
        for entry in filter(str.isdigit, os.listdir('/proc')):
            with contextlib.suppress(OSError):
                if marks & set(pathlib.Path('/proc', entry, 'environ').read_bytes().split(b'\0')):
                    found.add(int(entry))
        return found

    def end_processes(self):
        """All of them, and look again: in the middle of an exec a process has no environment."""
        n_quiet = 0
        while n_quiet < 3:
            pids = self.processes()
            n_quiet = 0 if pids else n_quiet + 1
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.003)

    def settle(self):
        """Was killed: what may go on without it ends."""

    def other_view(self):
        """What our own tools see otherwise, as problems."""
        return []


class Mailbox(Place):
    def found(self):
        if self.target.name == 'Maildir':
            return {'bob': [name_if_whole(path.read_bytes())
                            for path in self.target.glob('new/*')]}
        with contextlib.closing(mailbox.mbox(self.target, create=False)) as box:
            return {'bob': [name_if_whole(bytes(one)) for one in box]}


# ---- mail that goes on ----

def read_queue():
    """What is in incoming/, as [(path, Message or None)]."""
    found = []
    for path in INCOMING.iterdir():
        if path.name.startswith('.'):
            continue
        with contextlib.suppress(FileNotFoundError):    # of another place, removed just now
            try:
                found.append((path, queuefile.parse(path.read_bytes())))
            except queuefile.Damaged as error:
                found.append((path, None))
                print(f'{path}: {error}')
    return found


def clear_queue():
    """What was accepted when its place was gone already is whole, too. Problems."""
    problems = []
    for path, message in read_queue():
        if not message or not name_if_whole(message.content, return_path=False):
            problems.append(f'in the queue: {path.name} is no whole message')
        path.unlink()
    return problems


class Forward(Place):
    """Its messages in the queue have its name as ENVID."""

    def mine(self):
        return [(path, message) for path, message in read_queue()
                if message is None or message.envid == self.name]

    def found(self):
        found = {'alice': []}
        for _, message in self.mine():
            for recipient in message.recipients if message else ['alice']:
                name = message and name_if_whole(message.content, return_path=False)
                found.setdefault(recipient.partition('@')[0], []).append(name)
        return found

    def other_view(self):
        listing = subprocess.run([f'{harness.TOOLS}/postqueue', '-p'], capture_output=True,
                                 check=True, text=True).stdout
        return [f'{path.name} is not listed' for path, message in self.mine()
                if path.name not in listing or message.recipients[0] not in listing]

    def __exit__(self, *arguments):
        for path, message in self.mine():
            if message:
                path.unlink()
        super().__exit__(*arguments)


class List(Forward):
    """One is mailed to, the other has a mailbox; what that cannot take becomes a message."""

    def found(self):
        found = {'bob': [], **super().found()}
        if self.target.exists():
            with contextlib.closing(mailbox.mbox(self.target, create=False)) as box:
                found['bob'] += [name_if_whole(bytes(one)) for one in box]
        return found


# ---- commands ----

def own_cgroups():
    """Directories of this process's cgroups, as local looks for its own: the unified one first."""
    mounts = [line.split() for line in pathlib.Path('/proc/mounts').read_text().splitlines()]
    own = {}
    for line in pathlib.Path('/proc/self/cgroup').read_text().splitlines():
        _, controllers, path = line.split(':', 2)
        own[controllers] = path.lstrip('/')
    for _, where, kind, options, *_ in sorted(mounts, key=lambda words: words[2] != 'cgroup2'):
        controllers = '' if kind == 'cgroup2' else 'name=systemd'
        if kind in ('cgroup', 'cgroup2') and controllers in ('', *options.split(',')):
            if controllers in own:
                yield pathlib.Path(where, own[controllers])


def has_cgroups():
    """Can one be made and entered here?"""
    for top in own_cgroups():
        path = top / f'unitpost-test-{os.getpid()}'
        with contextlib.suppress(OSError):
            path.mkdir()
            enter = ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs"', str(path)]
            is_entered = subprocess.run(enter, check=False, stderr=subprocess.DEVNULL)
            path.rmdir()
            if is_entered.returncode == 0:
                return top
    return None


class Command(Place):
    may_be_cut = True

    def __enter__(self):
        super().__enter__()
        out = pathlib.Path(self.home, 'out')
        out.mkdir()
        out.chmod(0o777)
        return self

    def found(self):
        return {'command': [name_if_whole(path.read_bytes())
                            for path in pathlib.Path(self.home, 'out').iterdir()]}

    def leftovers(self):
        return super().leftovers() + [f'process {pid}' for pid in sorted(self.processes())]

    def settle(self):
        """Without a cgroup nobody ends what a killed local was doing."""
        self.end_processes()

    def __exit__(self, *arguments):
        self.end_processes()
        super().__exit__(*arguments)


class CgroupCommand(Command):
    """local has a cgroup of its own, as systemd gives it one."""

    top = None

    def __init__(self, scenario):
        super().__init__(scenario)
        self.cgroup = self.top / f'unitpost-test-{os.getpid()}-{self.name}'
        self.prefix = ['/bin/sh', '-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"',
                       str(self.cgroup)]

    def __enter__(self):
        self.cgroup.mkdir()
        return super().__enter__()

    def processes(self):
        found = super().processes()
        for file in self.cgroup.glob('**/cgroup.procs'):
            with contextlib.suppress(OSError):
                found |= {int(pid) for pid in file.read_text().split()}
        return found

    def settle(self):
        """The next local ends it: see that it does."""

    def leftovers(self):
        return super().leftovers() + [str(path) for path in self.cgroup.glob('command-*')]

    def __exit__(self, *arguments):
        self.end_processes()
        for path in [*self.cgroup.glob('command-*'), self.cgroup]:
            path.rmdir()
        super().__exit__(*arguments)
