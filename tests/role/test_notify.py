"""The desktop is told of new mail: unitpost-notify on a bus of its own, with somebody there who
shows notifications (probe-notifications.c). What is read, deleted or marked is not told again."""

import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import harness

NOTIFY = os.path.join(harness.PROGRAMS, 'notify')
MBOX = '/var/mail/alice'
MAILDIR = '/home/alice/Maildir/'
STATE = '/home/alice/.local/state/unitpost/notify'
DESKTOP = os.environ.get('UNITPOST_NOTIFICATIONS', '')

MESSAGE = '''From {sender}  Tue Nov 24 22:00:51 2026
Received: by here; {number}
Message-ID: <{number}@example.com>
From: {sender} <{sender}@example.com>
Subject: subject {number}

text {number}

'''


def message(number, sender='bob'):
    return MESSAGE.format(number=number, sender=sender)


class Bus:
    """A session bus of alice's, and what was shown to her."""

    def __init__(self, world):
        self.world = world
        self.address = 'unix:path=/run/bus-of-alice/bus'
        os.makedirs('/run/bus-of-alice', exist_ok=True)
        os.chown('/run/bus-of-alice', harness.PEOPLE['alice'], harness.PEOPLE['alice'])
        self.daemon = self._start(['dbus-daemon', '--session', '--nofork', '--print-address',
                                   f'--address={self.address}'])
        self.daemon.stdout.readline()
        self.desktop = None
        self.lines = []

    def _start(self, command):
        uid = harness.PEOPLE['alice']
        return subprocess.Popen(command, user=uid, group=uid, extra_groups=[], text=True,
                                stdout=subprocess.PIPE, cwd='/', env=self.environment())

    def environment(self):
        return {'DBUS_SESSION_BUS_ADDRESS': self.address, 'HOME': '/home/alice',
                'PATH': '/usr/bin:/bin'}

    def start_desktop(self):
        self.desktop = self._start([DESKTOP])
        assert self.desktop.stdout.readline() == 'ready\n'
        threading.Thread(target=self._read, args=(self.desktop,), daemon=True).start()

    def _read(self, desktop):
        for line in desktop.stdout:
            self.lines.append(line.rstrip('\n').split('|'))

    def shown(self):
        """(summary, body) of each notification so far. Notify has been answered: the line is on
        its way at most."""
        time.sleep(0.1)
        return [(summary, body) for _, _, summary, body in self.lines]

    def stop(self):
        for process in (self.desktop, self.daemon):
            if process:
                process.terminate()
                process.wait(10)
                process.stdout.close()


class Notify(unittest.TestCase):
    roles = ['none']

    def setUp(self):
        self.world = self.enterContext(harness.World(roles=self.roles))
        self.bus = Bus(self.world)
        self.addCleanup(self.bus.stop)

    if sys.version_info < (3, 11):
        def enterContext(self, context):
            value = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return value

    def write(self, text, mode='w'):
        data = text.encode() if isinstance(text, str) else text
        with open(MBOX, mode + 'b') as file:
            file.write(data)
        os.chown(MBOX, harness.PEOPLE['alice'], 8)

    def notify(self, status=0, environment=None):
        """One run as alice; what it showed."""
        n_before = len(self.bus.lines)
        done = self.world.run_as('alice', [NOTIFY, MBOX, MAILDIR],
                                 env=environment or self.bus.environment())
        self.assertEqual(done.returncode, status, done.stderr)
        self.errors = done.stderr.decode()
        return self.bus.shown()[n_before:]

    def test_old_mail_is_not_news_and_new_mail_is_told_once(self):
        self.bus.start_desktop()
        self.write(message(1))
        self.assertEqual(self.notify(), [])
        self.write(message(2), 'a')
        self.assertEqual(self.notify(), [('New message', 'bob: subject 2')])
        self.assertEqual(self.notify(), [])
        self.assertEqual(os.stat(STATE).st_mode & 0o777, 0o600)

    def test_the_first_mail_of_all(self):
        self.bus.start_desktop()
        self.assertEqual(self.notify(), [])
        self.write(message(1))
        self.assertEqual(self.notify(), [('New message', 'bob: subject 1')])

    def test_several_are_one_notification(self):
        self.bus.start_desktop()
        self.notify()
        self.write(''.join(message(number) for number in range(1, 8)))
        newest = [f'bob: subject {number}' for number in (7, 6, 5, 4, 3)]
        self.assertEqual(self.notify(), [('7 new messages', '\\x0a'.join(newest))])

    def test_what_a_mail_reader_does_is_not_news(self):
        self.bus.start_desktop()
        self.notify()
        everything = ''.join(message(number) for number in range(1, 4))
        self.write(everything)
        self.assertEqual(len(self.notify()), 1)
        self.write(everything.replace('\n\n', '\nStatus: RO\n\n'))
        self.assertEqual(self.notify(), [])
        self.write(message(1) + message(3))
        self.assertEqual(self.notify(), [])
        self.write('')
        self.assertEqual(self.notify(), [])
        self.write(message(4))
        self.assertEqual(self.notify(), [('New message', 'bob: subject 4')])

    def test_a_maildir_beside_the_mailbox(self):
        self.bus.start_desktop()
        self.notify()
        os.makedirs(MAILDIR + 'new')
        for name in ('1.a', '2.b'):
            with open(f'{MAILDIR}new/{name}', 'w', encoding='ascii') as file:
                file.write(f'From: "C. {name}" <c@d>\nSubject: in {name}\n\nx\n')
        self.write(message(1))
        self.assertEqual(self.notify(), [(
            '3 new messages',
            'C. 2.b: in 2.b\\x0aC. 1.a: in 1.a\\x0abob: subject 1')])
        os.remove(f'{MAILDIR}new/1.a')
        self.assertEqual(self.notify(), [])

    def test_with_nobody_there_it_is_told_later(self):
        self.notify()
        self.write(message(1))
        self.assertEqual(self.notify(), [])
        self.assertEqual(self.errors, '')
        nowhere = self.bus.environment() | {'DBUS_SESSION_BUS_ADDRESS': 'unix:path=/nowhere'}
        self.assertEqual(self.notify(environment=nowhere), [])
        self.assertEqual(self.errors, '')
        self.bus.start_desktop()
        self.assertEqual(self.notify(), [('New message', 'bob: subject 1')])

    def test_hostile_headers(self):
        self.bus.start_desktop()
        self.notify()
        self.write(b'From x  y\nFrom: =?utf-8?Q?=3Cb=3E=00=1B=5Bm?= <a@b>\nSubject: a\r\n'
                   b' \xff<img src="x">&amp; \xe2\x80\xaee\n\n')
        self.assertEqual(self.notify(), [(
            'New message',
            '&lt;b&gt; [m: a \ufffd&lt;img src=&quot;x&quot;&gt;&amp;amp; e')])
        self.write(b'From x  y\nSubject: ' + 10 * (1 << 20) * b'a' + b'\nX: y\n\n', 'a')
        started = time.monotonic()
        self.assertEqual(self.notify()[0][1][:29], '(unknown sender): aaaaaaaaaaa')
        self.assertLess(time.monotonic() - started, 4)
        self.write(b'From x  y\n' + (1 << 20) * b'X: y\n z\n' + b'\n', 'a')
        self.assertEqual(self.notify(), [('New message', '(unknown sender): (no subject)')])

    def test_what_is_no_mailbox(self):
        self.bus.start_desktop()
        self.notify()
        for make in (lambda: os.mkfifo(MBOX), lambda: os.symlink('/etc/passwd', MBOX),
                     lambda: os.mkdir(MBOX)):
            make()
            os.chown(MBOX, harness.PEOPLE['alice'], 8, follow_symlinks=False)
            started = time.monotonic()
            self.assertEqual(self.notify(status=1), [])
            self.assertIn('not a mailbox', self.errors)
            self.assertLess(time.monotonic() - started, 2)
            os.rmdir(MBOX) if os.path.isdir(MBOX) else os.remove(MBOX)
        self.write((8 << 20) * b'\0' + b'\n\nnot From here\n' + b'From: x\n\n')
        self.assertEqual(self.notify(), [])
        self.write(b'\n' + message(1).encode(), 'a')
        self.assertEqual(self.notify(), [('New message', 'bob: subject 1')])

    def test_a_message_that_is_being_written_waits(self):
        self.bus.start_desktop()
        self.notify()
        text = message(1)
        self.write(text[:text.index('Subject')])
        self.assertEqual(self.notify(), [])
        self.write(text[text.index('Subject'):], 'a')
        self.assertEqual(self.notify(), [('New message', 'bob: subject 1')])

    def test_a_state_that_is_damaged_or_cannot_be_written(self):
        self.bus.start_desktop()
        self.notify()
        self.write(message(1))
        self.notify()
        with open(STATE, 'w', encoding='ascii') as file:
            file.write('unitpost-notify 1\nmailbox ')
        self.assertEqual(self.notify(), [])
        self.write(message(2), 'a')
        self.assertEqual(self.notify(), [('New message', 'bob: subject 2')])
        os.chmod(os.path.dirname(STATE), 0o500)
        self.write(message(3), 'a')
        self.assertIn(('New message', 'bob: subject 3'), self.notify(status=1))
        self.assertIn('cannot remember', self.errors)


class Delivered(Notify):
    roles = ['postdrop', 'pickup', 'cleanup', 'qmgr', 'local']

    def test_mail_that_unitpost_delivered(self):
        self.bus.start_desktop()
        self.notify()
        self.world.send('bob', 'alice', b'Subject: hi\n\nhello\n')
        self.world.wait_for_entry(MESSAGE='status=sent')
        self.assertEqual([(summary, body.rpartition(': ')[2]) for summary, body in self.notify()],
                         [('New message', 'hi')])


# Its cases are those of Notify already.
for name in [name for name in dir(Notify) if name.startswith('test')]:
    setattr(Delivered, name, None)


if __name__ == '__main__':
    unittest.main(verbosity=2)
