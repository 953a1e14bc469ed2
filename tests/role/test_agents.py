"""local, error, showq and postqueue: real programs, read by readers that are not ours.

Mailboxes are split by Python's mailbox, listings read by its json. Agents are asked directly, as
qmgr asks them, or by mail through all roles.
"""

import contextlib
import email
import fcntl
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import unittest

import harness
from harness import Peer, World, split

QUEUE_ID = '6610CD7F62AC0D4D2470'
OFFSET = 64
SENT, DEFERRED, BOUNCED = 1, 2, 3


@contextlib.contextmanager
def message_file(content):
    """A descriptor as qmgr passes it: the content is somewhere inside a file."""
    fd = os.memfd_create('message')
    try:
        os.write(fd, b'\0' * OFFSET)
        os.write(fd, content)
        yield fd
    finally:
        os.close(fd)


def deliver(content, *recipients, role='local', sender='ann@example.org', nexthop='', size=None):
    """Ask an agent for one delivery; its outcomes in order of the recipients."""
    recipients = recipients or ['bob@example.org']
    with message_file(content) as fd, Peer(f'/run/unitpost/{role}', role, 60) as peer:
        peer.send_message('delivery', {
            'queue-id': QUEUE_ID, 'nexthop': nexthop, 'sender': sender, 'envid': '',
            'arrival': 1, 'active': 1,
            'content-offset': OFFSET, 'content-size': len(content) if size is None else size,
            'flags': 0, 'ret': 0}, [fd])
        for handle, address in enumerate(recipients):
            peer.send_message('delivery-recipient', {
                'handle': handle, 'address': address, 'original': '', 'orcpt': '', 'notify': 0})
        peer.send_end()
        answer = peer.receive_answer()
    assert [name for name, _ in answer] == ['delivery-outcome'] * len(recipients), answer
    outcomes = {int(one['handle']): one for _, one in answer}
    return [outcomes[i] for i in range(len(recipients))]


def verdict(outcome):
    return int(outcome['status']), outcome['code']


# A mail reader, with bob's rights: takes messages out under both locks, until it has had as many
# as it is told; prints how many there were each time, and the messages.
READER = """
import json, mailbox, sys
taken, rounds = [], []
while len(taken) < int(sys.argv[1]):
    box = mailbox.mbox('/var/mail/bob', create=False)
    try:
        box.lock()
    except mailbox.ExternalClashError:
        continue
    found = list(box.items())
    for key, one in found:
        taken.append(one.get_payload())
        box.remove(key)
    try:
        box.flush()
    except mailbox.ExternalClashError:
        pass # it is in place, but a deliverer looks at it: he will find the lock file
    box.close()
    if found:
        rounds.append(len(found))
print(json.dumps([rounds, taken]))
"""


class Local(unittest.TestCase):
    def test_users_are_found_and_strangers_bounced(self):
        cases = {
            'bob@example.org': (SENT, '2.0.0'),
            'BOB@example.org': (SENT, '2.0.0'),
            '"bob"@example.org': (SENT, '2.0.0'),
            'bob': (SENT, '2.0.0'),
            'root@example.org': (SENT, '2.0.0'),
            'nobody-here@example.org': (BOUNCED, '5.1.1'),
            '../bob@example.org': (BOUNCED, '5.1.1'),
            'bob+x@example.org': (BOUNCED, '5.1.1'),
            '""@example.org': (BOUNCED, '5.1.1'),
            '@example.org': (BOUNCED, '5.1.1'),
            'bob\0@example.org': (BOUNCED, '5.1.1'),
            'x' * 1000 + '@example.org': (BOUNCED, '5.1.1'),
        }
        with World(roles=['local']) as world:
            outcomes = deliver(b'Subject: x\n\nbody\n', *cases)
            for address, outcome in zip(cases, outcomes):
                self.assertEqual(verdict(outcome), cases[address], address)
                self.assertEqual(outcome['relay'], 'local')
            self.assertEqual(outcomes[5]['text'], 'unknown user: "nobody-here"')
            self.assertEqual(len(split()), 4)
            self.assertEqual(os.stat('/var/mail/bob').st_uid, harness.PEOPLE['bob'])
            world.wait_for_entry(MESSAGE=f'^{QUEUE_ID}: to=<bob@example.org>, relay=local, '
                                         r'delay=[0-9.]+, delays=[0-9./]+, dsn=2.0.0, status=sent '
                                         r'\(delivered to mailbox\)$',
                                 UNITPOST_QUEUE_ID=QUEUE_ID)
            self.assertEqual(sorted(os.listdir('/var/mail')), ['bob', 'root'])

    def test_whatever_is_delivered_is_one_message(self):
        """XA8: no content and no sender makes an independent reader see two."""
        bodies = [b'From x\n', b'\nFrom y', b'From', b'>From z\n\nFrom z\n', b'', b'\n', b'no end',
                  b'\r\nFrom a\r\n', b'\0\nFrom b\n', b'From ' * 30000, b'\n\nFrom c 1 2\n' * 20000]
        senders = ['', 'ann@example.org', '"a b\nFrom x"@example.org', 'a\r\n\r\nFrom b\r\n@x']
        with World(roles=['local']):
            n = 0
            for body in bodies:
                for sender in senders:
                    content = b'Subject: x\n\n' + body
                    outcome, = deliver(content, sender=sender)
                    self.assertEqual(verdict(outcome), (SENT, '2.0.0'))
                    n += 1
                    found = split()
                    self.assertEqual(len(found), n, (body[:20], sender))
            one = email.message_from_bytes(found[1])
            self.assertEqual(one['Return-Path'], '<ann@example.org>')
            self.assertEqual(one['Delivered-To'], 'bob@example.org')
            self.assertEqual(one.get_payload(), '>From x\n')

    def test_a_mailbox_that_is_something_else(self):
        odd = {
            'symbolic link': (lambda: os.symlink('carol', '/var/mail/bob'), '5.2.0'),
            'hard link': (lambda: os.link('/var/mail/carol', '/var/mail/bob'), '4.2.0'),
            'fifo': (lambda: os.mkfifo('/var/mail/bob'), '5.2.0'),
            'directory': (lambda: os.mkdir('/var/mail/bob'), '5.2.0'),
            'other owner': (lambda: shutil.copy('/var/mail/carol', '/var/mail/bob'), '4.2.0'),
        }
        with World(roles=['local']) as world:
            deliver(b'x: y\n', 'carol@example.org')
            carols = world.mailbox('carol')
            for name, (make, code) in odd.items():
                make()
                if name in ('fifo', 'directory'):  # his own
                    os.chown('/var/mail/bob', harness.PEOPLE['bob'], -1)
                outcome, = deliver(b'x: y\n')
                self.assertEqual(outcome['code'], code, (name, outcome))
                self.assertEqual(world.mailbox('carol'), carols, name)
                if os.path.isdir('/var/mail/bob') and not os.path.islink('/var/mail/bob'):
                    os.rmdir('/var/mail/bob')
                else:
                    os.unlink('/var/mail/bob')

    def test_a_mailbox_swapped_for_a_link_again_and_again(self):
        """Exim's CVE-2010-2024: between check and open."""
        stop = threading.Event()

        def swap():
            while not stop.is_set():
                with contextlib.suppress(OSError):
                    os.symlink('victim', '/var/mail/bob.new')
                    os.rename('/var/mail/bob.new', '/var/mail/bob')
                with contextlib.suppress(OSError):
                    os.unlink('/var/mail/bob')

        with World(roles=['local']):
            with open('/var/mail/victim', 'w', encoding='ascii') as file:
                os.fchmod(file.fileno(), 0o666)
            thread = threading.Thread(target=swap)
            thread.start()
            for _ in range(300):
                deliver(b'x: y\n')
            stop.set()
            thread.join()
            self.assertEqual(os.stat('/var/mail/victim').st_size, 0)

    def test_deliveries_in_parallel_do_not_mix(self):
        def many(i):
            for j in range(10):
                line = b'%d/%d\n' % (i, j)
                outcome, = deliver(b'X: y\n\n' + line * 3000)
                outcomes.append(verdict(outcome))

        outcomes = []

        with World(roles=['local'], main_cf='mailbox_size_limit = 0\n'):
            threads = [threading.Thread(target=many, args=(i,)) for i in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            found = split()
            self.assertEqual(outcomes, [(SENT, '2.0.0')] * 200)
            self.assertEqual(len(found), 200)
            bodies = {one.split(b'\n\n', 1)[1].rstrip(b'\n') for one in found}
            self.assertEqual(bodies, {b'\n'.join([b'%d/%d' % (i, j)] * 3000)
                                      for i in range(20) for j in range(10)})

    def test_a_mail_reader_at_work_loses_and_halves_nothing(self):
        """Two deliverers, and Python's mailbox, which knows both locks."""
        def many(i):
            for j in range(50):
                outcome, = deliver(b'X: y\n\n' + b'%d/%d\n' % (i, j) * 2000)
                outcomes.append(verdict(outcome))

        outcomes = []
        with World(roles=['local'], main_cf='mailbox_size_limit = 0\n') as world:
            deliver(b'X: y\n\nfirst\n')
            reader = subprocess.Popen(
                ['setpriv', '--reuid=bob', '--regid=mail', '--clear-groups',
                 '/usr/bin/python3', '-c', READER, '101'], stdout=subprocess.PIPE)
            self.addCleanup(reader.kill)
            world.wait(lambda: world.mailbox('bob') == b'', 'the reader has had the first mail')
            threads = [threading.Thread(target=many, args=(i,)) for i in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            output, _ = reader.communicate(timeout=60)
            rounds, taken = json.loads(output)
            self.assertEqual(outcomes, [(SENT, '2.0.0')] * 100)
            self.assertGreater(len(rounds), 2)
            self.assertEqual(sorted(taken), sorted(
                ['first\n'] + [f'{i}/{j}\n' * 2000 for i in range(2) for j in range(50)]))
            self.assertEqual(os.listdir('/var/mail'), ['bob'])
            self.assertEqual(os.stat('/var/mail/bob').st_size, 0)

    def test_a_home_mailbox_of_either_kind(self):
        for setting, pattern in ('Maildir/', 'Maildir/new/*'), ('mail', 'mail'):
            with World(roles=['local'], main_cf=f'home_mailbox = {setting}\n'):
                outcome, = deliver(b'X: y\n\nFrom here\n')
                self.assertEqual(verdict(outcome), (SENT, '2.0.0'), outcome)
                path, = pathlib.Path('/home/bob').glob(pattern)
                self.assertEqual(path.owner(), 'bob')
                self.assertEqual(path.read_bytes().count(b'>From here\n'), setting == 'mail')
                self.assertEqual(os.listdir('/var/mail'), [])

    def test_a_killed_delivery_holds_nobody_up(self):
        """The lock file that it leaves says how the mailbox was, and only the user's own does."""
        with World(roles=['local'], main_cf='deliver_lock_attempts = 3\n') as world:
            deliver(b'X: y\n\nfirst\n')
            first = world.mailbox('bob')
            with open('/var/mail/bob', 'ab') as file:
                file.write(b'From ann  Tue Nov\nhal')
            boot = pathlib.Path('/proc/sys/kernel/random/boot_id').read_text('ascii')
            journal = (f'12345 {len(first)} {os.stat("/var/mail/bob").st_ino} '
                       f'{boot.strip().replace("-", "")} unitpost\n')
            with open('/var/mail/bob.lock', 'w', encoding='ascii') as file:
                file.write(f'{journal}From ann  Tue Nov\n')
            os.chown('/var/mail/bob.lock', harness.PEOPLE['bob'], -1)
            outcome, = deliver(b'X: y\n\nsecond\n')
            self.assertEqual(verdict(outcome), (SENT, '2.0.0'))
            self.assertEqual(world.mailbox('bob')[:len(first)], first)
            self.assertEqual([one.split(b'\n\n', 1)[1] for one in split()],
                             [b'first\n', b'second\n'])
            with open('/var/mail/bob.lock', 'w', encoding='ascii') as file:
                file.write('12345')
            start = time.monotonic()
            outcome, = deliver(b'x: y\n')
            self.assertEqual(verdict(outcome), (DEFERRED, '4.2.0'))
            self.assertLess(time.monotonic() - start, 6)

    def test_a_mail_reader_with_fcntl_lock_is_respected(self):
        with World(roles=['local'], main_cf='deliver_lock_attempts = 1\n'):
            deliver(b'x: y\n')
            with open('/var/mail/bob', 'r+b') as file:
                fcntl.lockf(file, fcntl.LOCK_EX)
                outcome, = deliver(b'x: y\n')
                self.assertEqual(verdict(outcome), (DEFERRED, '4.2.0'))
            outcome, = deliver(b'x: y\n')
            self.assertEqual(verdict(outcome), (SENT, '2.0.0'))

    def test_a_user_who_locks_his_mailbox_holds_up_nobody_else(self):
        """However he spells his name: "b"ob, b"\\o"b ... are one destination."""
        spellings = [(letter, f'"{letter}"', f'"\\{letter}"') for letter in 'bob']
        names = [''.join(parts) for parts in itertools.product(*spellings)]
        with World(main_cf='myhostname = mx.example.org\nmydestination = mx.example.org\n'
                           'default_process_limit = 6\n') as world:
            world.send('alice', 'bob', b'Subject: x\n\nfirst\n')
            world.wait(lambda: world.mailbox('bob'), 'the first mail is there')
            with open('/var/mail/bob', 'r+b') as file:
                fcntl.lockf(file, fcntl.LOCK_EX)
                with Peer('/run/unitpost/postdrop', 'postdrop') as peer:
                    peer.send_message('envelope', {
                        'arrival': 0, 'queue-id': '', 'sender': 'bob', 'full-name': '',
                        'envid': '', 'uid': 0, 'flags': 4, 'ret': 0})
                    for name in names:
                        peer.send_message('recipient', {
                            'address': name, 'original': '', 'orcpt': '', 'notify': 0})
                    peer.send_data(b'x\n')
                    peer.send_end()
                    peer.receive_answer()
                world.wait(lambda: world.queue('active'), 'they are tried')
                time.sleep(1)
                world.send('alice', 'carol', b'Subject: x\n\nhello\n')
                world.wait(lambda: world.mailbox('carol'), 'mail for another user', 8)

    def test_a_full_disk_leaves_whole_messages_only(self):
        """XL9"""
        with World(roles=['local']):
            deliver(b'X: y\n\nfirst\n')
            harness.mount('small', '/var/mail', 'tmpfs', 0, 'size=200k,mode=2775,gid=8')
            try:
                outcome, = deliver(b'X: y\n\nfirst\n')
                self.assertEqual(verdict(outcome), (SENT, '2.0.0'))
                outcome, = deliver(b'X: y\n\n' + b'x' * 300000)
                self.assertEqual(verdict(outcome), (DEFERRED, '4.3.0'))
                self.assertEqual(len(split()), 1)
                self.assertTrue(split()[0].endswith(b'first\n'))
            finally:
                harness.umount('/var/mail')

    def test_limits_and_loops(self):
        with World(roles=['local'], main_cf='mailbox_size_limit = 1000\n'):
            outcome, = deliver(b'X: y\n\n' + b'x\n' * 1000)
            self.assertEqual(verdict(outcome), (BOUNCED, '5.2.2'))
            outcome, = deliver(b'X: y\nDelivered-To: bob@example.org\n\n')
            self.assertEqual(verdict(outcome), (BOUNCED, '5.4.6'))
            outcome, = deliver(b'X: y\n', size=1000000)
            self.assertEqual(verdict(outcome), (DEFERRED, '4.3.0'))
            self.assertEqual(split(), [])

    def test_an_unprivileged_stranger_is_not_served(self):
        script = ('import socket\ns = socket.socket(socket.AF_UNIX)\n'
                  's.connect("/run/unitpost/local")\ns.settimeout(5)\nprint(s.recv(100))\n')
        with World(roles=['local']) as world:
            os.chmod('/run/unitpost/local', 0o666)
            done = world.run_as('alice', ['/usr/bin/python3', '-c', script])
            self.assertIn(b"b''", done.stdout + done.stderr)


class Error(unittest.TestCase):
    def test_the_next_hop_is_the_outcome(self):
        cases = {
            '5.1.2 mail for other machines is not set up here':
                ('5.1.2', 'mail for other machines is not set up here'),
            'no code': ('5.0.0', 'no code'),
            '4.1.2 contradiction': ('5.0.0', 'contradiction'),
            '': ('5.0.0', 'mail to this address is not accepted'),
            '5.1.2': ('5.1.2', 'mail to this address is not accepted'),
            '5.1.2 a\nb\x1b': ('5.1.2', 'a?b?'),
        }
        with World(roles=['error']) as world:
            for nexthop, (code, text) in cases.items():
                for outcome in deliver(b'', 'a@x', 'b@y', role='error', nexthop=nexthop):
                    self.assertEqual(verdict(outcome), (BOUNCED, code), nexthop)
                    self.assertEqual(outcome['text'], text)
                    self.assertEqual(outcome['relay'], 'none')
            world.wait_for_entry(MESSAGE=': to=<a@x>, relay=none, .* dsn=5.1.2, status=bounced '
                                         r'\(mail for other machines is not set up here\)$')


class Showq(unittest.TestCase):
    MAIN_CF = 'myhostname = mx.example.org\nmydestination = mx.example.org\n' \
              'local_transport = nowhere:\n'

    def listing(self, world, *arguments, user='alice', tool='postqueue', status=0):
        done = world.run_as(user, [world.tool(tool), *arguments])
        self.assertEqual(done.returncode, status, done)
        return done.stdout.decode() if status == 0 else done.stderr.decode()

    def wait_for_deferred(self, world, n):
        until = time.monotonic() + 30
        while len(world.queue('deferred')) < n:
            self.assertLess(time.monotonic(), until, world.journal(PRIORITY='[0-6]')[-5:])
            time.sleep(0.05)

    def test_an_empty_queue(self):
        with World() as world:
            self.assertEqual(self.listing(world, '-p'), 'Mail queue is empty\n')
            self.assertEqual(self.listing(world, '-j'), '')

    def test_what_waits_is_listed_in_both_forms(self):
        with World(main_cf=self.MAIN_CF) as world:
            for recipient in ('bob', 'carol'):
                world.send('alice', recipient, b'Subject: x\n\nbody\n')
            self.wait_for_deferred(world, 2)
            lines = self.listing(world, '-p').splitlines()
            self.assertRegex(lines[0], '^-Queue ID- +--Size-- ----Arrival Time---- '
                                       '-Sender/Recipient-------$')
            self.assertRegex(lines[1], r'^[0-9A-F]{20} +\d+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d  '
                                       r'alice@mx\.example\.org$')
            self.assertRegex(lines[2], r'^ *\(.+\)$')
            self.assertRegex(lines[3], r'^ +bob@mx\.example\.org$')
            self.assertRegex(lines[-1], r'^-- \d+ Kbytes in 2 Requests\.$')
            objects = [json.loads(line) for line in self.listing(world, '-j').splitlines()]
            self.assertEqual([one['recipients'][0]['address'] for one in objects],
                             ['bob@mx.example.org', 'carol@mx.example.org'])
            self.assertEqual(list(objects[0]), ['queue_name', 'queue_id', 'arrival_time',
                                                'message_size', 'forced_expire', 'sender',
                                                'recipients'])
            self.assertEqual(objects[0]['queue_name'], 'deferred')
            self.assertIn('delay_reason', objects[0]['recipients'][0])
            self.assertEqual(objects[0]['queue_id'], lines[1].split()[0])

    def test_mailq_is_postqueue_p(self):
        with World(main_cf=self.MAIN_CF) as world:
            world.send('alice', 'bob', b'Subject: x\n\nbody\n')
            self.wait_for_deferred(world, 1)
            os.symlink(world.tool('postqueue'), '/run/mailq')
            done = world.run_as('bob', ['/run/mailq'])
            self.assertEqual(done.stdout.decode(), self.listing(world, '-p'))
            self.assertEqual(world.run_as('bob', ['/run/mailq', '-x']).returncode, 64)

    def test_flush_makes_deferred_mail_be_tried(self):
        with World(main_cf=self.MAIN_CF) as world:
            world.send('alice', 'bob', b'Subject: x\n\nbody\n')
            self.wait_for_deferred(world, 1)
            world.stop()
            world.write_main_cf(self.MAIN_CF.replace('nowhere:', 'local:'))
            world.start()
            identifier = json.loads(self.listing(world, '-j'))['queue_id']
            self.assertEqual(self.listing(world, '-i', identifier), '')
            world.wait_for_entry(MESSAGE=f'^{identifier}: to=<bob@.*status=sent')

            world.stop()
            world.write_main_cf(self.MAIN_CF)
            world.start()
            world.send('alice', 'bob', b'Subject: x\n\nbody\n')
            self.wait_for_deferred(world, 1)
            world.stop()
            world.write_main_cf(self.MAIN_CF.replace('nowhere:', 'local:'))
            world.start()
            self.assertEqual(self.listing(world, '-f'), '')
            world.wait_for_entry(MESSAGE='to=<bob@.*status=sent', n=2)

    def test_who_may_do_what(self):
        main_cf = self.MAIN_CF + 'authorized_mailq_users = !bob, static:all\n' \
                                 'authorized_flush_users = root\n'
        with World(main_cf=main_cf) as world:
            self.listing(world, '-p', user='alice')
            self.assertIn('may not see', self.listing(world, '-p', user='bob', status=77))
            self.assertIn('may not flush', self.listing(world, '-f', user='alice', status=77))
            self.listing(world, '-p', user='root')

    def test_options(self):
        with World(roles=['showq']) as world:
            for arguments, status in ((['-s', 'example.org'], 69), (['-c', '/tmp', '-p'], 69),
                                      (['-c', '/etc/unitpost', '-p'], 0), (['-v', '-p'], 0),
                                      ([], 64), (['-p', '-f'], 64), (['-p', 'x'], 64),
                                      (['-x'], 64), (['-i', 'short'], 64)):
                done = world.run_as('alice', [world.tool('postqueue'), *arguments])
                self.assertEqual(done.returncode, status, (arguments, done))

    def test_without_the_service_one_clear_line(self):
        with World(roles=['error']) as world:
            for user in ('alice', 'root'):
                text = self.listing(world, '-p', user=user, status=69)
                self.assertEqual(len(text.splitlines()), 1)
                self.assertIn('mail system is down', text)

    def test_a_reader_that_stops_reading_is_no_error(self):
        with World(main_cf=self.MAIN_CF) as world:
            for _ in range(3):
                world.send('alice', 'bob', b'Subject: x\n\nbody\n')
            self.wait_for_deferred(world, 3)
            read, write = os.pipe()
            os.close(read)
            done = subprocess.run([world.tool('postqueue'), '-p'], stdout=write, check=False,
                                  stderr=subprocess.PIPE, timeout=30)
            os.close(write)
            self.assertEqual((done.returncode, done.stderr), (0, b''))

    def test_a_client_that_reads_nothing_does_not_stop_the_others(self):
        with World(main_cf=self.MAIN_CF) as world:
            world.send('alice', 'bob', b'Subject: x\n\nbody\n')
            self.wait_for_deferred(world, 1)
            slow = [Peer('/run/unitpost/showq', 'showq') for _ in range(5)]
            for peer in slow:
                peer.send_message('showq-request', {'verb': 'list', 'queue-id': ''})
            self.assertIn('1 Request', self.listing(world, '-p'))
            for peer in slow:
                peer.close()

    def test_a_request_that_never_ends_is_not_waited_for(self):
        with World(roles=['showq']), Peer('/run/unitpost/showq', 'showq', 20) as peer:
            peer.send_raw(b'M')
            start = time.monotonic()
            with self.assertRaises(EOFError):
                peer.receive()
            self.assertLess(time.monotonic() - start, 15)


if __name__ == '__main__':
    unittest.main(verbosity=2)
