"""A running service and a main.cf that goes bad under it: a reload keeps the configuration that is
in force, says what is wrong, and takes the next good one."""

import os
import shutil
import signal
import unittest

import harness

MAIN_CF = '/etc/unitpost/main.cf'
SERVICE = 'unitpost-showq'
# Everybody may see the queue by default: alice only sees it when these lines are lost.
GOOD = 'max_idle = 300s\nauthorized_mailq_users = bob, root\n'


def write(text, path=MAIN_CF):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


class Reload(unittest.TestCase):
    def setUp(self):
        self.world = harness.World(roles=['showq'], main_cf=GOOD)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.addCleanup(self.restore)
        self.assert_in_force()

    def restore(self):
        if os.path.isdir(MAIN_CF):
            os.rmdir(MAIN_CF)
        shutil.rmtree('/etc/unitpost/main.cf.d', ignore_errors=True)

    def sees_queue(self, user):
        return self.world.run_as(user, [self.world.tool('postqueue'), '-p']).returncode == 0

    def assert_in_force(self):
        self.assertTrue(self.sees_queue('bob'))
        self.assertFalse(self.sees_queue('alice'))

    def reload(self):
        """READY again, whatever became of it."""
        before = self.world.notifications(SERVICE).count('READY=1')
        self.world.kill(SERVICE, signal.SIGHUP)
        self.world.wait(lambda: self.world.notifications(SERVICE).count('READY=1') > before,
                        'ready again')

    def assert_kept(self, reason):
        """A reload fails for REASON and changes nothing; the next good one is taken."""
        n = len(self.world.journal(MESSAGE='was not reloaded'))
        self.reload()
        entry = self.world.wait_for_entry(n=n + 1, MESSAGE='was not reloaded')
        self.assertRegex(entry['MESSAGE'], reason)
        self.assert_in_force()
        self.restore()
        write(GOOD.replace('bob', 'bob, alice'))
        os.chmod(MAIN_CF, 0o644)
        self.reload()
        self.world.wait(lambda: self.sees_queue('alice'), 'the good one is in force')
        write(GOOD)
        self.reload()
        self.world.wait(lambda: not self.sees_queue('alice'), 'and the one before')
        self.assertEqual(len(self.world.starts[SERVICE]), 1)

    def test_half_written(self):
        write(GOOD[:GOOD.index('_mailq')])
        self.assert_kept(f"{MAIN_CF}, line 2: no '=' after the parameter name: \"authorized\"")

    def test_half_of_an_expression(self):
        write('mail_name = ${mydomain?{x}:{y\n')
        self.assert_kept(f'{MAIN_CF}, line 1: mail_name = .*: no closing bracket')

    def test_bad_value(self):
        write('max_idle = 100000\n')
        self.assert_kept(f'{MAIN_CF}, line 1: max_idle = 100000: out of range; allowed: '
                         '1 to 86400 seconds')

    def test_loop(self):
        write('mail_name = $syslog_name\nsyslog_name = ${mail_name}\n')
        self.assert_kept(f'{MAIN_CF}, line [12]: .*loop, or more than 100 levels')

    def test_binary(self):
        write('mail_name = \0\0\0\n')
        self.assert_kept(f'{MAIN_CF}, line 1: a NUL byte')

    def test_unreadable(self):
        write('# not for showq\n')
        os.chmod(MAIN_CF, 0o600)
        self.assert_kept(f'{MAIN_CF}: Permission denied')

    def test_10_megabytes(self):
        write('#' * 79 + '\n')
        with open(MAIN_CF, 'a', encoding='utf-8') as file:
            for _ in range(10 * 1024 * 1024 // 80):
                file.write('#' * 79 + '\n')
        self.assert_kept(f'{MAIN_CF}: larger than 1048576 bytes')

    def test_removed(self):
        os.unlink(MAIN_CF)
        self.assert_kept(f'{MAIN_CF}: gone since it was read')

    def test_a_directory(self):
        os.unlink(MAIN_CF)
        os.mkdir(MAIN_CF)
        self.assert_kept(f'{MAIN_CF}: not a regular file')

    def test_a_bad_drop_in(self):
        os.mkdir('/etc/unitpost/main.cf.d')
        write('nonsense\n', '/etc/unitpost/main.cf.d/a.cf')
        self.assert_kept('/etc/unitpost/main.cf.d/a.cf, line 1: no')

    def test_a_warning_is_logged_and_does_not_hinder(self):
        write(GOOD + 'max_idel = 5\ncompatibility_level = 0\n')
        self.reload()
        self.world.wait_for_entry(MESSAGE=f'warning: {MAIN_CF}, line 3: unknown parameter '
                                          r'max_idel; did you mean max_idle\?')
        self.world.wait_for_entry(MESSAGE='using backwards-compatible default setting '
                                          'append_dot_mydomain=yes')
        self.assert_in_force()


if __name__ == '__main__':
    unittest.main(verbosity=2)
