"""Debian's own programs that send mail, each as a user runs it, and the two filters that users run
as mailbox_command: one mail each, in the right mailbox, with the right fields."""

import mailbox
import re

import case
import machine

# Each recipient belongs to one test, so that "exactly one" can be said of its mailbox; only admin,
# who reads root's mail, gets it from cron and from logwatch.
RECIPIENTS = ('at', 'bsd-mailx', 's-nail', 'mutt', 'git', 'mdadm', 'cron-owner', 'cron-mailto',
              'admin', 'procmail', 'maildrop')

# Each of these runs once, in the first minute.
OWN_CRONTAB = '* * * * * crontab -r; echo said by cron for its owner\n'
SYSTEM_CRONTAB = '''MAILTO=cron-mailto
* * * * * alice echo said by cron for MAILTO
'''
ROOTS_CRONTAB = '* * * * * root rm /etc/cron.d/for-*; echo said by cron for root\n'

# mdadm only looks at what it takes for an array: a device with a state in sysfs. Kernels without
# md have neither; an unused loop device with a sysfs of our own is enough for it here.
MDADM = '''
top=$(mktemp -d)
mkdir -p $top/dev/block $top/block/md0/md
echo clean > $top/block/md0/md/array_state
ln -s ../../devices/virtual/block/md0 $top/dev/block/7:0
[ -b /dev/md0 ] || mknod /dev/md0 b 7 0
mount --bind $top /sys
mdadm --monitor --test --oneshot /dev/md0
'''

GIT = '''
git config --global user.name 'Alice Grün'
git config --global user.email alice@localhost
git init --quiet project && cd project
printf 'first line\\nFrom here on\\n.\\nlast line\\n' > file
git add file
git commit --quiet --message 'file: four lines'
git send-email --quiet --to=git --suppress-cc=all --confirm=never --root HEAD
'''

PROCMAILRC = '''MAILDIR=$HOME

:0:
* ^Subject: filed
folder
'''

MAILFILTER = '''if (/^Subject: filed/)
{
    to "$HOME/folder/"
}
'''


class Recipients(case.Case):
    kind = 'clients'

    @classmethod
    def prepare(cls, booting):
        booting.write('/etc/unitpost/main.cf', cls.config)
        booting.chroot('; '.join(f'useradd --create-home {name}' for name in RECIPIENTS))

    def wait_for_empty_queue(self):
        machine.wait_for(lambda: not self.machine.run(
            'cd /var/spool/unitpost && '
            'find maildrop incoming active deferred -type f ! -name ".*"'), 10, 'an empty queue')

    def only_mail(self, user, subject='', timeout=30):
        """The one mail about SUBJECT in USER's mailbox; nothing came back to alice, who sends."""
        def found():
            return [mail for mail in self.machine.mailbox(user) if subject in mail['Subject']]

        machine.wait_for(found, timeout, f'mail for {user}')
        self.wait_for_empty_queue()
        self.assertEqual(len(found()), 1)
        self.assertEqual(self.machine.mailbox('alice'), [])
        return found()[0]

    def assert_mail(self, mail, sender, recipient, subject):
        """SENDER, RECIPIENT: names on this machine; the addresses may be of each of its domains."""
        domain = re.escape(self.machine.name) + r'(\.localdomain)?'
        self.assertRegex(mail['From'], rf'\b{sender}@({domain}|localhost)\b')
        self.assertRegex(mail['To'], rf'^{recipient}@{domain}\s*$')
        self.assertRegex(mail['Subject'], subject)
        self.assertRegex(mail['Delivered-To'], rf'@{domain}$')
        self.assertEqual(len(mail.get_all('Date')), 1)
        self.assertEqual(len(mail.get_all('Message-Id')), 1)


class Clients(Recipients):
    @classmethod
    def prepare(cls, booting):
        super().prepare(booting)
        booting.write('/etc/aliases', 'root: admin\n')
        booting.write('/etc/cron.d/for-mailto', SYSTEM_CRONTAB)
        booting.write('/etc/cron.d/for-root', ROOTS_CRONTAB)
        booting.write('/tmp/crontab', OWN_CRONTAB)
        booting.chroot('crontab -u cron-owner /tmp/crontab')
        booting.write('/etc/mdadm/mdadm.conf', 'MAILADDR mdadm\n')

    def test_at(self):
        self.machine.run('echo "echo said by at" | at now', user='at')
        mail = self.only_mail('at')
        self.assert_mail(mail, 'at', 'at', r'^Output from your job\s+1$')
        self.assertEqual(mail.get_payload(), 'said by at\n')

    def test_bsd_mailx(self):
        self.machine.run("echo 'by bsd-mailx' | bsd-mailx -s 'two words' bsd-mailx", user='alice')
        mail = self.only_mail('bsd-mailx')
        self.assert_mail(mail, 'alice', 'bsd-mailx', '^two words$')
        self.assertEqual(mail.get_payload(), 'by bsd-mailx\n')

    def test_mail_is_a_command_of_these(self):
        self.assertIn(self.machine.run('readlink -f "$(command -v mail)"').strip(),
                      ('/usr/bin/bsd-mailx', '/usr/bin/s-nail'))

    def test_git_send_email(self):
        self.machine.run(GIT, user='alice')
        mail = self.only_mail('git')
        self.assert_mail(mail, 'alice', 'git', r'^\[PATCH\] file: four lines$')
        self.assertIn('=?UTF-8?q?Alice=20Gr=C3=BCn?=', mail['From'])
        self.assertIn('\n+first line\n+From here on\n+.\n+last line\n', mail.get_payload())

    def test_logwatch(self):
        self.machine.run('logwatch --output mail --mailto root --range today --service zz-sys')
        mail = self.only_mail('admin', 'Logwatch')
        self.assert_mail(mail, 'root', 'root', f'^Logwatch for {self.machine.name} ')
        self.assertIn('System Configuration Begin', mail.get_payload())

    def test_mdadm(self):
        self.machine.run(['unshare', '--mount', 'sh', '-ec', MDADM])
        mail = self.only_mail('mdadm')
        self.assert_mail(mail, 'root', 'mdadm', '^TestMessage event on /dev/md0:')
        self.assertIn('TestMessage event', mail.get_payload())

    def test_mutt(self):
        self.machine.run("echo 'by mutt' | mutt -s 'two words' mutt", user='alice')
        mail = self.only_mail('mutt')
        self.assert_mail(mail, 'alice', 'mutt', '^two words$')
        self.assertEqual(mail.get_payload(), 'by mutt\n')

    def test_s_nail(self):
        self.machine.run("echo 'by s-nail' | s-nail -s 'two words' s-nail", user='alice')
        mail = self.only_mail('s-nail')
        self.assert_mail(mail, 'alice', 's-nail', '^two words$')
        self.assertEqual(mail.get_payload(), 'by s-nail\n')
        self.assertIn('s-nail', mail['User-Agent'])

    # The others run while cron waits for its minute.

    def test_z_cron_for_the_owner(self):
        mail = self.only_mail('cron-owner', timeout=90)
        self.assert_mail(mail, 'root', 'cron-owner', f'^Cron <cron-owner@{self.machine.name}')
        self.assertEqual(mail.get_payload(), 'said by cron for its owner\n')

    def test_z_cron_with_mailto(self):
        mail = self.only_mail('cron-mailto', timeout=90)
        self.assert_mail(mail, 'root', 'cron-mailto', f'^Cron <alice@{self.machine.name}')
        self.assertEqual(mail.get_payload(), 'said by cron for MAILTO\n')

    def test_z_cron_through_the_alias_of_root(self):
        mail = self.only_mail('admin', 'Cron', timeout=90)
        self.assert_mail(mail, 'root', 'root', f'^Cron <root@{self.machine.name}')
        self.assertEqual(mail.get_payload(), 'said by cron for root\n')
        self.assertEqual(self.machine.mailbox('root'), [])


class Filters(Recipients):
    """A user's filter, with one mail for a folder of the user's and one for the mailbox."""

    def use(self, command):
        """Make COMMAND the mailbox_command; of several the last counts."""
        self.machine.run("cat >> /etc/unitpost/main.cf; systemctl stop 'unitpost-*.service'",
                         stdin=f'mailbox_command = {command}\n')

    def send_two(self, user):
        for name in ('filed', 'other'):
            self.machine.send('alice', user, f'to be {name}', subject=name)
        self.wait_for_empty_queue()

    def assert_filtered(self, user, folder):
        """FOLDER: an open mailbox.Mailbox."""
        filed = list(folder)
        folder.close()
        self.assertEqual([mail['Subject'] for mail in filed], ['filed'])
        self.assertEqual(filed[0].get_payload().rstrip('\n'), 'to be filed')
        text = self.machine.path(f'/var/mail/{user}').read_text()
        self.assertEqual(re.findall(r'(?m)^Subject: (.*)', text), ['other'])
        self.assertEqual(re.findall(r'(?m)^From (\S+)', text),
                         [f'alice@{self.machine.name}.localdomain'])
        self.assertTrue(text.endswith('\n\nto be other\n\n'), text)
        self.assertEqual(self.machine.run(f'stat -c %U /var/mail/{user}').strip(), user)
        self.assertEqual(self.machine.mailbox('alice'), [])

    def test_procmail(self):
        self.use('/usr/bin/procmail -a "$EXTENSION"')
        self.machine.run('cat > .procmailrc', user='procmail', stdin=PROCMAILRC)
        self.send_two('procmail')
        self.assert_filtered('procmail', mailbox.mbox(
            self.machine.path('/home/procmail/folder'), create=False))

    def test_maildrop(self):
        self.use('/usr/bin/maildrop -d "$USER"')
        self.machine.run('umask 077; cat > .mailfilter; maildirmake.maildrop folder',
                         user='maildrop', stdin=MAILFILTER)
        self.send_two('maildrop')
        self.assert_filtered('maildrop', mailbox.Maildir(
            self.machine.path('/home/maildrop/folder'), create=False))


if __name__ == '__main__':
    case.main()
