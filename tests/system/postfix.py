"""Debian's Postfix in a test machine, beside unitpost and in nobody's way: the measure that tests
compare unitpost with.

    postfix.place(booting)          # before the boot
    postfix.configure(machine, {'recipient_delimiter': '+'})
    postfix.start(machine)
    machine.run('/opt/postfix/sbin/sendmail bob', stdin=...)
    postfix.stop(machine)

The package is unpacked, never installed: no maintainer script runs, and its commands live in
/opt/postfix/sbin, since their usual names are unitpost's in that machine. Everything else is where
Postfix looks for it by itself (/etc/postfix, /var/spool/postfix, /usr/lib/postfix). It listens on
nothing; mail comes through its own sendmail.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import time

import machine
import tree

COMMANDS = '/opt/postfix/sbin'
SPOOL = '/var/spool/postfix'
MASTER = '/usr/lib/postfix/sbin/master'
UID, DROP_GID = 890, 891

# Postfix's own queue directories: (names, owner, group, mode).
DIRECTORIES = (
    ('pid', 0, 0, 0o755),
    ('incoming active deferred defer bounce corrupt flush hold trace saved private', UID, 0, 0o700),
    ('maildrop', UID, DROP_GID, 0o730),
    ('public', UID, DROP_GID, 0o710),
)

# Types of tables that are packages of their own; a database is made of some.
TYPES = {'cdb': True, 'lmdb': True, 'pcre': False, 'sqlite': False}
PACKAGES = ','.join(['postfix', *(f'postfix-{name}' for name in TYPES)])

# Nothing in a jail (homes and mailboxes would be out of sight), nothing on the network.
MASTER_CF = '''\
pickup   unix n - n 60 1 pickup
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
local    unix - n n - - local
showq    unix n - n - - showq
'''


def package_tree(suite):
    """Directory that holds Postfix of SUITE and those of its libraries that a machine lacks."""
    base, base_lock = tree.ensure_tree(suite)
    stamp = hashlib.sha256(f'{base.name} {PACKAGES} v2'.encode()).hexdigest()[:12]
    path = tree.CACHE / f'postfix-{suite}-{stamp}'
    with base_lock, tree.Lock(path.name):
        if not path.is_dir():
            _make(suite, base, path)
    return path


def _make(suite, base, path):
    tree.say(f'unpacking Postfix of {suite} with mmdebstrap, once')
    work = path.with_name(path.name + '.new')
    extracted = path.with_name(path.name + '.extracted')
    for old in (work, extracted):
        shutil.rmtree(old, ignore_errors=True)
    mirror = os.environ.get('UNITPOST_TEST_MIRROR')
    tree.run_quietly(['mmdebstrap', '--variant=extract', f'--include={PACKAGES}', suite,
                      str(extracted), *([mirror] if mirror else [])],
                     tree.CACHE / f'mmdebstrap-postfix-{suite}.log')
    libraries = work / 'opt/postfix/lib'
    libraries.mkdir(parents=True)
    shutil.copytree(extracted / 'usr/sbin', work / 'opt/postfix/sbin', symlinks=True)
    shutil.copytree(extracted / 'usr/lib/postfix', work / 'usr/lib/postfix', symlinks=True)
    for library in [*extracted.glob('usr/lib/*-linux-gnu/*.so*'),
                    *extracted.glob('lib/*-linux-gnu/*.so*')]:
        if not any(base.glob(f'usr/lib/*-linux-gnu/{library.name}')):
            shutil.copy2(library, libraries, follow_symlinks=False)
    shutil.rmtree(extracted)
    work.rename(path)


def place(booting):
    """Put Postfix into a machine that has not booted."""
    subprocess.run(['cp', '-a', f'{package_tree(booting.suite)}/.', str(booting.root)], check=True)
    booting.write('/etc/ld.so.conf.d/postfix.conf', '/opt/postfix/lib\n')
    for name, text in (('passwd', f'postfix:x:{UID}:{UID}::{SPOOL}:/usr/sbin/nologin\n'),
                       ('group', f'postfix:x:{UID}:\npostdrop:x:{DROP_GID}:\n')):
        with open(booting.path(f'/etc/{name}'), 'a', encoding='utf-8') as file:
            file.write(text)
    booting.chroot('ldconfig')
    booting.write('/etc/postfix/master.cf', MASTER_CF)
    booting.write('/etc/postfix/dynamicmaps.cf', ''.join(
        f'{name} postfix-{name}.so dict_{name}_open'
        f'{f" mkmap_{name}_open" if is_made else ""}\n' for name, is_made in TYPES.items()))
    for names, owner, group, mode in DIRECTORIES:
        for name in names.split():
            _make_directory(booting.path(f'{SPOOL}/{name}'), owner, group, mode)
    _make_directory(booting.path('/var/lib/postfix'), UID, UID, 0o700)


def _make_directory(path, owner, group, mode):
    path.mkdir(parents=True)
    os.chown(path, owner, group)
    path.chmod(mode)


def version(booted):
    return booted.run(f'{COMMANDS}/postconf -d -h mail_version').strip()


def configure(booted, parameters):
    """PARAMETERS, a dictionary, as main.cf of a Postfix that is not running."""
    fixed = {'compatibility_level': '3.6', 'command_directory': COMMANDS,
             'inet_interfaces': 'loopback-only', 'inet_protocols': 'ipv4'}
    lines = [f'{name} = {value}\n' for name, value in {**fixed, **parameters}.items()]
    booted.write('/etc/postfix/main.cf', ''.join(lines))
    # Each program of Postfix waits for a second or two when the file is new.
    os.utime(booted.path('/etc/postfix/main.cf'), (time.time() - 10, time.time() - 10))


def start(booted):
    booted.run(f'{MASTER} -w')


def stop(booted):
    """End Postfix, and wait until its processes are gone."""
    pid_file = booted.path(f'{SPOOL}/pid/master.pid')
    pid = pid_file.read_text().strip()
    booted.run(f'kill {pid}')
    machine.wait_for(lambda: not pathlib.Path(booted.root, 'proc', pid).exists(), 20,
                     'the end of Postfix')


def wipe_queue(booted):
    """Remove all mail; only while Postfix is stopped."""
    booted.run(f'cd {SPOOL} && find maildrop incoming active deferred defer bounce corrupt hold '
               'trace -type f -delete')
