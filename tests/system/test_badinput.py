"""What a stranger, an accident or a full disk puts into the queue's directories costs nobody else
anything."""

import time

import case
import machine

SPOOL = '/var/spool/unitpost'

# Made by a user of the group, or by root by hand.
ODD_FILES = '''cd {directory}
ln -s /etc/shadow 6610D9AF80F2328DF201
mkfifo 6610D9AF80F2328DF202
mkdir 6610D9AF80F2328DF203
: > 6610D9AF80F2328DF204
echo "From: root" > 6610D9AF80F2328DF205
head -c 100000 /dev/urandom > 6610D9AF80F2328DF206
echo secret > 6610D9AF80F2328DF207; chmod 0 6610D9AF80F2328DF207
echo text > not-a-queue-id
echo other > ../linked; ln ../linked 6610D9AF80F2328DF208
'''


class BadInput(case.Case):
    config = 'max_idle = 3s\n'

    def check_odd_files(self, name, role):
        directory = f'{SPOOL}/{name}'
        shadow = self.machine.run('stat /etc/shadow; md5sum /etc/shadow')
        n_mails = len(self.machine.mailbox('bob'))
        self.machine.wait_until_idle()
        before = self.machine.starts(f'unitpost-{role}.service')
        cpu = self.machine.cpu_seconds()
        self.machine.run(ODD_FILES.format(directory=directory))
        for number in range(5):
            self.machine.send('alice', 'bob', f'beside odd files {number}')
        self.machine.wait_for_mail('bob', n_mails + 5)
        machine.wait_for(lambda: not self.machine.run(f'ls {directory}'), 30,
                         f'{directory} without odd files')
        self.machine.wait_until_idle(30)
        time.sleep(5)
        n = self.machine.starts(f'unitpost-{role}.service') - before
        self.figure(f'{n} starts of {role}, {self.machine.cpu_seconds() - cpu:.1f} s of processor '
                    'time; ' + ' '.join(self.machine.run(f'ls -A {SPOOL}/corrupt').split()))
        self.assertLessEqual(n, 4)
        self.assertEqual(self.machine.run('stat /etc/shadow; md5sum /etc/shadow'), shadow)
        self.assertEqual(self.machine.run(f'cat {SPOOL}/linked'), 'other\n')
        self.assert_all_quiet()

    def test_odd_files_in_maildrop(self):
        self.check_odd_files('maildrop', 'pickup')

    def test_odd_files_in_incoming(self):
        self.check_odd_files('incoming', 'qmgr')

    def test_odd_files_in_active(self):
        self.check_odd_files('active', 'qmgr')

    def test_a_message_that_is_too_big(self):
        status, text = self.machine.status_of(
            'head -c 11000000 /dev/zero | tr "\\0" "x" | fold | /usr/sbin/sendmail bob',
            user='alice')
        self.figure(f'{status}: {text.strip()}')
        self.assertNotIn(status, (0, 75))
        self.assertIn('too big', text)

    def test_a_full_disk_and_its_end(self):
        self.machine.wait_until_idle()
        self.machine.run('systemctl stop unitpost.target; '
                         f'mount -t tmpfs -o size=2m,mode=755 small {SPOOL}; '
                         'systemd-tmpfiles --create unitpost.conf; systemctl start unitpost.target')
        try:
            n_mails = len(self.machine.mailbox('bob'))
            self.machine.run(f'head -c 3000000 /dev/zero > {SPOOL}/fill 2> /dev/null', check=False)
            status, text = self.machine.status_of('echo x | /usr/sbin/sendmail bob', user='alice')
            self.figure(f'{status}: {text.strip()}')
            self.assertEqual(status, 75)
            self.machine.run(f'rm {SPOOL}/fill')
            self.machine.send('alice', 'bob', 'after the full disk')
            self.assertEqual(self.machine.wait_for_mail('bob', n_mails + 1)[-1].get_payload(),
                             'after the full disk\n')
            self.machine.wait_until_idle()
            self.assertEqual(self.machine.run(f'ls {SPOOL}/corrupt {SPOOL}/maildrop').split(),
                             [f'{SPOOL}/corrupt:', f'{SPOOL}/maildrop:'])
            self.assert_all_quiet()
        finally:
            self.machine.run(f'systemctl stop unitpost.target; umount {SPOOL}; '
                             'systemctl start unitpost.target')


if __name__ == '__main__':
    case.main()
