"""qmgr-wake, as the timer starts it: qmgr is woken for mail that is due, and for nothing else."""

import os
import shutil
import subprocess
import time
import unittest

from harness import PROGRAMS, World

DEFERRED = '/var/spool/unitpost/deferred'
SERVICE = 'unitpost-qmgr'
BUCKET_SECONDS = 64


class Wake(unittest.TestCase):
    def wake(self, world):
        done = world.run_as('unitpost', [f'{PROGRAMS}/qmgr-wake'])
        self.assertEqual((done.returncode, done.stderr), (0, b''))

    def bucket(self, seconds_from_now):
        due = (int(time.time()) + seconds_from_now) // BUCKET_SECONDS * BUCKET_SECONDS
        path = f'{DEFERRED}/{due}'
        os.mkdir(path)
        shutil.chown(path, 'unitpost', 'unitpost')
        return path

    def assert_woken(self, world, woken):
        self.wake(world)
        if woken:
            world.wait_until_running(SERVICE)
        else:
            time.sleep(0.5)
            self.assertNotIn(SERVICE, world.starts)

    def test_mail_that_waits_wakes_nobody(self):
        with World(roles=['qmgr']) as world:
            self.bucket(1800)
            self.assert_woken(world, False)

    def test_mail_that_is_due_in_a_minute_wakes_qmgr(self):
        with World(roles=['qmgr']) as world:
            self.bucket(1800)
            self.bucket(60)
            self.assert_woken(world, True)

    def test_a_bucket_beyond_the_longest_back_off_is_due(self):
        with World(roles=['qmgr']) as world:
            self.bucket(86400)
            self.assert_woken(world, True)

    def test_a_broken_configuration_wakes_qmgr_which_says_why(self):
        with World(roles=['qmgr']) as world:
            self.bucket(1800)
            world.write_main_cf('maximal_backoff_time = soon\n')
            self.wake(world)
            world.wait_for_entry(MESSAGE='maximal_backoff_time')

    def test_no_socket_is_an_error_with_a_text(self):
        with World(roles=['cleanup']):
            self.bucket(0)
            done = subprocess.run([f'{PROGRAMS}/qmgr-wake'], capture_output=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(b'cannot wake the queue manager', done.stderr)


if __name__ == '__main__':
    unittest.main(verbosity=2)
