"""A world for one test: real binaries, private files, a fake journal, tools/dev/run for systemd.

    with World(build=BUILD, roles=['postdrop']) as world:
        world.send('alice', 'bob', b'Subject: hi\n\nhello\n')
        world.wait_for_entry(MESSAGE='.*status=sent.*')
        world.mailbox('bob')

Needs root. The process moves into mount and network namespaces of its own when the first World is
made; each World then has fresh tmpfs on /run, /var/spool, /var/mail, /var/lib and /home and a copy
of /etc in which the users of units/sysusers.conf and alice, bob and carol exist. Nothing outside
is touched. Python's standard library only.
"""

import ctypes
import contextlib
import fcntl
import mailbox
import os
import pwd
import queue
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('UNITPOST_BUILD', os.path.join(SOURCE, 'build'))

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
MS_REC, MS_PRIVATE, MS_BIND, MS_NOSUID, MS_NODEV = 0x4000, 1 << 18, 0x1000, 2, 4
MNT_DETACH = 2

PROGRAMS = '/run/unitpost-test/services'
TOOLS = '/run/unitpost-test/tools'

PEOPLE = {'alice': 4201, 'bob': 4202, 'carol': 4203}
FIRST_SYSTEM_UID = 4101

libc = ctypes.CDLL(None, use_errno=True)
_has_namespace = False


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f'{what}: {os.strerror(number)}')


def mount(source, target, kind='', flags=0, data=''):
    _check(libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()),
           f'mount {target}')


def umount(target):
    _check(libc.umount2(target.encode(), MNT_DETACH), f'umount {target}')


def enter_namespace():
    """Once per process: mounts and sockets from here on are nobody else's."""
    global _has_namespace
    if _has_namespace:
        return
    _check(libc.unshare(CLONE_NEWNS | CLONE_NEWNET), 'unshare')
    mount('none', '/', '', MS_REC | MS_PRIVATE)
    # As systemd sets it: with the kernel's 10, log lines of a burst would wait in the roles.
    with open('/proc/sys/net/unix/max_dgram_qlen', 'w', encoding='ascii') as file:
        file.write('512')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', IFF_UP))
    _has_namespace = True


class Journal:
    """journald's native socket; keeps entries as dicts of text (a repeated field: the last)."""

    PATH = '/run/systemd/journal/socket'

    def __init__(self):
        os.makedirs(os.path.dirname(self.PATH), exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(self.PATH)
        os.chmod(self.PATH, 0o666)
        self.entries = []
        self.changed = threading.Condition()
        self.is_echoing = bool(os.environ.get('UNITPOST_TEST_ECHO'))
        threading.Thread(target=self._read, daemon=True).start()

    @staticmethod
    def parse(data):
        entry = {}
        while data:
            line, _, data = data.partition(b'\n')
            name, equals, value = line.partition(b'=')
            if not equals and name:
                size = struct.unpack('<Q', data[:8])[0]
                value, data = data[8:8 + size], data[8 + size + 1:]
            if name:
                entry[name.decode()] = value.decode(errors='replace')
        return entry

    def _read(self):
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
            except OSError:
                return
            for fd in fds:
                data = os.pread(fd, 1 << 24, 0)
                os.close(fd)
            if not data:
                continue
            entry = self.parse(data)
            if self.is_echoing:
                print('journal:', entry.get('SYSLOG_IDENTIFIER'), entry.get('MESSAGE'),
                      file=sys.stderr)
            with self.changed:
                self.entries.append(entry)
                self.changed.notify_all()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def traced_environment():
    """For a program under strace: a traced process cannot look for leaks."""
    options = os.environ.get('ASAN_OPTIONS', '')
    return {**os.environ, 'ASAN_OPTIONS': f'{options}:detect_leaks=0'}


def matches(entry, patterns):
    return all(name in entry and re.search(pattern, entry[name], re.DOTALL)
               for name, pattern in patterns.items())


class World:
    """See the module's text. ROLES: names of services to have, without "unitpost-"; None: all that
    have units. UNITS: {file name: text} instead of the project's units. MAIN_CF: lines for
    /etc/unitpost/main.cf."""

    TMPFS = ('/run', '/var/spool', '/var/mail', '/var/lib', '/home')

    def __init__(self, build=BUILD, roles=None, units=None, programs=None, main_cf=''):
        self.build = os.path.abspath(build)
        self.roles = roles
        self.units = units
        self.programs = os.path.abspath(programs or os.path.join(build, 'services', 'programs'))
        self.main_cf = main_cf
        self.mounted = []
        self.events = []
        self.starts = {}
        self.pids = {}
        self.changed = threading.Condition()
        self.runner = None
        self.reader = None
        self.journal_socket = None

    # ---- building and taking down ----

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        self._take_down()

    def _build(self):
        enter_namespace()
        self._mount_etc()
        for path in self.TMPFS:
            self._mount_tmpfs(path)
        self._bind(self.programs, PROGRAMS)
        self._bind(os.path.join(self.build, 'tools', 'programs'), TOOLS)
        self._add_users()
        self._make_directories()
        self.write_main_cf(self.main_cf)
        self.journal_socket = Journal()
        self.start()

    def _mount_tmpfs(self, path):
        mount('unitpost-test', path, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=755')
        self.mounted.append(path)

    def _bind(self, source, target):
        """A second place for a directory, which every user can reach whatever is above it."""
        os.makedirs(target)
        mount(source, target, '', MS_BIND)
        self.mounted.append(target)

    def _mount_etc(self):
        with tempfile.TemporaryDirectory(prefix='unitpost-etc-') as copy:
            mount('unitpost-test', copy, 'tmpfs', MS_NOSUID | MS_NODEV, 'mode=755')
            try:
                subprocess.run(['cp', '-a', '/etc/.', copy], check=True)
                mount(copy, '/etc', '', MS_BIND)
                self.mounted.append('/etc')
            finally:
                umount(copy)

    def _add_users(self):
        """What systemd-sysusers would do, and three people."""
        names = []
        with open(os.path.join(SOURCE, 'units', 'sysusers.conf'), encoding='utf-8') as file:
            names = [line.split()[1] for line in file if line.startswith('u')]
        users = {name: FIRST_SYSTEM_UID + i for i, name in enumerate(names)} | PEOPLE
        for path in ('/etc/passwd', '/etc/group'):
            with open(path, encoding='utf-8') as file:
                kept = [line for line in file if line.split(':')[0] not in users]
            with open(path, 'w', encoding='utf-8') as file:
                file.writelines(kept)
                for name, uid in users.items():
                    file.write(f'{name}:x:{uid}:{uid}:{name}:/home/{name}:/bin/sh\n'
                               if path == '/etc/passwd' else f'{name}:x:{uid}:\n')
        for name, uid in PEOPLE.items():
            os.mkdir(f'/home/{name}', 0o755)
            os.chown(f'/home/{name}', uid, uid)

    def _make_directories(self):
        """What systemd-tmpfiles would do."""
        for name in ('systemd', 'lock'):
            os.mkdir(f'/run/{name}')
        shutil.chown('/var/mail', 'root', 'mail')
        os.chmod('/var/mail', 0o2775)
        with open(os.path.join(SOURCE, 'units', 'tmpfiles.conf'), encoding='utf-8') as file:
            for line in file:
                if not line.startswith('d '):
                    continue
                _, path, mode, user, group, *_ = line.split()
                os.makedirs(path, exist_ok=True)
                shutil.chown(path, user, group)
                os.chmod(path, int(mode, 8))
        os.makedirs('/etc/unitpost', exist_ok=True)

    def _take_down(self):
        if self.journal_socket:
            self.journal_socket.close()
        for path in reversed(self.mounted):
            umount(path)
        self.mounted = []

    def write_main_cf(self, text):
        with open('/etc/unitpost/main.cf', 'w', encoding='utf-8') as file:
            file.write(text)

    # ---- the services ----

    def _unit_directories(self):
        if self.units is None:
            return [os.path.join(SOURCE, 'units'), os.path.join(self.build, 'units')]
        directory = '/run/unitpost-test-units'
        os.makedirs(directory, exist_ok=True)
        for name, text in self.units.items():
            with open(os.path.join(directory, name), 'w', encoding='utf-8') as file:
                file.write(text)
        return [directory]

    def start(self):
        """Start tools/dev/run; __enter__ does it, so only needed after stop()."""
        command = [os.path.join(SOURCE, 'tools', 'dev', 'run'), '--roles', PROGRAMS]
        for directory in self._unit_directories():
            command += ['--units', directory]
        self.runner = subprocess.Popen(command + (self.roles or []), stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        ready = queue.Queue()
        self.reader = threading.Thread(target=self._read_events, args=(self.runner, ready),
                                       daemon=True)
        self.reader.start()
        if not ready.get(timeout=20):
            raise RuntimeError('tools/dev/run did not start')

    def _read_events(self, runner, ready):
        for line in runner.stdout:
            words = line.rstrip('\n').split(' ', 3)
            if words[0] == 'ready':
                ready.put(True)
            with self.changed:
                self.events.append((time.monotonic(), words))
                if words[0] == 'start':
                    self.starts.setdefault(words[1], []).append(time.monotonic())
                    self.pids[words[1]] = int(words[2])
                elif words[0] == 'exit':
                    self.pids.pop(words[1], None)
                self.changed.notify_all()
        ready.put(False)

    def stop(self):
        """End all services and their activator, as on a shutdown."""
        if not self.runner:
            return
        with contextlib.suppress(BrokenPipeError):
            self.runner.stdin.close()
        try:
            self.runner.wait(60)
        except subprocess.TimeoutExpired:
            self.runner.kill()
            self.runner.wait()
        self.reader.join(10)
        self.runner.stdout.close()
        self.runner = None

    def command(self, text):
        self.runner.stdin.write(text + '\n')
        self.runner.stdin.flush()

    def wait(self, condition, what, seconds=10):
        """Until CONDITION() is true, looked at after each event of the activator."""
        until = time.monotonic() + seconds
        with self.changed:
            while not (value := condition()):
                left = until - time.monotonic()
                if left <= 0:
                    raise AssertionError(f'not within {seconds} s: {what}')
                self.changed.wait(min(left, 0.1))
        return value

    def wait_until_running(self, service, seconds=10):
        return self.wait(lambda: self.pids.get(service), f'{service} runs', seconds)

    def wait_until_gone(self, service, seconds=20):
        self.wait(lambda: service not in self.pids, f'{service} is gone', seconds)

    def wait_until_idle(self, seconds=60):
        self.wait(lambda: not self.pids, f'all services are gone: {self.pids}', seconds)

    def exits(self, service):
        """Statuses of a service's past processes: '0', '75', 'signal 9'."""
        with self.changed:
            return [words[3] for _, words in self.events
                    if words[0] == 'exit' and words[1] == service]

    def notifications(self, service):
        with self.changed:
            return [words[3] for _, words in self.events
                    if words[0] == 'notify' and words[1] == service]

    def kill(self, service, number=signal.SIGTERM):
        os.kill(self.pids[service], number)

    def workers(self, service):
        """Processes whose parent is the service's main process."""
        main = str(self.pids.get(service, 0))
        found = []
        for pid in filter(str.isdigit, os.listdir('/proc')):
            with contextlib.suppress(OSError):
                with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
                    fields = file.read().rpartition(')')[2].split()
                if fields[1] == main and fields[0] != 'Z':
                    found.append(int(pid))
        return found

    # ---- the journal ----

    def journal(self, **patterns):
        """Entries in which each named field matches its regular expression."""
        with self.journal_socket.changed:
            return [entry for entry in self.journal_socket.entries if matches(entry, patterns)]

    def wait_for_entry(self, seconds=10, n=1, **patterns):
        """The n-th entry that matches."""
        until = time.monotonic() + seconds
        while True:
            found = self.journal(**patterns)
            if len(found) >= n:
                return found[n - 1]
            left = until - time.monotonic()
            if left <= 0:
                with self.journal_socket.changed:
                    seen = '\n'.join(f"  {one.get('SYSLOG_IDENTIFIER')}: {one.get('MESSAGE')}"
                                     for one in self.journal_socket.entries[-20:])
                raise AssertionError(f'no entry {patterns} within {seconds} s; the last:\n{seen}')
            with self.journal_socket.changed:
                self.journal_socket.changed.wait(min(left, 0.1))

    # ---- mail ----

    def tool(self, name):
        return os.path.join(TOOLS, name)

    def run_as(self, user, command, data=b'', **options):
        """Run a command as a user; the finished process, with stdout and stderr as bytes."""
        entry = pwd.getpwnam(user)
        return subprocess.run(command, input=data, capture_output=True, check=False,
                              user=entry.pw_uid, group=entry.pw_gid, extra_groups=[],
                              cwd='/', timeout=60, **options)

    def send(self, user, recipients, message, options=()):
        """sendmail as USER. Raises when that did not exit 0."""
        if isinstance(recipients, str):
            recipients = [recipients]
        done = self.run_as(user, [self.tool('sendmail'), *options, '--', *recipients], message)
        if done.returncode != 0:
            raise AssertionError(f'sendmail: exit {done.returncode}: {done.stderr.decode()}')
        return done

    def mailbox(self, user):
        """The bytes of a user's mailbox; empty when there is none."""
        try:
            with open(f'/var/mail/{user}', 'rb') as file:
                return file.read()
        except FileNotFoundError:
            return b''

    def queue(self, name):
        """File names in a queue directory, at any depth."""
        top = f'/var/spool/unitpost/{name}'
        return sorted(file for _, _, files in os.walk(top) for file in files)


def split(user='bob'):
    """The messages of a mailbox as an independent reader splits them."""
    with contextlib.closing(mailbox.mbox(f'/var/mail/{user}', create=False)) as box:
        return [bytes(one) for one in box]


# ---- the protocol between roles, for scripted peers ----

class Peer:
    """A client of a role, byte by byte. Does not check what it sends: that is the point."""

    def __init__(self, path, role=None, timeout=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.data = b''
        if role is not None:
            kind, payload = self.receive()
            attributes = parse_attributes(payload)
            assert kind == b'H' and attributes['role'] == role, (kind, attributes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_raw(self, data, fds=()):
        if fds:
            socket.send_fds(self.socket, [data], list(fds))
        else:
            self.socket.sendall(data)

    def send_message(self, name, attributes, fds=()):
        self.send_raw(frame(b'M', message(name, attributes)), fds)

    def send_data(self, data):
        self.send_raw(frame(b'D', data))

    def send_end(self):
        self.send_raw(frame(b'E', b''))

    def receive(self):
        """(type, payload); raises EOFError when the peer closed."""
        header = self._receive_exactly(5)
        return header[:1], self._receive_exactly(struct.unpack('>I', header[1:])[0])

    def receive_answer(self):
        """Messages up to END, as (name, attributes)."""
        answer = []
        while True:
            kind, payload = self.receive()
            if kind == b'E':
                return answer
            attributes = parse_attributes(payload)
            answer.append((attributes.pop('message'), attributes))

    def _receive_exactly(self, size):
        while len(self.data) < size:
            try:
                more = self.socket.recv(65536)
            except ConnectionResetError:
                more = b''
            if not more:
                raise EOFError
            self.data += more
        data, self.data = self.data[:size], self.data[size:]
        return data


def frame(kind, payload):
    return kind + struct.pack('>I', len(payload)) + payload


def message(name, attributes):
    pairs = [('message', name), *attributes.items()]
    payload = b''
    for key, value in pairs:
        value = value if isinstance(value, bytes) else str(value).encode()
        payload += bytes([len(key)]) + key.encode() + struct.pack('>I', len(value)) + value
    return payload


def parse_attributes(payload):
    attributes = {}
    while payload:
        size = payload[0]
        key = payload[1:1 + size].decode()
        length = struct.unpack('>I', payload[1 + size:5 + size])[0]
        attributes[key] = payload[5 + size:5 + size + length].decode(errors='surrogateescape')
        payload = payload[5 + size + length:]
    return attributes
