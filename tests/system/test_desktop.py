"""A desktop: new mail is told on the user's bus, and failed units are told to root by mail."""

import re
import time

import case
import machine
import tree

FAKE = '/usr/local/bin/fake-desktop'

FAILING = '''[Unit]
StartLimitIntervalSec=0
OnFailure=unitpost-failure@%n.service

[Service]
Type=oneshot
ExecStart=sh -c 'echo "the last words of {name}, grüße"; exit 3'
'''

RESTARTED = '''[Unit]
OnFailure=unitpost-failure@%n.service
StartLimitBurst=3
StartLimitIntervalSec=1min

[Service]
Restart=on-failure
RestartSec=2
ExecStart=false
'''

EVERY_SERVICE = '''[Unit]
OnFailure=unitpost-failure@%n.service
'''


def count_starts(bed, pattern):
    """How often PID 1 started units that match."""
    entries = bed.journal(f'MESSAGE_ID={machine.MESSAGE_UNIT_STARTING}', '_PID=1')
    return sum(bool(re.fullmatch(pattern, entry.get('UNIT', ''))) for entry in entries)


class Notify(case.Case):
    """alice has a bus of her own, and somebody on it who shows notifications."""

    @classmethod
    def prepare(cls, booting):
        booting.write('/usr/local/src/fake.c',
                      (tree.CHECKOUT / 'tests/role/probe-notifications.c').read_text())
        booting.write('/var/lib/systemd/linger/alice', '')  # has a service manager from the boot on
        booting.chroot(f'gcc -o {FAKE} /usr/local/src/fake.c $(pkg-config --libs libsystemd)')

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        machine.wait_for(lambda: cls.as_alice('systemctl --user is-system-running', check=False)
                         .strip() in ('running', 'degraded'), 60, "alice's service manager")

    @classmethod
    def as_alice(cls, command, check=True):
        uid = cls.machine.run('id -u alice').strip()
        return cls.machine.run(f'export XDG_RUNTIME_DIR=/run/user/{uid}; {command}', user='alice',
                               check=check)

    def shown(self):
        """What was shown to alice, a line for each notification."""
        return self.as_alice('cat ~/shown').splitlines()

    def wait_until_quiet(self):
        machine.wait_for(
            lambda: self.as_alice('systemctl --user is-active unitpost-notify.service',
                                  check=False).strip() == 'inactive', 30, 'end of the service')

    def test_a_mail_is_told_once(self):
        self.machine.send('bob', 'alice', 'before', subject='from before')
        self.machine.wait_for_mail('alice', 1)
        state = self.as_alice('systemctl --user is-enabled unitpost-notify.path', check=False)
        self.assertEqual(state.strip(), 'disabled')

        self.as_alice('systemctl --user enable --now unitpost-notify.path')
        self.wait_until_quiet()
        self.as_alice(f'systemd-run --user --quiet --unit=fake sh -c "{FAKE} > ~/shown"')
        machine.wait_for(lambda: self.shown() == ['ready'], 30, 'the fake desktop')

        self.machine.send('bob', 'alice', 'text', subject='grüße & <b>more</b>')
        started = time.monotonic()
        machine.wait_for(lambda: len(self.shown()) > 1, 30, 'a notification')
        self.figure(f'{time.monotonic() - started:.2f} s from sendmail to the notification')
        self.wait_until_quiet()
        self.assertEqual(len(self.shown()), 2)
        self.assertRegex(self.shown()[1], r'^mail-unread\|0\|New message\|bob[^|]*: '
                                          r'grüße &amp; &lt;b&gt;more&lt;/b&gt;$')

        # a mail reader marks all as read
        self.machine.run(r"sed -i 's/^Message-I[dD]:/Status: RO\n&/' /var/mail/alice; "
                         'chown alice:mail /var/mail/alice')
        time.sleep(3)
        self.wait_until_quiet()
        self.assertEqual(len(self.shown()), 2)

        # the other kind of mailbox, delivered as a mail filter would
        self.as_alice('mkdir -p ~/Maildir/new ~/Maildir/tmp ~/Maildir/cur; '
                      'printf "From: Carol <carol@example.com>\nSubject: one\n\nx\n" '
                      '> ~/Maildir/tmp/1.a; mv ~/Maildir/tmp/1.a ~/Maildir/new/1.a')
        machine.wait_for(lambda: len(self.shown()) > 2, 30, 'a notification of a Maildir')
        self.assertEqual(self.shown()[2], 'mail-unread|0|New message|Carol: one')

        # a burst: nothing is lost, and it is not a notification for each
        for number in range(30):
            self.machine.send('bob', 'alice', 'text', subject=f'burst {number}')
        self.machine.wait_for_mail('alice', 32)
        machine.wait_for(lambda: any('burst 29' in line for line in self.shown()), 30, 'the burst')
        self.wait_until_quiet()
        counts = [1 if 'New message' in line else int(re.search(r'\|(\d+) new', line)[1])
                  for line in self.shown()[3:]]
        self.figure(f'30 mails in a burst: {counts}')
        self.assertEqual(sum(counts), 30)
        self.assertLess(len(counts), 15)
        failed = self.as_alice('systemctl --user --failed --plain --no-legend')
        self.assertEqual(failed.strip(), '')
        self.assertEqual(self.as_alice('ls -A ~/.local/state/unitpost').split(), ['notify'])


class Failure(case.Case):
    @classmethod
    def prepare(cls, booting):
        for name in ('one', 'two', 'three', 'weird\\x2dname:x'):
            booting.write(f'/etc/systemd/system/{name}.service', FAILING.format(name=name))
            plain = FAILING.format(name=name).replace('OnFailure=unitpost-failure@%n.service', '')
            booting.write(f'/etc/systemd/system/plain-{name}.service', plain)

    def setUp(self):
        self.machine.run('rm -f /var/mail/root')

    def start_failing(self, unit):
        self.machine.run(['systemctl', 'start', unit], check=False)

    def wait_until_reported(self):
        machine.wait_for(
            lambda: not self.machine.run('systemctl list-units --plain --no-legend '
                                         '--state=activating "unitpost-failure@*"').strip(),
            30, 'end of the reports')

    def test_a_failed_unit_is_one_mail(self):
        self.start_failing('one.service')
        mails = self.machine.wait_for_mail('root', 1)
        self.wait_until_reported()
        self.machine.wait_until_idle(60)
        mails = self.machine.mailbox('root')
        self.assertEqual(len(mails), 1)
        mail = mails[0]
        self.figure('\n' + mail.as_string())
        self.assertEqual(mail['Subject'], f'one.service failed on {self.machine.name}')
        self.assertEqual(mail['Auto-Submitted'], 'auto-generated')
        self.assertEqual(mail['Return-Path'], '<>')
        self.assertIn('root', mail['To'])
        self.assertIn('root', mail['From'])
        text = mail.get_payload(decode=True).decode()
        self.assertIn('Active: failed (Result: exit-code)', text)
        self.assertIn('status=3', text)
        self.assertIn('the last words of one, grüße', text)
        self.assertEqual(self.machine.failed_units(), ['one.service'])

    def test_names_are_only_names(self):
        self.start_failing('weird\\x2dname:x.service')
        mail = self.machine.wait_for_mail('root', 1)[0]
        self.assertIn('weird\\x2dname:x.service failed on', mail['Subject'])
        self.assertIn('last words of weird', mail.get_payload(decode=True).decode())
        program = '/usr/lib/unitpost/failure'
        for name in ('', 'a b', '$(reboot)', '*.service', '`x`', 'a\nBcc: x', "'"):
            status, text = self.machine.status_of([program, name])
            self.assertEqual(status, 64, name)
            self.assertIn('is not the name of a unit', text)
        self.assertEqual(self.machine.status_of([program, 'unitpost-failure@x.service']), (0, ''))
        self.machine.run([program, '-.mount'])
        mail = self.machine.wait_for_mail('root', 2)[1]
        self.assertIn('-.mount failed on', mail['Subject'])
        self.assertIn('Where: /', mail.get_payload(decode=True).decode())
        self.assertEqual(len(self.machine.mailbox('root')), 2)

    def test_for_every_service(self):
        self.machine.write('/etc/systemd/system/service.d/50-unitpost-failure.conf', EVERY_SERVICE)
        self.machine.run('systemctl daemon-reload')
        try:
            for name in ('one', 'two', 'three'):
                self.start_failing(f'plain-{name}.service')
            subjects = sorted(mail['Subject'].split()[0]
                              for mail in self.machine.wait_for_mail('root', 3))
            self.assertEqual(subjects, ['plain-one.service', 'plain-three.service',
                                        'plain-two.service'])
            loaded = self.machine.run(
                ['systemctl', 'show', '--value', '--property=OnFailure',
                 'unitpost-failure@plain-one.service.service'])
            self.assertEqual(loaded.strip(), '')
            loaded = self.machine.run('systemctl show --value --property=OnFailure cron.service')
            self.assertEqual(loaded.strip(), 'unitpost-failure@cron.service.service')
            self.check_own_failure()
            self.check_own_services()
        finally:
            self.machine.run('rm -r /etc/systemd/system/service.d; systemctl daemon-reload')

    def check_own_failure(self):
        """sendmail is broken, and then the failure service itself."""
        n_mails = len(self.machine.mailbox('root'))
        before = count_starts(self.machine, r'unitpost-failure@.*')
        self.machine.run('mv /usr/sbin/sendmail /usr/sbin/sendmail.away')
        try:
            self.start_failing('plain-two.service')
            time.sleep(3)
            self.wait_until_reported()
        finally:
            self.machine.run('mv /usr/sbin/sendmail.away /usr/sbin/sendmail')
        self.assertEqual(count_starts(self.machine, r'unitpost-failure@.*') - before, 1)

        drop_in = '/etc/systemd/system/unitpost-failure@.service.d/broken.conf'
        self.machine.write(drop_in, '[Service]\nExecStart=\nExecStart=false\n')
        self.machine.run('systemctl daemon-reload')
        try:
            self.start_failing('plain-three.service')
            time.sleep(5)
            self.assertIn('unitpost-failure@plain-three.service.service',
                          self.machine.failed_units())
        finally:
            self.machine.run(f'rm {drop_in}; systemctl daemon-reload; systemctl reset-failed')
        self.assertEqual(count_starts(self.machine, r'unitpost-failure@.*') - before, 2)
        self.assertEqual(count_starts(self.machine, r'unitpost-failure@unitpost-failure.*'), 0)
        self.assertEqual(len(self.machine.mailbox('root')), n_mails)

    def check_own_services(self):
        """unitpost's own services fail, and are started again, without a report for each time."""
        before = count_starts(self.machine, r'unitpost-failure@.*')
        n_mails = len(self.machine.mailbox('root'))
        starts_before = count_starts(self.machine, r'unitpost-local\.service')
        self.machine.run('mv /usr/lib/unitpost/local /usr/lib/unitpost/local.away; '
                         'systemctl stop unitpost-local.service')
        try:
            self.machine.send('alice', 'bob', 'waits')
            time.sleep(10)
            n_failures = count_starts(self.machine, r'unitpost-local\.service') - starts_before
            n_reports = count_starts(self.machine, r'unitpost-failure@.*') - before
            self.figure(f'{n_failures} starts of a broken local, {n_reports} of the report')
            self.assertGreater(n_failures, 3)
            self.assertLessEqual(n_reports, 2)
            self.assertEqual(len(self.machine.mailbox('root')), n_mails)
        finally:
            self.machine.run('mv /usr/lib/unitpost/local.away /usr/lib/unitpost/local')
        self.machine.wait_for_mail('bob', 1)

    def test_a_unit_that_fails_again_and_again_is_twenty_mails(self):
        for _ in range(25):
            self.start_failing('two.service')
            self.wait_until_reported()
        self.machine.wait_for_mail('root', 20)
        self.machine.wait_until_idle(60)
        self.assertEqual(len(self.machine.mailbox('root')), 20)
        self.machine.run('systemctl reset-failed')

    def test_a_unit_that_is_restarted_is_one_mail_when_it_has_failed_for_good(self):
        self.machine.write('/etc/systemd/system/again.service', RESTARTED)
        self.machine.run('systemctl daemon-reload; systemctl start --no-block again.service')
        mail = self.machine.wait_for_mail('root', 1)[0]
        self.assertIn('again.service failed on', mail['Subject'])
        self.machine.wait_until_idle(60)
        self.assertEqual(len(self.machine.mailbox('root')), 1)
        self.assertIn('Start request repeated too quickly',
                      mail.get_payload(decode=True).decode())


if __name__ == '__main__':
    case.main()
