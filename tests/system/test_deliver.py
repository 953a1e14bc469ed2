"""One mail, from everywhere on a machine where programs write mail, into /var/mail/USER."""

import re

import case
import machine

CRONTAB = '''MAILTO=alice
* * * * * bob echo cron-says-hello
'''

# A unit as sandboxed as systemd can make it; no set-gid sendmail has ever worked from one.
SANDBOX = ('DynamicUser=yes', 'NoNewPrivileges=yes', 'PrivateUsers=yes', 'ProtectSystem=strict')


class Deliver(case.Case):
    @classmethod
    def prepare(cls, booting):
        booting.write('/etc/cron.d/hello', CRONTAB)
        booting.chroot('useradd carol; useradd dave; useradd erin; useradd frank')

    def send_from_unit(self, recipient, *properties):
        """Exit status and output of sendmail in a transient unit."""
        words = ['systemd-run', '--quiet', '--wait', '--pipe',
                 *(f'--property={text}' for text in properties),
                 'sh', '-c',
                 f'printf "Subject: unit\\n\\nhello\\n" | /usr/sbin/sendmail {recipient}']
        return self.machine.status_of(words)

    def test_an_empty_etc_is_enough(self):
        self.assertFalse(self.machine.path('/etc/unitpost').exists())
        self.assertFalse(self.machine.path('/etc/mailname').exists())
        self.assertFalse(self.machine.path('/etc/aliases').exists())

    def test_from_a_users_shell(self):
        self.machine.send('alice', 'carol', 'from a shell', subject='shell')
        mail = self.machine.wait_for_mail('carol', 1)[0]
        self.assertEqual(mail['Subject'], 'shell')
        self.assertEqual(mail.get_payload(), 'from a shell\n')
        self.assertTrue(mail['From'].startswith('alice@'))
        for name in ('Date', 'Message-Id', 'Received', 'Return-Path', 'Delivered-To'):
            self.assertIsNotNone(mail[name], name)

    def test_the_mailbox_belongs_to_its_user(self):
        self.machine.send('alice', 'bob', 'mine')
        self.machine.wait_for_mail('bob', 1)
        self.assertEqual(self.machine.run('stat -c "%U:%G %a" /var/mail/bob').strip(),
                         'bob:mail 600')

    def test_from_debians_cron(self):
        def is_cron(mails):
            return [mail for mail in mails if 'cron-says-hello' in mail.get_payload()]

        machine.wait_for(lambda: is_cron(self.machine.mailbox('alice')), 90, 'mail of cron')
        mail = is_cron(self.machine.mailbox('alice'))[0]
        self.assertIn('Cron', mail['Subject'])
        self.assertIn('CronDaemon', mail['From'].replace(' ', ''))

    def test_from_a_sandboxed_unit(self):
        self.assertEqual(self.send_from_unit('dave', *SANDBOX), (0, ''))
        self.assertEqual(len(self.machine.wait_for_mail('dave', 1)), 1)

    def test_from_a_sandboxed_unit_without_network(self):
        self.assertEqual(self.send_from_unit('erin', *SANDBOX, 'PrivateNetwork=yes',
                                             'ProtectHome=yes', 'PrivateDevices=yes',
                                             'CapabilityBoundingSet='), (0, ''))
        self.assertEqual(len(self.machine.wait_for_mail('erin', 1)), 1)

    def test_a_unit_without_unix_sockets_gets_75_and_a_reason(self):
        status, text = self.send_from_unit('erin', *SANDBOX, 'RestrictAddressFamilies=AF_INET')
        self.figure(text.strip())
        self.assertEqual(status, 75)
        self.assertRegex(text, r'^unitpost/sendmail: .*/run/unitpost/postdrop')

    def test_a_unit_without_run_gets_75_and_a_reason(self):
        status, text = self.send_from_unit('erin', *SANDBOX, 'InaccessiblePaths=/run/unitpost')
        self.figure(text.strip())
        self.assertEqual(status, 75)
        self.assertRegex(text, r'^unitpost/sendmail: .*/run/unitpost')

    def test_to_several_and_to_root(self):
        self.machine.run('printf "To: root, frank\nSubject: two\n\nx\n" | /usr/sbin/sendmail -t',
                         user='bob')
        self.assertEqual(self.machine.wait_for_mail('root', 1)[0]['Subject'], 'two')
        self.assertEqual(self.machine.wait_for_mail('frank', 1)[0]['Subject'], 'two')

    def test_an_unknown_user_and_another_domain_come_back(self):
        self.machine.run('useradd grace')
        for recipient in ('no-such-user', 'somebody@example.org'):
            self.machine.send('grace', recipient, 'where to?')
        notices = self.machine.wait_for_mail('grace', 2)
        text = ''.join(mail.as_string() for mail in notices)
        for notice in notices:
            self.assertEqual(notice.get_content_type(), 'multipart/report')
            self.assertEqual(notice['Return-Path'], '<>')
        self.assertIn('Status: 5.1.1', text)
        self.assertIn('Status: 5.1.2', text)

    def test_with_the_target_stopped_only_root_can_send(self):
        self.machine.run('useradd heidi')
        self.machine.run('systemctl stop unitpost.target')
        try:
            status, text = self.machine.status_of('echo x | /usr/sbin/sendmail heidi', user='alice')
            self.figure(text.strip())
            self.assertEqual(status, 75)
            self.assertEqual(len(text.splitlines()), 1)
            self.machine.run('printf "Subject: early\n\nx\n" | /usr/sbin/sendmail heidi')
            listing = self.machine.run('ls /var/spool/unitpost/maildrop').split()
            self.assertEqual(len(listing), 1)
        finally:
            self.machine.run('systemctl start unitpost.target')
        self.assertEqual(self.machine.wait_for_mail('heidi', 1)[0]['Subject'], 'early')

    def test_mailq_shows_a_waiting_message_to_its_sender(self):
        # A mailbox that belongs to somebody else is trouble that may pass: the mail waits.
        self.machine.run('useradd ivan; touch /var/mail/ivan; chown bob /var/mail/ivan')
        self.machine.send('alice', 'ivan', 'wait')
        out = machine.wait_for(
            lambda: re.search(r'ivan', self.machine.run('mailq', user='alice')), 30, 'mailq')
        self.assertTrue(out)
        self.machine.run('rm /var/mail/ivan; postqueue -f')
        self.assertEqual(len(self.machine.wait_for_mail('ivan', 1)), 1)
        machine.wait_for(lambda: 'is empty' in self.machine.run('mailq'), 30, 'empty queue')


if __name__ == '__main__':
    case.main()
