"""What `meson install` puts in place: its units hold their promises, and no file carries privilege.
"""

import os
import re
import stat

import case
import tree

# Exposure that systemd-analyze may find, in tenths (DESIGN: 1.5 for queue roles). local becomes
# its recipients and is open for what their commands may need; its unit says why for each item.
LIMIT = 15
LIMITS = {'unitpost-local.service': 58, 'unitpost-tables.service': 18}

# Names that others rely on (DESIGN 11); a link with what it points to.
NAMES = ['usr/lib/unitpost/postdrop', 'usr/sbin/sendmail', 'usr/sbin/postqueue',
         'usr/bin/mailq -> usr/sbin/postqueue', 'usr/sbin/postalias', 'usr/sbin/postconf',
         'usr/sbin/postmap',
         'usr/bin/newaliases -> usr/sbin/postalias',
         'usr/lib/sendmail -> usr/sbin/sendmail', 'usr/lib/systemd/system/unitpost.target',
         'usr/lib/sysusers.d/unitpost.conf', 'usr/lib/tmpfiles.d/unitpost.conf',
         'usr/lib/systemd/system-preset/85-unitpost.preset',
         'usr/lib/systemd/catalog/unitpost.catalog', 'usr/share/man/man7/unitpost.7',
         'usr/share/man/man5/postconf.5']

BASIC = '/usr/lib/systemd/system/unitpost'


class Install(case.Case):
    def test_no_file_carries_privilege(self):
        stage = tree.build(case.SUITE)
        n_files = 0
        for directory, _, names in os.walk(stage):
            for name in names:
                path = os.path.join(directory, name)
                status = os.lstat(path)
                n_files += 1
                if stat.S_ISLNK(status.st_mode):
                    continue
                self.assertFalse(status.st_mode & (stat.S_ISUID | stat.S_ISGID), path)
                self.assertEqual(status.st_mode & 0o022, 0, path)
                self.assertNotIn('security.capability', os.listxattr(path), path)
        self.assertGreater(n_files, 30)
        self.figure(f'{n_files} files, none set-uid, set-gid or with capabilities')

    def test_names_that_others_rely_on(self):
        stage = os.path.realpath(tree.build(case.SUITE))
        for row in NAMES:
            name, _, target = row.partition(' -> ')
            path = os.path.join(stage, name)
            self.assertTrue(os.path.isfile(path), name)
            self.assertEqual(os.path.realpath(path), os.path.join(stage, target or name))

    def test_every_unit_verifies_silently(self):
        out = self.machine.run('systemd-analyze verify --man=yes '
                               f'$(find {BASIC}* -maxdepth 0 -type f) '
                               '/usr/lib/systemd/system/system-unitpost.slice 2>&1', check=False)
        self.assertEqual(out, '')

    def test_exposure_is_at_its_threshold(self):
        services = [name for name in self.machine.units() if name.endswith('.service')]
        self.assertGreaterEqual(len(services), 9)
        found = []
        for name in services:
            out = self.machine.run(['systemd-analyze', 'security', '--offline=true', '--no-pager',
                                    f'--threshold={LIMITS.get(name, LIMIT)}', name], check=False)
            last = out.strip().splitlines()[-1]
            found.append(re.search(r'unitpost-(\S+)\.service: \S+', last).group(0))
            status, _ = self.machine.status_of(
                ['systemd-analyze', 'security', '--offline=true', '--no-pager',
                 f'--threshold={LIMITS.get(name, LIMIT)}', name])
            self.assertEqual(status, 0, name)
        self.figure(', '.join(found))

    def test_no_limit_can_turn_a_listener_off(self):
        for name in self.machine.units():
            text = self.machine.run(['systemctl', 'cat', name])
            if name.endswith('.service'):
                self.assertIn('StartLimitIntervalSec=0', text, name)
                self.assertIn('Slice=system-unitpost.slice', text, name)
            if name.endswith(('.socket', '.path')):
                self.assertIn('TriggerLimitIntervalSec=0', text, name)
            if not name.endswith('.target'):
                self.assertIn('PartOf=unitpost.target', text, name)

    def test_one_enable_turns_everything_on_and_disable_off(self):
        self.machine.run('systemctl disable --now unitpost.target')
        try:
            for name, (state, _) in self.machine.units().items():
                self.assertEqual(state, 'inactive', name)
            self.assertEqual(self.machine.run(
                'find /etc/systemd/system -name "*unitpost*" ! -type d'), '')
        finally:
            self.machine.run('systemctl enable --now unitpost.target')
        self.assert_all_quiet()

    def test_the_catalog_is_known(self):
        out = self.machine.run('journalctl --list-catalog | grep -c " unitpost: "')
        self.assertGreaterEqual(int(out), 27)

    def test_restart_of_a_socket_under_its_service(self):
        self.machine.send('alice', 'bob', 'first')
        self.machine.wait_for_mail('bob', 1)
        self.machine.run('systemctl restart unitpost-postdrop.socket unitpost-local.socket')
        self.machine.send('alice', 'bob', 'second')
        self.machine.wait_for_mail('bob', 2)
        self.assertEqual(self.machine.failed_units(), [])

    def test_reload_of_what_runs(self):
        self.machine.send('alice', 'bob', 'before')
        n = len(self.machine.mailbox('bob'))
        self.machine.run("systemctl reload 'unitpost-*.service'")
        self.machine.send('alice', 'bob', 'after')
        self.machine.wait_for_mail('bob', n + 1)
        self.assertEqual(self.machine.failed_units(), [])


if __name__ == '__main__':
    case.main()
