"""Root trees of Debian releases for tests, and builds of this checkout against them.

A tree is made once per release, kind and list of packages, and kept outside the checkout. Nothing
ever writes into a finished tree: machines put an overlay over it (machine.py), builds see it
read-only.
Several test programs may ask at the same time; file locks let one make what the others wait for.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SUITES = ('bookworm', 'trixie')  # Debian 12 with systemd 252, Debian 13 with systemd 257
USERS = ('alice', 'bob')
CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get('UNITPOST_TEST_CACHE', '/var/cache/unitpost-tests'))

PACKAGES = (
    # a small system as an admin knows it
    'systemd systemd-sysv dbus cron login passwd procps iproute2 man-db less '
    # a user's own service manager
    'libpam-systemd dbus-user-session '
    # to look into it
    'strace eatmydata python3-minimal '
    # to build against its libraries
    'gcc libc6-dev meson ninja-build pkg-config libpcre2-dev libsystemd-dev libtdb-dev uthash-dev'
).split()

# Programs that send mail or are handed it, and what unitpost needs to run beside them.
CLIENT_PACKAGES = (
    'systemd systemd-sysv dbus cron login passwd procps iproute2 libpcre2-8-0 libsystemd0 libtdb1 '
    'python3-minimal at bsd-mailx s-nail mutt mdadm git-email libmailtools-perl logwatch procmail '
    'maildrop'
).split()

KINDS = {'tree': PACKAGES, 'clients': CLIENT_PACKAGES}

# unitpost is not a package yet. This one, which is empty, stands for it where others ask for a
# mail system, so that they do not bring one.
MAIL_SYSTEM_CONTROL = '''\
Package: unitpost-test-mail-system
Version: 1
Architecture: all
Maintainer: unitpost <root@localhost>
Provides: default-mta, mail-transport-agent
Description: stands for unitpost in a test machine
'''


class BedError(Exception):
    """The test bed itself failed; the text says what to do."""


class Lock:
    """A lock on a name in the cache, held while the object lives or until close()."""

    def __init__(self, name, shared=False, wait=True):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(CACHE / (name + '.lock'), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        mode = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self.fd, mode if wait else mode | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def say(text):
    print(f'# {text}', file=sys.stderr, flush=True)


def require_tools(*programs):
    if os.geteuid() != 0:
        raise BedError('the test bed boots systems: run it as root')
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        raise BedError(f'missing programs: {" ".join(missing)} '
                       '(packages mmdebstrap and systemd-container)')


def run_quietly(argv, log, **options):
    """Run ARGV with its output in LOG; show the end of it when it fails."""
    with open(log, 'wb') as output:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                              check=False, **options)
    if done.returncode != 0:
        tail = pathlib.Path(log).read_text(errors='replace').splitlines()[-30:]
        raise BedError('\n'.join([f'failed: {" ".join(map(str, argv))}', *tail]))


def tree_name(suite, kind='tree'):
    if suite not in SUITES:
        raise BedError(f'unknown release {suite!r}: one of {", ".join(SUITES)}')
    made_of = ' '.join([suite, *KINDS[kind], *USERS, 'v2'])
    return f'{kind}-{suite}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}'


def remove_stale_trees(suite, kind):
    """Trees of older package lists, unless a machine still runs on them."""
    for old in CACHE.glob(f'{kind}-{suite}-*'):
        if not old.is_dir() or old.name == tree_name(suite, kind):
            continue
        try:
            with Lock(old.name, wait=False):
                shutil.rmtree(old, ignore_errors=True)
        except BlockingIOError:
            pass


def make_mail_system_package(top):
    """A Debian package of nothing but MAIL_SYSTEM_CONTROL, made below TOP; its path."""
    control = pathlib.Path(top, 'package/DEBIAN/control')
    control.parent.mkdir(parents=True)
    control.write_text(MAIL_SYSTEM_CONTROL)
    package = f'{top}/mail-system.deb'
    run_quietly(['dpkg-deb', '--root-owner-group', '--build', f'{top}/package', package],
                f'{top}/log')
    return package


def make_tree(suite, kind, path):
    say(f'making a root tree of {suite} ({kind}) with mmdebstrap, once')
    work = path.with_name(path.name + '.new')
    shutil.rmtree(work, ignore_errors=True)
    users = ' && '.join(f'useradd -m -s /bin/bash {name}' for name in USERS)
    argv = ['mmdebstrap', '--variant=minbase', '--include=' + ','.join(KINDS[kind]),
            f'--customize-hook=chroot "$1" sh -c "{users}"',
            # su is how tests become a user: it does not start that user's service manager
            '--customize-hook=chroot "$1" pam-auth-update --package --remove systemd',
            # no host name, no machine ID: each machine gets its own
            '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
            '--customize-hook=: > "$1/etc/machine-id"',
            '--customize-hook=mkdir "$1/src" "$1/build" "$1/stage"',
            suite, str(work)]
    mirror = os.environ.get('UNITPOST_TEST_MIRROR')
    with tempfile.TemporaryDirectory() as top:
        if kind == 'clients':
            # Once dpkg works, and before the packages that ask for it.
            package = make_mail_system_package(top)
            argv[1:1] = [f'--essential-hook=dpkg --root="$1" --install {package}']
        run_quietly(argv + ([mirror] if mirror else []), CACHE / f'mmdebstrap-{kind}-{suite}.log')
    work.rename(path)


def ensure_tree(suite, kind='tree'):
    """Path of the finished tree of SUITE and a lock that keeps it while it is in use."""
    require_tools('mmdebstrap', 'systemd-nspawn', 'unshare', 'nsenter')
    name = tree_name(suite, kind)
    path = CACHE / name
    if not path.is_dir():
        with Lock(name):
            if not path.is_dir():
                make_tree(suite, kind, path)
                remove_stale_trees(suite, kind)
    return path, Lock(name, shared=True)


# In a mount namespace of its own: the tree, read-only, with this checkout at /src.
BUILD_SCRIPT = r'''
set -e
tree=$1 source=$2 build=$3 stage=$4
mount --bind "$tree" "$tree"
mount -o remount,ro,bind "$tree"
mount --bind "$source" "$tree/src"
mount -o remount,ro,bind "$tree/src"
mount --bind "$build" "$tree/build"
mount --bind "$stage" "$tree/stage"
mount -t tmpfs tmpfs "$tree/tmp"
mount -t proc proc "$tree/proc"
mount --rbind /dev "$tree/dev"
exec chroot "$tree" sh -ec '
export LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
[ -e /build/build.ninja ] || meson setup /build /src --werror -Dtests=false
ninja -C /build
meson install -C /build --no-rebuild --destdir /stage
'
'''


def build(suite):
    """
    Build this checkout inside SUITE's tree and install it under a directory, whose path is
    returned: what a package of that release would hold. The build directory is kept for the next
    time, one per checkout.
    """
    tree, tree_lock = ensure_tree(suite)
    checkout_id = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    directory = CACHE / f'build-{suite}-{checkout_id}'
    with tree_lock, Lock(directory.name):
        stage = directory / 'stage'
        new_stage = directory / 'stage.new'
        if (directory / 'tree').exists() and (directory / 'tree').read_text() != tree.name:
            shutil.rmtree(directory)
        (directory / 'build').mkdir(parents=True, exist_ok=True)
        (directory / 'tree').write_text(tree.name)
        shutil.rmtree(new_stage, ignore_errors=True)
        new_stage.mkdir()
        argv = ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', BUILD_SCRIPT,
                'build', str(tree), str(CHECKOUT), str(directory / 'build'), str(new_stage)]
        try:
            run_quietly(argv, directory / 'log')
        except BedError:
            # Once more from nothing: a build directory of an older Meson file may not be usable.
            shutil.rmtree(directory / 'build')
            (directory / 'build').mkdir()
            run_quietly(argv, directory / 'log')
        shutil.rmtree(stage, ignore_errors=True)
        new_stage.rename(stage)
        return stage


def copy_stage(suite, destination):
    """Build and put a copy of what is installed under DESTINATION."""
    directory = build(suite)
    with Lock(directory.parent.name):
        subprocess.run(['cp', '-a', f'{directory}/.', str(destination)], check=True)
