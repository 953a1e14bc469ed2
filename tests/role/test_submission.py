"""sendmail, postdrop, pickup and cleanup: from a user's program to incoming/, with every kind of
bad input. qmgr does not run, so that what was accepted can be looked at."""

import glob
import os
import re
import socket
import stat
import struct
import subprocess
import threading
import time
import unittest

import harness

SPOOL = '/var/spool/unitpost'
ROLES = ['postdrop', 'pickup', 'cleanup']
POSTDROP = '/run/unitpost/postdrop'
ENVELOPE = {'arrival': 0, 'queue-id': '', 'sender': 'alice', 'full-name': '', 'envid': '', 'uid': 0,
            'flags': 4, 'ret': 0}
RECIPIENT = {'address': 'bob', 'original': '', 'orcpt': '', 'notify': 0}
MS_REMOUNT = 32


def stored_content(path):
    """Of a queue file: offset and size are at bytes 24 and 32 (unitpost-queue(5))."""
    with open(path, 'rb') as file:
        data = file.read()
    offset, size = struct.unpack_from('<QQ', data, 24)
    return data[offset:offset + size]


def wait_until(condition, what, seconds=15):
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f'not within {seconds} s: {what}')
        time.sleep(0.02)


class SubmissionTest(unittest.TestCase):
    roles = ROLES
    kills = False
    main_cf = 'myhostname = host.example\nmyorigin = origin.example\n'

    def setUp(self):
        self.world = harness.World(roles=self.roles, main_cf=self.main_cf)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.addCleanup(self.assert_no_crash)

    def assert_no_crash(self):
        """Whatever came in, no process died of it."""
        if not self.kills:
            self.assertEqual(self.world.journal(MESSAGE='was killed by signal'), [])

    def sendmail(self, user, arguments, data=b'', **options):
        return self.world.run_as(user, [self.world.tool('sendmail'), *arguments], data, **options)

    def accept(self, data, arguments=('bob',), user='alice'):
        """Send one; its content in incoming/ (name, content)."""
        before = set(self.world.queue('incoming'))
        done = self.sendmail(user, arguments, data)
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        wait_until(lambda: set(self.world.queue('incoming')) - before, 'it is in incoming/')
        name = (set(self.world.queue('incoming')) - before).pop()
        wait_until(lambda: name not in self.world.queue('maildrop'), 'it left maildrop/')
        return name, stored_content(f'{SPOOL}/incoming/{name}')


class ContentTest(SubmissionTest):
    def test_what_is_stored(self):
        name, content = self.accept(
            b'Subject: x\nBcc: carol,\n dave\n\nNUL \0, CR \r, CRLF \r\nend',
            ['-F', 'Al Ice', 'bob'])
        pattern = (rb'Received: by host\.example \(unitpost, from userid 4201\)\n'
                   rb'\tid NAME; [^\n]+\n'
                   rb'Subject: x\n'
                   rb'Message-Id: <\d{14}\.NAME@host\.example>\n'
                   rb'Date: [^\n]+\n'
                   rb'From: Al Ice <alice@origin\.example>\n'
                   rb'\n'
                   rb'NUL \0, CR  , CRLF \nend\n').replace(b'NAME', name.encode())
        self.assertRegex(content, rb'\A' + pattern + rb'\Z')
        for role, text in (('postdrop', f'{name}: submitted by uid=4201'),
                           ('pickup', f'{name}: uid=4201 from=<alice>'),
                           ('cleanup', rf'{name}: message-id=<\d+\.{name}@host\.example>')):
            entry = self.world.wait_for_entry(MESSAGE=text, UNITPOST_QUEUE_ID=name)
            self.assertEqual(entry['SYSLOG_IDENTIFIER'], f'unitpost/{role}')

    def test_nothing_and_almost_nothing(self):
        for data, body in ((b'', b''), (b'\n', b'\n'), (b'.', b''), (b'x', b'\nx\n'),
                           (b'From me Mon\nx\n', b'\nx\n')):
            with self.subTest(data):
                _, content = self.accept(data)
                self.assertRegex(content, rb'\nFrom: alice <alice@origin\.example>\n'
                                 + re.escape(body) + rb'\Z')

    def test_a_header_line_of_1_mb_is_cut_as_in_postfix(self):
        name, content = self.accept(b'X: ' + b'x' * (1 << 20) + b'\n folded\nSubject: s\n\nbody\n')
        line = re.search(rb'^X: x*\n', content, re.MULTILINE).group()
        self.assertEqual(len(line), 102400 + 1)
        self.assertIn(b'\nSubject: s\nMessage-Id: ', content)
        self.world.wait_for_entry(MESSAGE=f'warning: {name}: 1 header field.* cut')

    def test_long_lines_and_dots_pass_whole(self):
        body = b'y' * 3000000 + b'\n' + b'z' * 2048 + b'\n..\n' + b'w' * 2049 + b'\n'
        _, content = self.accept(b'A: b\n\n' + body)
        self.assertTrue(content.endswith(b'\n\n' + body))

    def test_recipients_of_the_header(self):
        name, content = self.accept(b'To: Bob <bob>, carol@x.example\nBcc: dave\n\nx\n', ['-t'])
        with open(f'{SPOOL}/incoming/{name}', 'rb') as file:
            data = file.read()
        for address in (b'bob@origin.example', b'carol@x.example', b'dave@origin.example'):
            self.assertIn(address, data)
        self.assertNotIn(b'dave', content)

    def test_a_uid_without_a_name_can_send(self):
        with open('/etc/passwd', encoding='ascii') as file:
            lines = [line for line in file if not line.startswith('carol:')]
        with open('/etc/passwd', 'w', encoding='ascii') as file:
            file.writelines(lines)
        done = subprocess.run([self.world.tool('sendmail'), 'bob'], input=b'x\n', user=4203,
                              group=4203, extra_groups=[], check=False, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        self.world.wait_for_entry(MESSAGE='uid=4203 from=<uid-4203>')
        wait_until(lambda: self.world.queue('incoming'), 'it is in incoming/')

    def test_files_can_be_read_by_their_group_only(self):
        name, _ = self.accept(b'x\n')
        status = os.stat(f'{SPOOL}/incoming/{name}')
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o640)


class LimitTest(SubmissionTest):
    main_cf = SubmissionTest.main_cf + 'message_size_limit = 8000000\n'

    def memory_kb(self, service):
        peak = 0
        name = f'unitpost-{service}'
        for pid in [self.world.wait_until_running(name), *self.world.workers(name)]:
            with open(f'/proc/{pid}/status', encoding='ascii') as file:
                peak = max(peak, int(re.search(r'VmHWM:\s+(\d+)', file.read()).group(1)))
        return peak

    def test_a_message_that_is_too_big_is_refused_at_once(self):
        done = self.sendmail('alice', ['bob'], b'x' * 8000001)
        self.assertEqual(done.returncode, 69)
        self.assertIn(b'message file too big', done.stderr)
        with harness.Peer(POSTDROP, 'postdrop') as peer:
            peer.send_message('envelope', ENVELOPE)
            peer.send_message('recipient', RECIPIENT)
            for _ in range(160):
                peer.send_data(b'x' * 60000)
            peer.send_end()
            (_, answer), = peer.receive_answer()
        self.assertEqual((answer['status'], answer['dsn']), ('2', '5.3.4'))
        self.assertEqual(self.world.queue('maildrop'), [])

    def test_100000_recipients_cost_little_memory(self):
        to = b',\n '.join(b'user%d@example.org' % i for i in range(100000))
        tool = self.world.tool('sendmail')
        done = self.world.run_as('alice', ['/usr/bin/python3', '-c',
                                           'import resource, subprocess, sys\n'
                                           'r = subprocess.run(sys.argv[1:]).returncode\n'
                                           'u = resource.getrusage(resource.RUSAGE_CHILDREN)\n'
                                           'print(r, u.ru_maxrss)', tool, '-t'],
                                 b'To: ' + to + b'\n\nhello\n')
        self.assertEqual(done.stderr, b'')
        status, sendmail_kb = map(int, done.stdout.split())
        self.assertEqual(status, 0)
        wait_until(lambda: self.world.queue('incoming') and not self.world.queue('maildrop'),
                   'it is in incoming/', 30)
        sizes = {service: self.memory_kb(service) for service in ROLES}
        print(f'100,000 recipients: sendmail {sendmail_kb} kB, '
              + ', '.join(f'{service} {size} kB' for service, size in sizes.items()))
        self.assertLess(sendmail_kb, 80000)
        if 'san' not in os.path.basename(self.world.build):
            self.assertLess(max(sizes.values()), 16000)
        name, = self.world.queue('incoming')
        with open(f'{SPOOL}/incoming/{name}', 'rb') as file:
            self.assertIn(b'user99999@example.org', file.read())


class RefusalTest(SubmissionTest):
    roles = [*ROLES, 'bounce']

    def test_what_cleanup_refuses_goes_back_to_its_sender(self):
        done = self.sendmail('alice', ['bob'], b'Received: x\n' * 49 + b'\nbody\n')
        self.assertEqual(done.returncode, 0)
        self.world.wait_for_entry(MESSAGE='reject: 5.4.0 too many hops; from=<alice@origin')
        wait_until(lambda: self.world.queue('incoming'), 'the notice is in incoming/')
        notice = stored_content(f'{SPOOL}/incoming/{self.world.queue("incoming")[0]}')
        self.assertIn(b'too many hops', notice)
        self.assertEqual(len(re.findall(rb'^Received: by ', notice, re.MULTILINE)), 1)
        wait_until(lambda: not self.world.queue('maildrop'), 'the message left maildrop/')

    def test_one_hop_less_is_fine(self):
        self.accept(b'Received: x\n' * 48 + b'\nbody\n')


class DiskTest(SubmissionTest):
    def resize(self, size):
        harness.mount('none', '/var/spool', '', MS_REMOUNT, f'size={size}')

    def fill(self):
        """To the last page, files small and large."""
        with open('/var/spool/ballast', 'ab', buffering=0) as file:
            try:
                while True:
                    file.write(b'x' * 65536)
            except OSError:
                pass
        for i in range(100000):
            try:
                with open(f'/var/spool/ballast-{i}', 'wb', buffering=0) as file:
                    file.write(b'x')
            except OSError:
                return

    def empty(self):
        for path in glob.glob('/var/spool/ballast*'):
            os.unlink(path)

    def test_a_full_disk_delays_mail_and_loses_none(self):
        self.resize('4m')
        self.world.stop()
        self.assertEqual(self.sendmail('root', ['bob'], b'kept\n').returncode, 0)
        self.fill()
        self.world.start()
        done = self.sendmail('alice', ['bob'], b'not now\n')
        self.assertEqual(done.returncode, 75)
        self.assertIn(b'No space left on device', done.stderr)
        self.world.wait_for_entry(MESSAGE='stays in maildrop: .*No space left on device')
        time.sleep(2.5)
        self.assertEqual(len(self.world.journal(MESSAGE='stays in maildrop')), 1)
        self.assertEqual((len(self.world.queue('maildrop')), self.world.queue('incoming')), (1, []))
        self.empty()
        wait_until(lambda: self.world.queue('incoming'), 'it went on')
        self.assertEqual(self.sendmail('alice', ['bob'], b'now\n').returncode, 0)
        wait_until(lambda: len(self.world.queue('incoming')) == 2, 'the next is there')

    def test_queue_minfree(self):
        self.world.write_main_cf(self.main_cf + 'queue_minfree = 8000000\n')
        self.resize('4m')
        done = self.sendmail('alice', ['bob'], b'x\n')
        self.assertEqual(done.returncode, 75)
        self.assertIn(b'queue_minfree', done.stderr)


class OddFileTest(SubmissionTest):
    """What anybody with a hand in maildrop/ may leave there."""

    @staticmethod
    def identity(i):
        return f'0610D9BC7F30D754{i:04X}'

    def put(self, i, data, name=None, owner='unitpost-drop'):
        path = f'{SPOOL}/maildrop/{name or self.identity(i)}'
        with open(path, 'wb') as file:
            file.write(data)
        os.chmod(path, 0o640)
        if owner:
            harness.shutil.chown(path, owner)
        return path

    def make_good(self):
        """The bytes of a good file."""
        self.world.stop()
        self.assertEqual(self.sendmail('root', ['bob'], b'x\n').returncode, 0)
        name, = self.world.queue('maildrop')
        with open(f'{SPOOL}/maildrop/{name}', 'rb') as file:
            data = file.read()
        os.unlink(file.name)
        return data

    def test_each_is_set_aside_once_and_costs_nobody_anything(self):
        good = self.make_good()
        maildrop = f'{SPOOL}/maildrop'
        gone = [self.put(1, b''), self.put(2, good[:-10])]
        odd = [self.put(3, b'hello'), self.put(4, good[:100] + b'X' + good[101:]),
               self.put(5, good, 'foo'), self.put(6, good, '-rf'),
               self.put(7, good, 'x\nUNITPOST_FORGED=1'), self.put(8, good, owner='carol'),
               self.put(9, good, owner=None)]
        os.chmod(odd[-1], 0)
        harness.shutil.chown(odd[-1], 'unitpost-drop')
        odd.append(self.put(10, good))
        os.link(odd[-1], '/var/spool/linked')
        odd.append(f'{maildrop}/{self.identity(11)}')
        os.symlink('/etc/shadow', odd[-1])
        odd.append(f'{maildrop}/{self.identity(12)}')
        os.symlink(self.identity(12), odd[-1])
        odd.append(f'{maildrop}/{self.identity(13)}')
        os.mkfifo(odd[-1])
        odd.append(f'{maildrop}/{self.identity(14)}')
        os.makedirs(f'{odd[-1]}/inside')
        odd.append(f'{maildrop}/{self.identity(15)}')
        self.enter_socket(odd[-1])
        self.put(16, good)
        self.world.start()
        wait_until(lambda: self.world.queue('incoming'), 'the good one went through')
        wait_until(lambda: not [name for name in os.listdir(maildrop) if name[0] != '.'],
                   'maildrop/ is empty')
        self.assertEqual(self.world.queue('incoming'), [self.identity(16)])
        for path in gone:
            self.assertFalse(os.path.lexists(path))
            self.assertEqual(len(self.world.journal(MESSAGE='never acknowledged',
                                                    UNITPOST_QUEUE_ID=os.path.basename(path))), 1)
        for path in odd:
            name = os.path.basename(path).replace('\n', '?')
            found = self.world.journal(MESSAGE=re.escape(name) + '.* moved to corrupt')
            self.assertEqual(len(found), 1, name)
        self.assertEqual(self.world.journal(UNITPOST_FORGED='.'), [])
        self.no_spin()

    def enter_socket(self, path):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(path)

    def no_spin(self):
        pid = self.world.wait_until_running('unitpost-pickup')
        ticks = []
        for _ in range(2):
            with open(f'/proc/{pid}/stat', encoding='ascii') as file:
                ticks.append(sum(map(int, file.read().rpartition(')')[2].split()[11:13])))
            time.sleep(1)
        self.assertLessEqual(ticks[1] - ticks[0], 2)


class HostileClientTest(SubmissionTest):
    def other_user_can_send(self):
        start = time.monotonic()
        self.assertEqual(self.sendmail('bob', ['alice'], b'x\n').returncode, 0)
        self.assertLess(time.monotonic() - start, 5)

    def test_garbage_is_answered_by_the_end_of_the_connection(self):
        begin = harness.frame(b'M', harness.message('envelope', ENVELOPE))
        rows = [os.urandom(3000), b'M\xff\xff\xff\xff', b'H\0\0\0\0', b'E\0\0\0\0', b'\0' * 100,
                harness.frame(b'D', b'x'), begin + begin, begin + b'E\0\0\0\1x',
                begin + harness.frame(b'M', b''), begin + harness.frame(b'M', b'\xffname'),
                harness.frame(b'M', harness.message('envelope', {**ENVELOPE, 'extra': 1})),
                harness.frame(b'M', harness.message('envelope', {**ENVELOPE, 'uid': '-1'})),
                harness.frame(b'M', harness.message('envelope',
                                                    {**ENVELOPE, 'sender': 'a' * 2049}))]
        for row in rows:
            with self.subTest(row[:40]), harness.Peer(POSTDROP, 'postdrop') as peer:
                peer.send_raw(row)
                with self.assertRaises((EOFError, BrokenPipeError)):
                    peer.receive_answer()
        self.other_user_can_send()

    def test_a_client_that_goes_away_leaves_nothing(self):
        with harness.Peer(POSTDROP, 'postdrop') as peer:
            peer.send_message('envelope', ENVELOPE)
            peer.send_message('recipient', RECIPIENT)
            for _ in range(20):
                peer.send_data(b'x' * 60000)
        self.world.wait_for_entry(MESSAGE='canceled: uid=0 went away')
        self.assertEqual(os.listdir(f'{SPOOL}/maildrop'), [])

    def test_descriptors_are_not_collected(self):
        with open('/dev/null', 'rb') as null, harness.Peer(POSTDROP, 'postdrop') as peer:
            with self.assertRaises((EOFError, BrokenPipeError, ConnectionResetError)):
                peer.send_message('envelope', ENVELOPE, [null.fileno()])
                peer.send_message('recipient', RECIPIENT, [null.fileno(), null.fileno()])
                peer.send_end()
                peer.receive_answer()
        self.other_user_can_send()

    def test_claims_of_a_client_count_for_nothing(self):
        with harness.Peer(POSTDROP, 'postdrop') as peer:
            peer.send_message('envelope', {**ENVELOPE, 'uid': 4711, 'flags': 15, 'arrival': 5,
                                           'queue-id': '../../../etc/x'})
            peer.send_message('recipient', RECIPIENT)
            peer.send_end()
            (_, answer), = peer.receive_answer()
        self.assertEqual(answer['status'], '0')
        self.world.wait_for_entry(MESSAGE=f'{answer["queue-id"]}: uid=0 from=<alice>')
        wait_until(lambda: self.world.queue('incoming'), 'it is in incoming/')

    def test_50_open_connections_of_one_user_leave_room_for_others(self):
        peers, n = [], 0
        for _ in range(50):
            peers.append(harness.Peer(POSTDROP, None, timeout=5))
            try:
                peers[-1].receive()
                n += 1
            except EOFError:
                pass
        print(f'50 connections of one user: {n} were served')
        self.assertEqual(n, 40)
        self.other_user_can_send()
        for peer in peers:
            peer.close()

    def test_cleanup_and_pickup_are_nobodys_to_talk_to(self):
        for user in ('alice', 'unitpost-drop'):
            done = self.world.run_as(user, ['/usr/bin/python3', '-c',
                                            'import socket\ns = socket.socket(socket.AF_UNIX)\n'
                                            's.connect("/run/unitpost/cleanup")'])
            self.assertIn(b'PermissionError', done.stderr)


class OptionTest(SubmissionTest):
    def test_exit_statuses(self):
        rows = [
            (['bob'], 0), (['-bm', 'bob'], 0),
            (['-i', '-odi', '-oem', '-oi', '-t', '-f', 'alice'], 64),
            (['-FCronDaemon', '-i', '-B8BITMIME', '-oem', 'bob'], 0),
            (['-FAnacron', '-odi', 'bob'], 0), (['-i', '-B', '8BITMIME', 'bob'], 0),
            (['-oem', '-oi', '-f', 'alice@x', '--', 'bob'], 0), (['-G', 'bob'], 0),
            (['-f', '', 'bob'], 0), (['-f', '<>', 'bob'], 0), (['-f', 'a\1b', 'bob'], 65),
            (['-f', '"a', 'bob'], 65), ([], 64), (['a@'], 65), (['a\nb\x01'], 65),
            (['bob, carol'], 0), (['Bob <bob>'], 0), (['-bs'], 69), (['-bv', 'bob'], 69),
            (['-v', 'bob'], 69), (['-qRx'], 69), (['-XV', 'bob'], 69), (['-Nsuccess', 'bob'], 69),
            (['-Nnever', '-Rhdrs', '-Vid+1', 'bob'], 0), (['-Orequiretls=yes', 'bob'], 69),
            (['-bd'], 69), (['-bd', '-q30m'], 69), (['-q30m'], 0), (['-bh'], 0), (['-bz'], 64),
            (['-C', '/home/alice/main.cf', 'bob'], 69), (['-C/etc/unitpost', 'bob'], 0),
            (['-Am', '-L', 'x', '-m', '-n', '-o7', '-U', '-X', '/etc/x', 'bob'], 0),
            (['-oQ/tmp', 'bob'], 0), (['-Zx'], 64),
        ]
        for arguments, status in rows:
            with self.subTest(arguments):
                done = self.sendmail('alice', arguments, b'x\n')
                self.assertEqual(done.returncode, status, done.stderr)
                if status != 0:
                    self.assertRegex(done.stderr, rb'\A[^\n]+\n\Z')
        self.assertFalse(os.path.exists('/etc/x'))

    def test_surroundings(self):
        tool = self.world.tool('sendmail')
        rows = [
            (f'{tool} bob <&- >&- 2>&-', 0),
            (f'ulimit -f 0; printf x | {tool} bob', 0),
            (f'ulimit -f 1; head -c 200000 /dev/zero | {tool} bob', 75),
            (f'cd /proc/self; echo | env -i {tool} bob', 0),
            (f'echo | TMPDIR=/nonexistent NAME="x\ny" {tool} bob', 0),
            (f'head -c 100000 /dev/zero | TMPDIR=/nonexistent {tool} bob', 0),
            (f'echo | {tool} $(seq -f user%g@example.org 5000)', 0),
            (f'{tool} bob < /', 65),
        ]
        for command, status in rows:
            with self.subTest(command[-60:]):
                done = self.world.run_as('alice', ['/bin/sh', '-c', command])
                self.assertEqual(done.returncode, status, done.stderr)

    def test_when_nobody_listens(self):
        self.world.stop()
        done = self.sendmail('alice', ['bob'], b'x\n')
        self.assertEqual(done.returncode, 75)
        self.assertRegex(done.stderr, rb'\A[^\n]*/run/unitpost/postdrop: [^\n]+\n\Z')
        self.assertEqual(self.sendmail('root', ['bob'], b'x\n').returncode, 0)
        self.assertEqual(len(self.world.queue('maildrop')), 1)
        self.world.start()
        wait_until(lambda: self.world.queue('incoming'), 'root\'s mail went on')

    def test_a_sandbox_that_hides_the_sockets_is_named(self):
        os.chmod('/run/unitpost', 0)
        done = self.sendmail('alice', ['bob'], b'x\n')
        os.chmod('/run/unitpost', 0o755)
        self.assertEqual(done.returncode, 75)
        self.assertRegex(done.stderr, rb'\A[^\n]*/run/unitpost: Permission denied: [^\n]+\n\Z')

    def test_a_broken_configuration_is_try_again(self):
        self.world.write_main_cf('message_size_limit = many\n')
        done = self.sendmail('alice', ['bob'], b'x\n')
        self.assertEqual(done.returncode, 75)
        self.assertIn(b'message_size_limit', done.stderr)


class KillTest(SubmissionTest):
    kills = True

    def test_a_worker_killed_in_the_middle_costs_no_mail(self):
        self.accept(b'warm\n')
        for i in range(10):
            for service in ('unitpost-postdrop', 'unitpost-cleanup'):
                self.world.wait_until_running(service)
                for pid in self.world.workers(service):
                    os.kill(pid, 9)
            self.assertEqual(self.sendmail('alice', ['bob'], b'n%d\n' % i).returncode, 0)
        wait_until(lambda: len(self.world.queue('incoming')) >= 11, 'all came through')
        wait_until(lambda: not self.world.queue('maildrop'), 'maildrop/ is empty')

    def test_pickup_killed_goes_on_where_it_was(self):
        self.accept(b'warm\n')
        for i in range(5):
            self.world.wait_until_running('unitpost-pickup')
            self.world.kill('unitpost-pickup', 9)
            self.accept(b'n%d\n' % i)


class ScriptedCleanupTest(SubmissionTest):
    """In cleanup's place one that hangs up on every message with "poison" in it."""

    roles = ['postdrop', 'pickup']

    def setUp(self):
        super().setUp()
        self.taken = []
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind('/run/unitpost/cleanup')
        os.chmod('/run/unitpost/cleanup', 0o666)
        listener.listen(100)
        threading.Thread(target=self.serve, args=[listener], daemon=True).start()

    def serve(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            with conn:
                self.serve_one(conn)

    def serve_one(self, conn):
        data = b''
        hello = harness.message('hello', {'role': 'cleanup', 'version': 1})
        conn.sendall(harness.frame(b'H', hello))
        while not data.endswith(b'E\0\0\0\0'):
            more = conn.recv(65536)
            if not more:
                return
            data += more
        if b'poison' in data:
            return
        self.taken.append(data)
        conn.sendall(harness.frame(b'M', harness.message('mail-result', {
            'status': 0, 'queue-id': '6610CD7F62AC0D4D2470', 'dsn': '', 'text': ''})) +
            harness.frame(b'E', b''))

    def test_messages_that_cleanup_dies_of_hold_up_no_others(self):
        for i in range(3):
            self.assertEqual(self.sendmail('alice', ['bob'], b'poison %d\n' % i).returncode, 0)
        for i in range(3):
            self.assertEqual(self.sendmail('alice', ['bob'], b'good %d\n' % i).returncode, 0)
        wait_until(lambda: len(self.taken) == 3, 'the good ones are taken')
        self.assertEqual(len(self.world.queue('maildrop')), 3)
        self.assertEqual(len(self.world.journal(MESSAGE='stays in maildrop')), 3)


if __name__ == '__main__':
    unittest.main()
