"""tables under its real sandbox, in a booted system: edits count with no command, and whose file
may be indexed."""

import time

import case

ALIASES = '/etc/aliases'
TABLES = '/var/lib/unitpost/tables'
KEPT = '5c1a0e6f2d934b7ea1f08c3b6d2e4a33'  # LOG_ID_TABLE_KEPT
AS_ROLE = 'setpriv --reuid=unitpost --regid=unitpost --clear-groups '


class Tables(case.Case):
    config = 'max_idle = 3s\n'

    def write(self, path, text, seconds_ago=0, user=None):
        self.machine.run(f'cat > {path} && touch -d "{seconds_ago} seconds ago" {path}', user=user,
                         stdin=text.encode())

    def call(self, command, user=None):
        """(status, all that it printed)"""
        return self.machine.status_of(f'PATH=$PATH:/usr/sbin; {command} >&2', user=user)

    def query(self, key, path=ALIASES, user=None):
        """As a role that is not root looks up; or as USER."""
        return self.call(('' if user else AS_ROLE) + f'postalias -q {key} {path}', user)

    def index(self, path):
        return f'{TABLES}/' + path.replace('/', '%') + '.tdb'

    def test_an_edit_counts_with_no_command(self):
        self.write(ALIASES, 'root: joe\n', 10)
        self.assertEqual(self.query('root'), (0, 'joe\n'))
        start = time.monotonic()
        self.machine.run(f'echo "root: jim" > {ALIASES}')
        self.assertEqual(self.query('root'), (0, 'jim\n'))
        self.figure(f'{time.monotonic() - start:.2f} s from the edit to its use')
        self.write(ALIASES, 'root: new\nbroken\n', 10)
        status, text = self.query('root')
        self.assertEqual(status, 0)
        self.assertIn('line 2: no \':\' after the name; the old index is used', text)
        self.assertTrue(text.endswith('jim\n'), text)
        self.assertEqual(len(self.machine.journal(f'MESSAGE_ID={KEPT}')), 1)
        self.write(ALIASES, 'root: new\n', 10)
        self.assertEqual(self.query('root'), (0, 'new\n'))
        self.machine.wait_until_idle()
        self.assert_all_quiet()

    def test_a_source_that_only_its_owner_may_read(self):
        path = '/etc/secret-aliases'
        self.write(path, 'root: joe\n', 10)
        self.machine.run(f'chmod 0600 {path}; chown alice:mail {path}')
        self.query('root', path)
        self.assertEqual(self.machine.run(f'stat -c "%U %G %a" {self.index(path)}'),
                         'alice mail 600\n')
        self.assertEqual(self.query('root', path, 'alice'), (0, 'joe\n'))

    def test_root_builds_and_needs_no_mail_system(self):
        self.write(ALIASES, 'root: joe\n')
        self.machine.run('systemctl stop unitpost.target')
        try:
            self.assertEqual(self.machine.run('newaliases 2>&1'), '')
            self.assertEqual(self.machine.run('sendmail -bi 2>&1'), '')
            self.assertEqual(self.machine.run(f'postalias -v {ALIASES} 2>&1'),
                             f'postalias: {ALIASES}: 1 aliases, longest 3 bytes, 7 bytes total\n')
            self.assertEqual(self.machine.run(f'postalias -s {ALIASES}'), 'root:\tjoe\n')
            status, text = self.call(f'postalias {ALIASES}', 'alice')
            self.assertEqual(status, 69)
            self.assertIn('systemctl start unitpost-tables.socket', text)
        finally:
            self.machine.run('systemctl start unitpost.target')

    def test_a_user_and_his_own_file(self):
        home = self.machine.run('echo ~', user='alice').strip()
        path = f'{home}/aliases'
        self.write(path, 'friends: bob\n', user='alice')
        self.assertEqual(self.call(f'postalias {path}', 'alice'), (0, ''))
        self.assertEqual(self.query('friends', path, 'alice'), (0, 'bob\n'))
        self.assertEqual(self.machine.run(f'stat -c "%U" {self.index(path)}'), 'alice\n')
        self.write('/tmp/alices', 'friends: carol\n', user='alice')
        self.assertEqual(self.call('postalias /tmp/alices', 'alice'), (0, ''))
        self.write(ALIASES, 'root: joe\n')
        for command in (f'postalias {ALIASES}', 'newaliases', 'postalias /etc/shadow',
                        'postalias /dev/kmsg'):
            status, text = self.call(command, 'alice')
            self.assertEqual(status, 77, text)
            self.assertIn('there is no such file that is yours', text)


if __name__ == '__main__':
    case.main()
