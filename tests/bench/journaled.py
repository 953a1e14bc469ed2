"""A journaled ext4 for figures about durable writes: a machine's own disk may have no journal, on
which fsync says nothing (DESIGN 12). The image is a file, mounted by loop."""

import contextlib
import os
import pathlib
import subprocess
import tempfile


@contextlib.contextmanager
def journaled_disk(size_mb=1024):
    """The path of a fresh, mounted file system; gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix='unitpost-disk-', dir='/var/tmp') as top:
        image, where = pathlib.Path(top) / 'image', pathlib.Path(top) / 'mount'
        where.mkdir()
        with open(image, 'wb') as file:
            os.truncate(file.fileno(), size_mb << 20)
        subprocess.run(['mkfs.ext4', '-q', '-F', str(image)], check=True)
        subprocess.run(['mount', '-o', 'loop', str(image), str(where)], check=True)
        try:
            yield where
        finally:
            subprocess.run(['umount', str(where)], check=True)


def put_queue_on(disk, machine):
    """Before MACHINE boots: its queue and its mailboxes on DISK."""
    pid, top = str(machine.process.pid), machine.top
    for name, target, mode in (('spool', f'{top}/spool', 0o755),
                               ('mail', f'{top}/root/var/mail', 0o2775)):
        source = disk / name
        source.mkdir(exist_ok=True)
        os.chown(source, 0, 8 if name == 'mail' else 0)  # group mail of every Debian
        source.chmod(mode)
        subprocess.run(['nsenter', '--mount', '-t', pid, '--', 'mount', '--bind', str(source),
                        target], check=True)
