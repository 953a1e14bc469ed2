"""A running service and a main.cf that goes bad under it: a reload keeps the configuration that is
in force, says what is wrong, and takes the next good one. And postconf, as an admin runs it."""

import json
import os
import shutil
import signal
import stat
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


class Postconf(unittest.TestCase):
    def setUp(self):
        self.world = harness.World(units={}, main_cf=(
            'hopcount_limit = 60\n# kept\nmine = $myhostname\nmail_name = $mine\n'
            'myhostname = a.test\n'))
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.addCleanup(shutil.rmtree, '/etc/unitpost/main.cf.d', True)

    def postconf(self, *words, user='root'):
        done = self.world.run_as(user, [self.world.tool('postconf'), *words])
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def assert_shows(self, words, expected):
        self.assertEqual(self.postconf(*words), (0, expected, ''))

    def test_shows_what_is_set_and_where(self):
        self.assert_shows(['-n'], 'hopcount_limit = 60\nmail_name = $mine\nmine = $myhostname\n'
                                  'myhostname = a.test\n')
        self.assert_shows(['-nx', 'mail_name'], 'mail_name = a.test\n')
        self.assert_shows(['-h', 'mail_name', 'hopcount_limit'], '$mine\n60\n')
        self.assert_shows(['-d', 'hopcount_limit'], 'hopcount_limit = 50\n')
        self.assert_shows(['--origin', 'hopcount_limit', 'biff'],
                          f'admin {MAIN_CF}:1: hopcount_limit = 60\ndefault: biff = yes\n')
        self.assert_shows(['-C', 'user'], 'mine = $myhostname\n')
        self.assert_shows(['-C', 'service'], '')
        self.assert_shows(['x_process_limit'], 'x_process_limit = $default_process_limit\n')
        self.assert_shows(['-o', 'hopcount_limit=7', 'hopcount_limit'], 'hopcount_limit = 7\n')
        self.assert_shows(['-h', 'config_directory', 'service_name'], '/etc/unitpost\n\n')

    def test_lists_all_and_json_is_json(self):
        status, plain, _ = self.postconf()
        self.assertEqual(status, 0)
        names = [line.split(' ')[0] for line in plain.splitlines()]
        self.assertEqual(names, sorted(names))
        self.assertGreater(len(names), 100)
        rows = [json.loads(line) for line in self.postconf('-j', '--origin')[1].splitlines()]
        self.assertEqual([row['name'] for row in rows], names)
        self.assertEqual([row['value'] for row in rows if row['name'] == 'mine'], ['$myhostname'])
        self.assertEqual({row['layer'] for row in rows}, {'admin', 'default'})
        self.assertIn('tdb\n', self.postconf('-m')[1])
        self.assertEqual(self.postconf('-l')[1], 'flock\nfcntl\ndotlock\n')

    def test_edits_in_place(self):
        os.chmod(MAIN_CF, 0o640)
        self.assert_shows(['-e', 'hopcount_limit = 70', 'biff=no'], '')
        self.assert_shows(['-q', '-#', 'mail_name'], '')
        self.assert_shows(['-X', 'mine'], '')
        with open(MAIN_CF, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'hopcount_limit = 70\n# kept\n#mail_name = $mine\n'
                                          'myhostname = a.test\nbiff = no\n')
        self.assertEqual(stat.S_IMODE(os.stat(MAIN_CF).st_mode), 0o640)
        self.assertEqual(os.listdir('/etc/unitpost').count('main.cf'), 1)
        self.assertEqual([name for name in os.listdir('/etc/unitpost') if name[0] == '.'], [])

    def test_an_edit_that_a_later_layer_makes_void_fails_and_names_it(self):
        os.mkdir('/etc/unitpost/main.cf.d')
        write('\nhopcount_limit = 9\n', '/etc/unitpost/main.cf.d/a.cf')
        for words in (['hopcount_limit=5'], ['-X', 'hopcount_limit'], ['-#', 'hopcount_limit']):
            status, _, said = self.postconf(*words)
            self.assertEqual(status, 1)
            self.assertIn('hopcount_limit is set in /etc/unitpost/main.cf.d/a.cf, line 2, which '
                          f'wins over {MAIN_CF}', said)
        self.assert_shows(['hopcount_limit'], 'hopcount_limit = 9\n')
        self.assert_shows(['biff=no'], '')

    def test_what_is_wrong_is_told_and_shown_all_the_same(self):
        write('max_idle = soon\nhopcuont_limit = 3\nmyhostname = a b\n')
        status, shown, said = self.postconf('max_idle', 'myhostname', 'nothing')
        self.assertEqual((status, shown), (0, 'max_idle = soon\nmyhostname = a b\n'))
        self.assertIn('warning: nothing: unknown parameter\n', said)
        self.assertIn(f'warning: {MAIN_CF}, line 3: myhostname = a b: not a host', said)
        self.assertIn('line 2: unknown parameter hopcuont_limit; did you mean hopcount_limit?',
                      said)
        self.assertEqual(self.postconf('-q', 'max_idle', 'nothing'), (0, 'max_idle = soon\n', ''))
        status, _, said = self.postconf('-e', 'myhostname=a.test')
        self.assertEqual(status, 0)
        self.assertIn('line 1: max_idle = soon: not a number', said)
        write('nonsense\n')
        self.assertEqual(self.postconf('-n')[0], 1)
        self.assertEqual(self.postconf('-q', '-e', 'biff=no')[0], 0)
        with open(MAIN_CF, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'nonsense\nbiff = no\n')

    def test_who_may_not_write_changes_nothing(self):
        status, _, said = self.postconf('hopcount_limit=5', user='alice')
        self.assertEqual(status, 1)
        self.assertIn(f'{MAIN_CF}: Permission denied', said)
        self.assertEqual(self.postconf('-h', 'hopcount_limit', user='alice')[1], '60\n')

    def test_usage(self):
        for words in (['-Z'], ['-n', '-d'], ['-e'], ['-#'], ['-X'], ['-e', 'a'], ['-eX', 'a=b'],
                      ['-n', '-e', 'a=b'], ['-o', 'x'], ['-C', 'x'], ['-h', '-H'], ['a=b', 'c'],
                      ['-e', 'a=b\nc=d']):
            self.assertEqual(self.postconf(*words)[0], 64, words)
        for words in (['-a'], ['-A'], ['-b'], ['-t'], ['-T', 'x'], ['-M'], ['-Me', 'x/y=z'],
                      ['-MX', 'x/y'], ['-P', 'x/y/z=1'], ['-F#', 'x/y']):
            status, _, said = self.postconf(*words)
            self.assertEqual(status, 69, words)
            self.assertIn('postconf: fatal: ', said)
        self.assertEqual(self.postconf('--help')[0], 0)
        self.assertIn('unitpost', self.postconf('--version')[1])
        done = self.world.run_as('root', ['sh', '-c', f'{self.world.tool("postconf")} >/dev/full'])
        self.assertEqual(done.returncode, 74)


if __name__ == '__main__':
    unittest.main(verbosity=2)
