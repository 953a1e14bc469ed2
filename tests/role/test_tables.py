"""tables and those who ask it: an edit counts for the next lookup, the half of one never, a lookup
costs no system call, and a stranger gets an index of his own files and learns nothing about those
of others."""

import os
import re
import stat
import subprocess
import threading
import time
import unittest

from harness import World, traced_environment
from probe import in_threads

SOURCE = '/etc/aliases'
INDEX = '/var/lib/unitpost/tables/%etc%aliases.tdb'
REFUSED = 'there is no such file that is yours'


def write(path, text, seconds_ago=0, owner=None):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    if seconds_ago:
        then = time.time() - seconds_ago
        os.utime(path, (then, then))
    if owner:
        os.chown(path, owner, owner)


class Tables(unittest.TestCase):
    def setUp(self):
        self.world = World(roles=['tables'], main_cf='max_idle = 60s\n')
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)

    def query(self, key='root', source=SOURCE, user='unitpost'):
        """(status, answer, complaints, seconds) of one lookup by a reader of its own."""
        start = time.monotonic()
        done = self.world.run_as(user, [self.world.tool('postalias'), '-q', key, source])
        return (done.returncode, done.stdout.decode().strip(), done.stderr.decode(),
                time.monotonic() - start)

    def build(self, user, *arguments):
        """(status, complaints)"""
        done = self.world.run_as(user, [self.world.tool('postalias'), *arguments])
        self.assertEqual(done.stdout, b'')
        return done.returncode, done.stderr.decode()

    def expect(self, value, **options):
        status, answer, text, seconds = self.query(**options)
        self.assertEqual((status, answer), (0, value), text)
        return text, seconds


class Promise(Tables):
    """After an edit the next mail uses it, with no command; the half of an edit never counts."""

    def test_first_lookup_makes_the_index(self):
        write(SOURCE, 'root: joe\n', 10)
        _, seconds = self.expect('joe')
        self.assertLess(seconds, 1)
        entry = self.world.wait_for_entry(MESSAGE='/etc/aliases: index built for uid .*, 1 entries')
        self.assertTrue(entry['MESSAGE_ID'])
        before = os.stat(INDEX)
        self.expect('joe')
        self.assertEqual(os.stat(INDEX).st_ino, before.st_ino)

    def test_lookup_just_after_an_edit(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        for value in ('new', 'newer'):
            write(SOURCE, f'root: {value}\n')
            time.sleep(0.01)
            _, seconds = self.expect(value)
            self.assertGreater(seconds, 0.9)
            self.assertLess(seconds, 3)

    def test_an_edit_that_has_come_to_rest_waits_for_nothing(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        write(SOURCE, 'root: new\n', 2)
        _, seconds = self.expect('new')
        self.assertLess(seconds, 0.8)

    def write_in_halves(self, mode='w'):
        with open(SOURCE, mode, encoding='utf-8') as file:
            for line in ('root: half\n', 'ann: x\n', 'bob: whole\n'):
                file.write(line)
                file.flush()
                time.sleep(0.3)

    def test_a_writer_that_pauses(self):
        write(SOURCE, 'bob: old\n', 10)
        self.expect('old', key='bob')
        writer = threading.Thread(target=self.write_in_halves)
        writer.start()
        time.sleep(0.05)
        self.expect('whole', key='bob')
        writer.join()

    def test_a_truncated_file_and_one_moved_away(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        os.truncate(SOURCE, 0)
        writer = threading.Timer(0.3, write, (SOURCE, 'root: new\n'))
        writer.start()
        self.expect('new')
        writer.join()
        os.rename(SOURCE, SOURCE + '.bak')
        writer = threading.Timer(0.3, write, (SOURCE, 'root: newer\n'))
        writer.start()
        self.expect('newer')
        writer.join()

    def test_a_writer_without_end_keeps_the_old_index(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        stop = threading.Event()

        def scribble():
            while not stop.wait(0.2):
                write(SOURCE, 'root: half\n')

        write(SOURCE, 'root: half\n')
        writer = threading.Thread(target=scribble)
        writer.start()
        text, seconds = self.expect('old')
        stop.set()
        writer.join()
        self.assertIn('still being written; the old index is used', text)
        self.assertLess(seconds, 7)
        self.expect('half')

    def test_a_malformed_line_keeps_the_old_index_until_it_is_mended(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        write(SOURCE, 'root: new\nbroken secret\n', 5)
        for _ in range(3):
            text, seconds = self.expect('old')
            self.assertIn(f'warning: tdb:{SOURCE}: line 2: no \':\' after the name; '
                          'the old index is used', text)
            self.assertNotIn('secret', text)
            self.assertLess(seconds, 1)
        found = self.world.journal(MESSAGE='line 2: no .:. after the name; no new index is made')
        self.assertEqual(len(found), 1)
        self.assertEqual(self.world.journal(MESSAGE='secret'), [])
        write(SOURCE, 'root: new\n')
        self.expect('new')

    def test_a_source_that_is_gone_takes_its_index_along(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        os.unlink(SOURCE)
        status, _, text, seconds = self.query()
        self.assertEqual(status, 1)
        self.assertIn(f'tdb:{SOURCE}: No such file or directory', text)
        self.assertGreater(seconds, 0.9)
        write(SOURCE, 'root: new\n', 10)
        self.expect('new')

    def test_owner_and_mode_follow_the_source(self):
        write(SOURCE, 'root: joe\n', 10)
        self.expect('joe')
        os.chmod(SOURCE, 0o640)
        os.chown(SOURCE, 4201, os.stat('/var/mail').st_gid)
        self.query(user='unitpost')
        now = os.stat(INDEX)
        self.assertEqual((now.st_uid, stat.S_IMODE(now.st_mode)), (4201, 0o640))

    def test_many_readers_notice_one_edit(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        write(SOURCE, 'root: new\n')
        answers = in_threads(24, lambda _: self.query()[:2])
        self.assertEqual(set(answers), {(0, 'new')})

    def test_without_the_role_the_old_index_is_used(self):
        write(SOURCE, 'root: old\n', 10)
        self.expect('old')
        self.world.stop()
        write(SOURCE, 'root: new\n', 5)
        text, _ = self.expect('old')
        self.assertIn('the service tables: ', text)
        # root needs no role
        done = subprocess.run([self.world.tool('postalias'), '-q', 'root', SOURCE],
                              capture_output=True, check=True)
        self.assertEqual(done.stdout, b'new\n')


class Owners(Tables):
    def test_a_user_builds_an_index_of_his_own_file(self):
        path = '/home/alice/aliases'
        write(path, 'friends: bob, carol\nfriends: twice\n', owner=4201)
        os.chmod(path, 0o600)
        self.assertEqual(self.build('alice', path),
                         (0, f'postalias: warning: {path}: 1 duplicate names ignored\n'))
        index = os.stat('/var/lib/unitpost/tables/%home%alice%aliases.tdb')
        self.assertEqual((index.st_uid, stat.S_IMODE(index.st_mode)), (4201, 0o600))
        self.assertEqual(self.query('friends', path, 'alice')[:2], (0, 'bob, carol'))
        self.assertEqual(self.query('friends', path, 'bob')[0], 1)
        self.assertEqual(self.build('alice', '-r', path), (0, ''))
        self.assertEqual(self.query('friends', path, 'alice')[:2], (0, 'twice'))

    def test_a_malformed_line_is_named(self):
        path = '/home/alice/aliases'
        write(path, 'a: b\nbroken secret\n', owner=4201)
        self.assertEqual(self.build('alice', path), (
            1, f'postalias: fatal: {path}, line 2: no \':\' after the name\n'))
        write(path, 'a: b\n')
        self.build('alice', path)
        self.world.wait_for_entry(MESSAGE='index built')  # all before it has arrived, too
        self.assertEqual(self.world.journal(MESSAGE='no new index'), [])

    def test_files_of_others_are_refused_and_nothing_is_told(self):
        write('/root/secret', 'a: b\n')
        os.mkfifo('/etc/fifo')
        os.symlink('/etc/shadow', '/home/alice/link')
        os.symlink('/etc/no-such', '/home/alice/dangling')
        write('/home/bob/aliases', 'a: b\n', owner=4202)
        os.chmod('/home/bob', 0o700)
        write(SOURCE, 'root: joe\n')
        try:
            for path in (SOURCE, '/etc/shadow', '/home/alice/link', '/home/alice/dangling',
                         '/etc/fifo', '/dev/zero', '/dev/null', '/home/bob/aliases', '/root',
                         '/home/bob/nothing', '/root/secret', '/root/nothing', '/etc/../etc/shadow',
                         '/proc/self/mem', '/home/alice/../bob/aliases'):
                status, text = self.build('alice', path)
                self.assertEqual(status, 77, path)
                self.assertEqual(text, f'postalias: fatal: {path}: {REFUSED}: only root, and the '
                                       'owner of a file, may have its index built\n')
        finally:
            os.unlink('/root/secret')
        self.assertEqual(os.listdir('/var/lib/unitpost/tables'), [])

    def test_what_is_his_own_and_no_file(self):
        os.mkfifo('/home/alice/fifo')
        os.mkdir('/home/alice/directory')
        for path in ('/home/alice/fifo', '/home/alice/directory'):
            os.chown(path, 4201, 4201)
        start = time.monotonic()
        self.assertIn('not a regular file', self.build('alice', '/home/alice/fifo')[1])
        self.assertIn('Is a directory', self.build('alice', '/home/alice/directory')[1])
        self.assertLess(time.monotonic() - start, 2)

    def test_a_large_source_and_one_too_large(self):
        path = '/home/alice/large'
        line = 'name-{:06}: ' + 'x' * 80 + '\n'
        write(path, ''.join(line.format(i) for i in range(112000)), owner=4201)
        self.assertGreater(os.stat(path).st_size, 10 << 20)
        self.assertEqual(self.build('alice', path), (0, ''))
        self.assertEqual(self.query('name-111999', path, 'alice')[:2], (0, 'x' * 80))
        os.truncate(path, 17 << 20)
        self.assertIn('too large', self.build('alice', path)[1])
        self.assertEqual(self.query('name-000001', path, 'alice')[:2], (0, 'x' * 80))

    def test_newaliases_of_a_user(self):
        path = '/home/alice/aliases'
        write(path, 'a: b\n', owner=4201)
        command = ['/bin/bash', '-c', f'exec -a newaliases {self.world.tool("postalias")}']
        write(SOURCE, 'root: joe\n')
        done = self.world.run_as('alice', command)
        self.assertEqual(done.returncode, 77)
        self.assertIn(f'newaliases: fatal: {SOURCE}: {REFUSED}', done.stderr.decode())
        self.world.write_main_cf(f'alias_database = hash:{path}\n')
        done = self.world.run_as('alice', command)
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        self.assertEqual(self.query('a', path, 'alice')[:2], (0, 'b'))

    def test_the_role_is_not_there(self):
        path = '/home/alice/aliases'
        write(path, 'a: b\n', owner=4201)
        self.world.stop()
        status, text = self.build('alice', path)
        self.assertEqual(status, 69)
        self.assertIn('systemctl start unitpost-tables.socket', text)


class Running(unittest.TestCase):
    """What lookups cost in a role that runs: cleanup, which asks for each recipient."""

    N = 1000
    VIRTUAL = '/etc/unitpost/virtual'
    TABLES = '/var/lib/unitpost/tables'

    def setUp(self):
        self.world = World(main_cf=f'virtual_alias_maps = hash:{self.VIRTUAL}\n'
                                   'virtual_alias_domains = va.example\nmax_idle = 60s\n')
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.write_virtual('bob')
        self.n_sent = 0

    def write_virtual(self, target, seconds_ago=10):
        write(self.VIRTUAL, ''.join(f'u{i}@va.example {target}\n' for i in range(self.N)),
              seconds_ago)

    def send(self, recipients, target):
        """All of them are one person in the end, who gets one mail."""
        self.world.send('alice', recipients, b'Subject: x\n\nbody\n')
        self.n_sent += 1
        self.world.wait_for_entry(seconds=30, n=self.n_sent, MESSAGE=': removed$')
        return f'to=<{target}@' in self.world.journal(MESSAGE='status=sent')[-1]['MESSAGE']

    def trace(self, work):
        """System calls of the workers of cleanup while WORK is done, and the seconds it took."""
        output = '/home/trace'
        pids = [argument for pid in self.world.workers('unitpost-cleanup')
                for argument in ('-p', str(pid))]
        with subprocess.Popen(['strace', '-f', '-y', '-o', output, *pids],
                              stderr=subprocess.PIPE, env=traced_environment()) as tracer:
            for _ in pids[::2]:
                tracer.stderr.readline()  # "Process N attached"
            start = time.monotonic()
            try:
                work()
            finally:
                seconds = time.monotonic() - start
                tracer.terminate()
                tracer.communicate()
        with open(output, encoding='utf-8', errors='replace') as file:
            return file.read().splitlines(), seconds

    def test_a_thousand_lookups_cost_a_stat_a_second(self):
        recipients = [f'u{i}@va.example' for i in range(self.N)]
        self.assertTrue(self.send(recipients[:1], 'bob'))
        calls, seconds = self.trace(lambda: [self.send(recipients, 'bob') for _ in range(5)])
        self.assertTrue([call for call in calls if ' linkat(' in call], 'the mail was seen')
        looks = [call for call in calls if 'stat' in call and f'"{self.VIRTUAL}"' in call]
        self.assertLessEqual(len(looks), seconds + 1, looks[:5])
        indexed = [call for call in calls if self.TABLES in call]
        self.assertEqual(indexed, [])
        self.assertEqual([call for call in calls if re.search(r' (fcntl|flock)\(', call)], [])

    def test_an_edit_reaches_a_worker_that_runs(self):
        self.assertTrue(self.send(['u1@va.example'], 'bob'))
        for target in ('carol', 'bob', 'alice'):
            self.write_virtual(target, 5 if target == 'bob' else 3)
            self.assertTrue(self.send(['u1@va.example'], target))

    def test_a_damaged_index_loses_no_mail_and_is_made_anew(self):
        self.assertTrue(self.send(['u1@va.example'], 'bob'))
        index = f'{self.TABLES}/%etc%unitpost%virtual.tdb'
        size = os.stat(index).st_size
        for length in (0, 100, 4096, size - 1, size // 2):
            time.sleep(1.1)  # the indexer is asked once a second
            os.truncate(index, length)
            self.assertTrue(self.send(['u2@va.example'], 'bob'), length)
            self.assertEqual(os.stat(index).st_size, size)
        self.assertEqual(self.world.journal(MESSAGE='status=bounced'), [])
        self.assertEqual(self.world.journal(MESSAGE='killed by signal'), [])
        found = self.world.journal(MESSAGE=f'{self.VIRTUAL}: its index was damaged')
        self.assertEqual(len(found), 5)


class Tool(Tables):
    """postalias besides building: as root, with no role."""

    def call(self, *arguments, data='', name='postalias'):
        done = subprocess.run([name, *arguments], executable=self.world.tool('postalias'),
                              input=data.encode(), capture_output=True, check=False, cwd='/etc')
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def setUp(self):
        super().setUp()
        self.world.stop()
        write(SOURCE, 'root: joe\n"two words": ann\nroot: twice\n', 10)

    def test_lookups(self):
        self.assertEqual(self.call('-q', 'ROOT', SOURCE), (0, 'joe\n', ''))
        self.assertEqual(self.call('-q', 'two words', 'hash:aliases'), (0, 'ann\n', ''))
        self.assertEqual(self.call('-q', 'bob', './aliases', 'inline:{bob=b}'), (0, 'b\n', ''))
        self.assertEqual(self.call('-q', 'none', SOURCE), (1, '', ''))
        self.assertEqual(self.call('-q', '-', SOURCE, data='Root\nnone\n\ntwo words'),
                         (0, 'Root:\tjoe\ntwo words:\tann\n', ''))
        self.assertEqual(self.call('-q', '-', SOURCE, data='none\n'), (1, '', ''))
        status, out, text = self.call('-q', 'root', '/etc/no-such', SOURCE)
        self.assertEqual((status, out), (1, ''))
        self.assertIn('postalias: fatal: tdb:/etc/no-such: ', text)

    def test_listing(self):
        status, out, text = self.call('-s', SOURCE)
        self.assertEqual((status, text), (0, ''))
        self.assertEqual(sorted(out.splitlines()), ['root:\tjoe', 'two words:\tann'])
        status, _, text = self.call('-s', 'static:x')
        self.assertEqual(status, 1)
        self.assertIn('static:x: tables of this type cannot be listed', text)

    def test_duplicates(self):
        warning = f'postalias: warning: {SOURCE}: 1 duplicate names ignored\n'
        self.assertEqual(self.call('aliases'), (0, '', warning))
        self.assertEqual(self.call('-w', SOURCE), (0, '', ''))
        self.assertEqual(self.call('-q', 'root', SOURCE)[1], 'joe\n')
        self.assertEqual(self.call('-r', SOURCE), (0, '', ''))
        self.assertEqual(self.call('-q', 'root', SOURCE)[1], 'twice\n')
        write(SOURCE, 'root: a\nroot: b\n', 5)
        self.assertEqual(self.call('-q', 'root', SOURCE)[1], 'b\n')

    def test_single_entries(self):
        self.assertEqual(self.call('-i', SOURCE, data='new: x\n'), (0, '', ''))
        self.assertEqual(self.call('-q', 'new', SOURCE)[1], 'x\n')
        self.assertEqual(self.call('-d', 'NEW', SOURCE), (0, '', ''))
        self.assertEqual(self.call('-d', 'new', SOURCE), (1, '', ''))
        self.assertEqual(self.call('-q', 'root', SOURCE)[1], 'joe\n')
        self.assertEqual(self.call('-d', '-', SOURCE, data='none\nroot\n'), (0, '', ''))
        self.assertEqual(self.call('-q', 'root', SOURCE)[0], 1)
        done = self.world.run_as('alice', [self.world.tool('postalias'), '-d', 'root', SOURCE])
        self.assertEqual(done.returncode, 77)
        self.assertIn(b'only root adds and removes single entries', done.stderr)

    def test_options(self):
        self.assertEqual(self.call('-c', '/etc/postfix', SOURCE)[0], 69)
        self.assertEqual(self.call('-c', '/etc/unitpost', '-wnNop', SOURCE)[0], 0)
        self.assertEqual(self.call()[0], 64)
        self.assertEqual(self.call('-s', '-q', 'x', SOURCE)[0], 1)
        self.assertEqual(self.call('-b', '-q', '-', SOURCE)[0], 64)
        status, _, text = self.call('texthash:aliases')
        self.assertEqual(status, 1)
        self.assertIn('no index is built', text)
        write(SOURCE, 'Root: joe\n', 5)
        self.assertEqual(self.call('-f', SOURCE), (0, '', ''))
        self.assertEqual(self.call('-q', 'root', SOURCE)[0], 1)
        self.assertEqual(self.call('-f', '-q', 'Root', SOURCE)[1], 'joe\n')

    def test_newaliases(self):
        self.assertEqual(self.call(name='newaliases')[:2], (0, ''))
        self.assertTrue(os.path.exists(INDEX))
        os.unlink(SOURCE)
        self.assertEqual(self.call(name='/usr/bin/newaliases'), (0, '', ''))
        self.assertFalse(os.path.exists(INDEX))
        self.assertEqual(self.call('x', name='newaliases')[0], 64)


class Postmap(Tables):
    """postmap: what it has and postalias has not. As root, with no role."""

    MAP = '/etc/map'

    def call(self, *arguments, data=b''):
        done = subprocess.run([self.world.tool('postmap'), *arguments], input=data,
                              capture_output=True, check=False, cwd='/etc')
        return done.returncode, done.stdout, done.stderr.decode()

    def setUp(self):
        super().setUp()
        self.world.stop()
        write(self.MAP, 'Key value\n"two words"@x y\n', 10)

    def test_lookups(self):
        self.assertEqual(self.call('-v', 'map'), (
            0, b'', f'postmap: {self.MAP}: 2 entries, longest 5 bytes, 22 bytes total\n'))
        self.assertEqual(self.call('-q', 'KEY', 'hash:map'), (0, b'value\n', ''))
        self.assertEqual(self.call('-q', '-', 'map', data=b'key\nnone\n"two words"@x\n'),
                         (0, b'key\tvalue\n"two words"@x\ty\n', ''))
        self.assertEqual(sorted(self.call('-s', 'map')[1].splitlines()),
                         [b'"two words"@x\ty', b'key\tvalue'])
        self.assertEqual(self.call('-s', 'texthash:map')[1].splitlines(),
                         [b'"two words"@x\ty', b'key\tvalue'])
        write(self.MAP, '/^k(.*)/ <$1>\n', 10)
        for path in ('map', './map', self.MAP):
            self.assertEqual(self.call('-q', 'key', f'regexp:{path}'), (0, b'<ey>\n', ''))
        self.assertEqual(self.call('-q', 'key', 'pcre:{ {/k/ inline} }'), (0, b'inline\n', ''))

    def test_messages(self):
        mail = b'Subject: x\n y\nTo: z\n\nbody\n'
        table = 'inline:{ {body=B}, {to: z=T}, {=E} }'
        self.assertEqual(self.call('-h', '-q', '-', 'inline:{ {to: z=T}, body=B }', data=mail),
                         (0, b'To: z\tT\n', ''))
        self.assertEqual(self.call('-b', '-q', '-', 'inline:{ {to: z=T}, body=B }', data=mail),
                         (0, b'body\tB\n', ''))
        self.assertEqual(self.call('-hbm', '-q', '-', 'static:x', data=mail)[1],
                         b'Subject: x\n y\tx\nTo: z\tx\n\tx\nbody\tx\n')
        for arguments in (('-h', '-q', 'x'), ('-b',), ('-m', '-s')):
            self.assertEqual(self.call(*arguments, table)[0], 1)

    def test_what_is_not_utf8(self):
        with open(self.MAP, 'wb') as file:
            file.write(b'k\xe4 v\n')
        self.assertEqual(self.call('map'), (
            1, b'', f'postmap: fatal: {self.MAP}, line 1: not UTF-8 text\n'))
        self.assertEqual(self.call('-u', 'map'), (0, b'', ''))
        self.assertEqual(self.call('-u', '-q', b'k\xe4', 'map'), (0, b'v\n', ''))
        self.assertEqual(self.call('-q', b'k\xe4', 'map'), (
            1, b'', 'postmap: warning: a key is not UTF-8 text, and is not looked up\n'))
        self.assertEqual(self.call('-bq', '-', 'static:x', data=b'\n\xe4\n')[:2],
                         (0, b'\tx\n\xe4\tx\n'))
        self.assertEqual(self.call('-Ubq', '-', 'static:x', data=b'\n\xe4\n')[:2],
                         (0, b'\tx\n'))

    def test_keys_and_lines_that_break_the_rules(self):
        self.assertEqual(self.call('map')[0], 0)
        for key in (b'x' * 65536, b'key\0', b'\0index', b'', b'key\r'):
            self.assertEqual(self.call('-q', '-', 'map', data=key + b'\nkey\n'),
                             (0, b'key\tvalue\n', ''), key[:10])
        for text, reason in ((b'x' * 65536 + b' v\n', 'key too long'),
                             (b'k\0ey v\n', 'a NUL byte'), (b'key\n', 'no value'),
                             (b' key v\n', 'white space at its start, and no line before it'),
                             (b'"key v\n', 'no closing quote')):
            with open(self.MAP, 'wb') as file:
                file.write(b'good value\n' * (text[0] != 32) + text)
            status, _, error = self.call('map')
            self.assertEqual(status, 1)
            self.assertIn(reason, error)
            self.assertEqual(self.call('-i', 'inc', data=text)[0], 1)
        # the index of the source as it was is still there, and is used
        status, out, error = self.call('-q', 'key', 'map')
        self.assertEqual((status, out), (0, b'value\n'))
        self.assertIn('the old index is used', error)

    def test_values_in_files(self):
        write('/etc/one', 'foo')
        write(self.MAP, 'key /etc/one, /etc/one\n', 5)
        self.assertEqual(self.call('-F', 'map'), (0, b'', ''))
        self.assertEqual(self.call('-q', 'key', 'map')[1], b'Zm9vCmZvbw==\n')
        self.assertEqual(self.call('-Fq', 'key', 'map')[1], b'foo\nfoo\n')
        self.assertEqual(self.call('-Fs', 'map')[1], b'key\tfoo\nfoo\n')
        self.assertEqual(self.call('map')[0], 0)
        status, out, text = self.call('-Fq', 'key', 'map')
        self.assertEqual((status, out), (1, b''))
        self.assertIn('not base64', text)


if __name__ == '__main__':
    unittest.main()
