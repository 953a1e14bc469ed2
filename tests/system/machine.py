"""A machine of a Debian release with unitpost installed, booted under systemd for one test.

    with Machine('bookworm') as machine:
        machine.send('alice', 'bob', 'hello')
        machine.wait_for_mail('bob', 1)

It is a systemd-nspawn container with a private network on an overlay of the release's root tree,
in memory: nothing of a machine outlives it, and machines do not see each other. The build
machine's own PID 1 may be anything, its cgroups of either version. A machine is only ever ended
through the processes that it started itself.
"""

import atexit
import ctypes
import email
import json
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import time

import tree

SCRIPT = r'''
set -e
lower=$1 top=$2 name=$3 ready=$4 go=$5
shift 5
mount -t tmpfs -o mode=0755,size=75% tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root" "$top/spool"
mount -t overlay -o "lowerdir=$lower,upperdir=$top/upper,workdir=$top/work" overlay "$top/root"
echo "$name" > "$top/root/etc/hostname"
mkdir -p "$top/root/etc/systemd/system.conf.d" "$top/root/etc/systemd/journald.conf.d"
printf '[Manager]\nDefaultTimeoutStopSec=20s\n' > "$top/root/etc/systemd/system.conf.d/test.conf"
printf '[Journal]\nStorage=persistent\nSystemMaxUse=1G\n' \
        > "$top/root/etc/systemd/journald.conf.d/test.conf"
echo ready >&"$ready"
read -r -u "$go" answer
exec {ready}>&- {go}<&-
# The queue is a file system of its own, as on a real mail server: overlayfs lacks O_TMPFILE on
# kernels before 6.1.
exec systemd-nspawn --quiet --directory="$top/root" --boot --machine="$name" --register=no \
        --link-journal=no --private-network --resolv-conf=off --timezone=off \
        --bind="$top/spool:/var/spool/unitpost" "$@"
'''

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
MESSAGE_UNIT_STARTING = '7d4958e842da4a758f6c1cdc7b36dcc5'  # of systemd's own catalog


class CommandError(Exception):
    pass


def die_with_parent():
    # SIGTERM: systemd-nspawn then shuts its container down, while a killed one leaves it behind.
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def parent_of(pid):
    try:
        return int(pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()[1])
    except (OSError, IndexError):
        return 0


def children_of(pid):
    return [int(entry) for entry in os.listdir('/proc')
            if entry.isdigit() and parent_of(int(entry)) == pid]


class Cgroup:
    """A cgroup of the machine's own in each hierarchy that systemd uses, so that machines that run
    side by side do not meet in one, and so that its processor time can be read."""

    def __init__(self, name):
        self.paths = []
        mounts = {}
        for line in pathlib.Path('/proc/mounts').read_text().splitlines():
            _, where, kind, options = line.split()[:4]
            if kind == 'cgroup2':
                mounts[''] = where
            elif kind == 'cgroup':
                for option in options.split(','):
                    mounts[option] = where
        for line in pathlib.Path('/proc/self/cgroup').read_text().splitlines():
            _, controllers, path = line.split(':', 2)
            first = controllers.split(',')[0]
            if first in mounts and first in ('', 'name=systemd', 'cpu', 'cpuacct'):
                self.paths.append(pathlib.Path(mounts[first] + path) / name)

    def enter(self, pid):
        for path in self.paths:
            try:
                path.mkdir()
                (path / 'cgroup.procs').write_text(str(pid))
            except OSError:
                pass  # no cgroup of its own there: it shares ours

    def cpu_seconds(self):
        for path in self.paths:
            try:
                return int((path / 'cpuacct.usage').read_text()) / 1e9
            except OSError:
                pass
            try:
                words = (path / 'cpu.stat').read_text().split()
                return int(words[words.index('usage_usec') + 1]) / 1e6
            except (OSError, ValueError):
                pass
        return 0.0

    def remove(self):
        for path in self.paths:
            for directory, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass


class Machine:
    """See above. SETUP is called with the machine before it boots: files may be put under
    machine.root then, and machine.chroot() works. OPTIONS are more words for systemd-nspawn. KIND
    is one of tree.KINDS: what the machine has installed."""

    n_made = 0

    def __init__(self, suite, setup=None, install=True, options=(), kind='tree'):
        Machine.n_made += 1
        self.suite = suite
        self.name = f'unitpost-{suite}-{os.getpid()}-{Machine.n_made}'
        self.pid = 0     # PID 1 of the machine, as this side sees it
        self.process = None
        self.console = b''
        self.cgroup = Cgroup(self.name)
        self.tree, self.lock = tree.ensure_tree(suite, kind)
        self.top = tempfile.mkdtemp(prefix='unitpost-machine-')
        atexit.register(self.close)
        try:
            self._start(setup, install, options)
        except BaseException:
            self.close()
            raise

    def _start(self, setup, install, extra):
        ready_read, ready_write = os.pipe()
        go_read, go_write = os.pipe()
        master, slave = pty.openpty()

        # A host whose PID 1 is systemd gives the container a scope; others leave it where it is.
        options = [] if os.path.isdir('/run/systemd/system') else ['--keep-unit']
        self.process = subprocess.Popen(
            ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', SCRIPT, 'machine',
             str(self.tree), self.top, self.name, str(ready_write), str(go_read), *options,
             *extra],
            stdin=slave, stdout=slave, stderr=slave, pass_fds=(ready_write, go_read),
            preexec_fn=die_with_parent, start_new_session=True)
        for fd in (slave, ready_write, go_read):
            os.close(fd)
        threading.Thread(target=self._read_console, args=(master,), daemon=True).start()
        with os.fdopen(ready_read, 'rb') as ready, os.fdopen(go_write, 'wb') as go:
            if ready.readline() != b'ready\n':
                raise tree.BedError(f'{self.name} could not be set up:\n{self.console_text()}')
            self.root = pathlib.Path(f'/proc/{self.process.pid}/root{self.top}/root')
            if install:
                self.install()
            if setup:
                setup(self)
            self.cgroup.enter(self.process.pid)
            go.write(b'go\n')
        self._wait_for_boot()

    def _read_console(self, master):
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                data = b''
            if not data:
                os.close(master)
                return
            self.console = (self.console + data)[-65536:]

    def console_text(self):
        return self.console.decode(errors='replace')

    def _wait_for_boot(self):
        def find_init():
            if self.process.poll() is not None:
                raise tree.BedError(f'{self.name} ended at boot:\n{self.console_text()}')
            for child in children_of(self.process.pid):
                try:
                    if os.readlink(f'/proc/{child}/exe').endswith('/systemd'):
                        self.pid = child
                except OSError:
                    pass
            return self.pid

        wait_for(find_init, 30, f'systemd of {self.name}')
        self.root = pathlib.Path(f'/proc/{self.pid}/root')

        def is_up():
            state = self.run('systemctl is-system-running', check=False)
            return state.strip() in ('running', 'degraded')

        try:
            wait_for(is_up, 60, f'boot of {self.name}')
        except TimeoutError as error:
            raise tree.BedError(f'{error}\n{self.console_text()}') from error
        self.run('ip link set lo up')

    # ---- before the boot ----

    def chroot(self, command):
        """Run a shell COMMAND in the tree of a machine that has not booted."""
        script = ('mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; '
                  'chroot "$1" sh -ec "$2"; r=$?; umount "$1/dev" "$1/proc"; exit $r')
        top = f'{self.top}/root'
        argv = ['nsenter', '--mount', '--root', '-t', str(self.process.pid), '--',
                'unshare', '--mount', 'sh', '-c', script, 'sh', top, command]
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              env=clean_environment())
        if done.returncode != 0:
            raise tree.BedError(f'{command!r} in {self.name}:\n{done.stderr.decode()}')
        return done.stdout.decode(errors='replace')

    def install(self):
        """What a package of the release would do: unpack, and then its maintainer scripts."""
        tree.copy_stage(self.suite, self.root)
        self.chroot('systemd-sysusers unitpost.conf; journalctl --update-catalog; '
                    'systemctl preset unitpost.target')

    # ---- while it runs ----

    def command(self, command, user=None):
        """argv of this side that runs a shell COMMAND (or an argument list) in the machine."""
        if not isinstance(command, str):
            command = shlex.join(map(str, command))
        argv = ['nsenter', '--all', '--root', '--wd', '-t', str(self.pid), '--']
        if user:
            return argv + ['su', '--login', user, '--command', command]
        return argv + ['bash', '-c', command]

    def start(self, command, user=None, **options):
        """Start COMMAND in the machine; subprocess.Popen. (Its PID is nsenter's: to kill that does
        not end the command.)"""
        options = {'stdin': subprocess.DEVNULL, 'env': clean_environment(),
                   'preexec_fn': die_with_parent, **options}
        return subprocess.Popen(self.command(command, user), **options)

    def run(self, command, user=None, stdin=b'', check=True, timeout=120):
        """Run COMMAND; its standard output as text. CommandError when it fails and CHECK is on."""
        stdin = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(self.command(command, user), input=stdin, capture_output=True,
                              timeout=timeout, check=False, env=clean_environment())
        if check and done.returncode != 0:
            raise CommandError(f'{command!r} ended with {done.returncode}: '
                               f'{(done.stdout + done.stderr).decode(errors="replace")}')
        return done.stdout.decode(errors='replace')

    def status_of(self, command, user=None, stdin=b''):
        """Exit status and standard error of COMMAND."""
        done = subprocess.run(self.command(command, user), input=stdin, capture_output=True,
                              timeout=120, check=False, env=clean_environment())
        return done.returncode, done.stderr.decode(errors='replace')

    def path(self, name):
        """A path of the machine as this side reaches it (absolute links lead astray)."""
        return self.root / name.lstrip('/')

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def send(self, user, recipient, body, subject='test', options='-i'):
        """sendmail as USER from a login shell."""
        self.run(f'/usr/sbin/sendmail {options} {shlex.quote(recipient)}', user=user,
                 stdin=f'Subject: {subject}\n\n{body}\n')

    def mailbox(self, user):
        """Messages in /var/mail/USER, as email.message.Message."""
        try:
            data = self.path(f'/var/mail/{user}').read_bytes()
        except FileNotFoundError:
            return []
        # Each message begins with a "From " line; a line of its text that looks like one was
        # quoted by local.
        parts = re.split(rb'(?:\A|\n)From [^\n]*\n', data.removesuffix(b'\n'))[1:]
        return [email.message_from_bytes(part) for part in parts]

    def wait_for_mail(self, user, n, timeout=30):
        """Wait for N messages in USER's mailbox, and return what is there."""
        try:
            wait_for(lambda: len(self.mailbox(user)) >= n, timeout, f'{n} messages for {user}')
        except TimeoutError as error:
            journal = self.run('journalctl --no-pager -o short-monotonic -t systemd -n 30; '
                               'journalctl --no-pager -o short-monotonic -n 60 '
                               'SYSLOG_FACILITY=2', check=False)
            raise TimeoutError(f'{error}\n{journal}') from error
        return self.mailbox(user)

    def journal(self, *matches):
        """Entries of the journal as a list of dictionaries."""
        self.run('journalctl --sync', check=False)
        text = self.run(['journalctl', '--quiet', '--no-pager', '--output=json', *matches])
        return [json.loads(line) for line in text.splitlines()]

    def units(self, *patterns):
        """{unit: (active state, sub state)} of what matches, by default all of unitpost's."""
        patterns = patterns or ('unitpost*',)
        text = self.run(['systemctl', 'list-units', '--all', '--plain', '--no-legend',
                         '--no-pager', *patterns])
        rows = [line.split(None, 4) for line in text.splitlines()]
        return {row[0]: (row[2], row[3]) for row in rows}

    def failed_units(self):
        text = self.run('systemctl --failed --plain --no-legend --no-pager')
        return [line.split()[0] for line in text.splitlines()]

    def processes(self):
        """[(pid in the machine, name)] of everything in unitpost's slice."""
        script = ('for f in $(find /sys/fs/cgroup -path "*system-unitpost.slice*" '
                  '-name cgroup.procs); do cat $f; done | sort -un | '
                  'while read p; do [ -r /proc/$p/comm ] && echo $p $(cat /proc/$p/comm); done; :')
        rows = [line.split(None, 1) for line in self.run(script).splitlines()]
        return [(int(row[0]), row[1]) for row in rows if len(row) == 2]

    def starts(self, unit):
        """How often UNIT was started since the boot (a start that failed counts)."""
        return len(self.journal('_PID=1', f'UNIT={unit}', f'MESSAGE_ID={MESSAGE_UNIT_STARTING}'))

    def cpu_seconds(self):
        """Processor time of everything in the machine so far."""
        return self.cgroup.cpu_seconds()

    def wait_until_idle(self, timeout=60):
        try:
            wait_for(lambda: not self.processes(), timeout, 'an empty unitpost slice')
        except TimeoutError as error:
            raise TimeoutError(f'{error}\n' + self.run(
                'systemctl --no-pager status system-unitpost.slice "unitpost-*.service"',
                check=False)) from error

    # ---- the end ----

    def poweroff(self, timeout=60):
        """An orderly shutdown; the machine is gone after that."""
        self.run('systemctl --no-block poweroff', check=False)
        try:
            self.process.wait(timeout)
        finally:
            self.close()

    def close(self):
        atexit.unregister(self.close)
        if self.process:
            # The end of its PID 1 takes every other process of a container with it.
            if self.pid and parent_of(self.pid) == self.process.pid:
                os.kill(self.pid, signal.SIGKILL)
            elif self.process.poll() is None:
                self.process.kill()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
            self.pid = 0
        self.cgroup.remove()
        try:
            os.rmdir(self.top)
        except OSError:
            pass
        self.lock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def clean_environment():
    return {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
            'LANG': 'C.UTF-8', 'HOME': '/root', 'TERM': os.environ.get('TERM', 'dumb')}


def wait_for(predicate, timeout, what):
    """Call PREDICATE until it is true, and return what it said; TimeoutError after TIMEOUT s."""
    end = time.monotonic() + timeout
    delay = 0.02
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f'{timeout} s were not enough for {what}')
        time.sleep(delay)
        delay = min(delay * 1.5, 0.5)


def end_on_signals():
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that machines are taken down."""
    def stop(number, _frame):
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
