"""Every message of the corpus arrives byte for byte in an mbox and in a Maildir, split by readers
that are not ours."""

import pathlib
import re
import tempfile
import unittest

import case
import corpus
import machine

CONFIG = 'max_idle = 3s\n'


class Checker(unittest.TestCase):
    """The check finds what it is for: no machine in these."""

    def setUp(self):
        self.sent = dict(corpus.bodies(big=100_000))

    def mbox(self, change=lambda name, text: text):
        """An mbox of the corpus in which CHANGE(name, text) stands for each message's text."""
        parts = []
        for name, body in self.sent.items():
            text = corpus.quote_mboxo(corpus.message(name, body))
            text = text if text.endswith(b'\n') else text + b'\n'
            parts.append(b'From alice Tue Nov 24 12:00:00 2026\n' + change(name, text) + b'\n')
        return b''.join(parts)

    def changed(self, wanted, change):
        return corpus.check_mbox(
            self.mbox(lambda name, text: change(text) if name == wanted else text), self.sent)

    def test_a_good_mbox_has_no_problems(self):
        self.assertEqual(corpus.check_mbox(self.mbox(), self.sent), [])

    def test_what_is_wrong_is_found(self):
        for name, change in (
                ('plain', lambda text: text[:-1] + b' \n'),
                ('dots', lambda text: text.replace(b'\n..\n', b'\n.\n')),
                ('dot-at-the-end', lambda text: text[:-2]),
                ('from-lines', lambda text: text.replace(b'>From here', b'From here')),
                ('quoted-from-lines', lambda text: text.replace(b'\n>From here', b'\nFrom here')),
                ('quoted-from-lines', lambda text: text.replace(b'\n>>From', b'\n>>>From')),
                ('line-999', lambda text: text.replace(b'y' * 999, b'y' * 990 + b'\n' + b'y' * 9)),
                ('utf-8', lambda text: text.replace(b'\xc3\xbc', b'?')),
                ('plain', lambda text: text.replace(b'\nTo: someone', b'\nTo: Someone')),
                ('empty', lambda text: text.replace(b'\nSubject:', b'\nX-New: x\nSubject:')),
                ('empty', lambda text: text + b'\n'),
                ('empty-lines-at-the-end', lambda text: text[:-1]),
                ('no-final-newline', lambda text: text[:-1]),
                ('trailing-blanks', lambda text: text.replace(b'text  \n', b'text\n')),
                ('big', lambda text: text[:50_000])):
            self.assertNotEqual(self.changed(name, change), [], name)

    def test_one_too_few_and_one_too_many(self):
        box = self.mbox()
        end = box.index(b'\nFrom alice', 1) + 1
        self.assertEqual(corpus.check_mbox(box[end:], self.sent), ['plain: arrived 0 times'])
        self.assertEqual(corpus.check_mbox(box + box[:end], self.sent), ['plain: arrived 2 times'])

    def test_a_maildir(self):
        with tempfile.TemporaryDirectory() as top:
            for name in ('cur', 'new', 'tmp'):
                pathlib.Path(top, name).mkdir()
            for number, (name, body) in enumerate(self.sent.items()):
                text = corpus.message(name, body)
                text = text if text.endswith(b'\n') else text + b'\n'
                pathlib.Path(top, 'new', f'{number}.host').write_bytes(text)
            self.assertEqual(corpus.check_maildir(top, self.sent), [])
            pathlib.Path(top, 'new', '0.host').write_bytes(corpus.message('plain', b'other\n'))
            pathlib.Path(top, 'tmp', 'left').touch()
            self.assertEqual(len(corpus.check_maildir(top, self.sent)), 2)


class Corpus(case.Case):
    config = CONFIG

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sent = dict(corpus.bodies())
        directory = cls.machine.path('/srv/corpus')
        directory.mkdir()
        for name, body in cls.sent.items():
            (directory / name).write_bytes(corpus.message(name, body))
        cls.machine.run('chmod -R a+rX /srv/corpus')

    def send_all(self, recipient):
        self.machine.run(f'cd /srv/corpus; for f in *; do /usr/sbin/sendmail -i {recipient} < $f '
                         '|| exit; done', user='alice', timeout=120)

    def test_mbox(self):
        self.send_all('bob')
        machine.wait_for(lambda: len(self.machine.mailbox('bob')) >= len(self.sent), 60,
                         'the corpus')
        self.machine.wait_until_idle()
        data = self.machine.path('/var/mail/bob').read_bytes()
        self.figure(f'{len(self.sent)} messages, {len(data)} bytes')
        self.assertEqual(corpus.check_mbox(data, self.sent), [])
        senders = re.findall(rb'(?m)^From (\S+)', data)
        self.assertEqual(set(senders), {f'alice@{self.machine.name}.localdomain'.encode()})

    def test_maildir(self):
        self.machine.write('/etc/unitpost/main.cf', CONFIG + 'home_mailbox = Maildir/\n')
        self.machine.run("systemctl stop 'unitpost-*.service'")
        self.addCleanup(self.machine.write, '/etc/unitpost/main.cf', CONFIG)
        self.send_all('alice')
        new = self.machine.path('/home/alice/Maildir/new')
        machine.wait_for(lambda: new.is_dir() and len(list(new.iterdir())) >= len(self.sent), 60,
                         'the corpus')
        self.machine.wait_until_idle()
        self.assertEqual(corpus.check_maildir(new.parent, self.sent), [])
        self.assertEqual(self.machine.run('find Maildir/new -type f -printf "%u %m\\n" | sort -u',
                                          user='alice'), 'alice 600\n')


if __name__ == '__main__':
    case.main()
