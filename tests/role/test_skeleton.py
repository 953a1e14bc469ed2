"""The skeleton of loops and scanners, and the command line of all roles, with probe-role.c."""

import os
import re
import signal
import socket
import time
import unittest

import harness
from harness import Peer, World
from probe import PROBE, SOCKET, ask, ask_once, connect, in_threads, probe_world


class Loop(unittest.TestCase):
    def greeting(self):
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(10)
            one.connect(SOCKET)
            data = b''
            while more := one.recv(100):
                data += more
            return data.decode().split()

    def test_no_connection_is_lost_around_the_idle_instant(self):
        with probe_world('probe-loop') as world:
            for i in range(25):
                for words in in_threads(40, lambda _: self.greeting()):
                    self.assertEqual(words[0], 'probe')
                time.sleep(0.9 + 0.02 * i)
            starts = world.starts['unitpost-probe']
            self.assertGreater(len(starts), 3, 'the idle instant was never hit')
            self.assertEqual(set(world.exits('unitpost-probe')), {'0'})
            self.assertIn('STOPPING=1', world.notifications('unitpost-probe'))

    def test_no_datagram_is_lost_around_the_idle_instant(self):
        with probe_world('probe-loop', kind='ListenDatagram') as world:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.connect(SOCKET)
                for i in range(300):
                    one.send(b'n%d.' % i)
                    if i % 20 == 0:
                        time.sleep(0.9 + 0.03 * (i // 20))  # the timer may be 250 ms late
            world.wait_for_entry(MESSAGE=r'datagram of uid 0: n299\.', seconds=10)
            for i in range(300):
                self.assertEqual(len(world.journal(MESSAGE=rf': n{i}\.$')), 1, i)
            self.assertGreater(len(world.starts['unitpost-probe']), 2)

    def test_oversize_datagrams_and_descriptors_do_no_harm(self):
        with probe_world('probe-loop', kind='ListenDatagram') as world:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.connect(SOCKET)
                one.send(b'x' * 5000)
                one.send(b'')
                socket.send_fds(one, [b'with descriptors'], [0, 1, 2] * 80)
                one.send(b'last')
            world.wait_for_entry(MESSAGE='oversize datagram', MESSAGE_ID='.*4a24$')
            world.wait_for_entry(MESSAGE='with descriptors')
            world.wait_for_entry(MESSAGE='last')
            main = world.wait_until_running('unitpost-probe')
            self.assertLess(len(os.listdir(f'/proc/{main}/fd')), 20)

    def test_reload_keeps_the_last_good_configuration(self):
        with probe_world('probe-loop', 'max_idle = 3s\nmail_name = one\n') as world:
            self.assertEqual(self.greeting()[2], 'one')
            world.write_main_cf('max_idle = soon\n')
            world.kill('unitpost-probe', signal.SIGHUP)
            world.wait_for_entry(MESSAGE='max_idle')
            self.assertEqual(self.greeting()[2], 'one')
            world.write_main_cf('max_idle = 3s\nmail_name = two\n')
            world.kill('unitpost-probe', signal.SIGHUP)
            world.wait(lambda: world.notifications('unitpost-probe').count('READY=1') == 3,
                       'ready again')
            self.assertEqual(self.greeting()[2], 'two')
            self.assertEqual(len(world.starts['unitpost-probe']), 1)

    def test_sigterm_ends_it(self):
        with probe_world('probe-loop', 'max_idle = 60s\n') as world:
            self.greeting()
            world.kill('unitpost-probe')
            world.wait_until_gone('unitpost-probe', 2)
            self.assertEqual(world.exits('unitpost-probe'), ['0'])


class Scanner(unittest.TestCase):
    DIRECTORY = '/var/spool/probe'
    MAIN_CF = 'max_idle = 1s\nqueue_directory = /var/spool/probe\n'

    def drop(self, name):
        with open(f'{self.DIRECTORY}/{name}', 'w', encoding='utf-8'):
            pass

    def test_takes_what_comes_now_and_around_the_idle_instant(self):
        with probe_world('probe-scanner', self.MAIN_CF) as world:
            os.mkdir(self.DIRECTORY)
            for i in range(300):
                self.drop(f'n{i}')
                if i % 20 == 0:
                    time.sleep(0.93 + 0.007 * (i % 25))
            world.wait(lambda: not os.listdir(self.DIRECTORY), 'all were taken')
            self.assertEqual(len(world.journal(MESSAGE='^took n')), 300)
            starts = world.starts['unitpost-probe']
            self.assertGreater(len(starts), 2)
            self.assertGreater(min(b - a for a, b in zip(starts, starts[1:])), 1.0)
            world.wait_until_gone('unitpost-probe', 5)
            self.assertEqual(set(world.exits('unitpost-probe')), {'0'})

    def test_a_name_made_by_link_or_rename_is_seen_at_once(self):
        with probe_world('probe-scanner', self.MAIN_CF.replace('1s', '30s')) as world:
            os.mkdir(self.DIRECTORY)
            self.drop('first')
            world.wait_for_entry(MESSAGE='took first')
            with open('/var/spool/hidden', 'w', encoding='utf-8'):
                pass
            for move in (os.link, os.rename):
                start = time.monotonic()
                move('/var/spool/hidden', f'{self.DIRECTORY}/{move.__name__}')
                world.wait_for_entry(MESSAGE=f'took {move.__name__}')
                self.assertLess(time.monotonic() - start, 0.5)

    def test_failing_scan_is_retried_with_growing_delay_and_the_process_stays(self):
        with probe_world('probe-scanner', self.MAIN_CF) as world:
            os.mkdir(self.DIRECTORY)
            self.drop('fail')
            time.sleep(8)
            self.assertIn(len(world.journal(MESSAGE='scan failed')), range(3, 6))  # 0, 1, 3, 7 s
            self.assertEqual(world.exits('unitpost-probe'), [])
            os.unlink(f'{self.DIRECTORY}/fail')
            start = time.monotonic()
            self.drop('fresh')
            world.wait_for_entry(MESSAGE='took fresh')
            self.assertLess(time.monotonic() - start, 1.5)
            world.wait_until_gone('unitpost-probe', 5)

    def test_changes_do_not_defeat_the_pace_of_retries(self):
        with probe_world('probe-scanner', self.MAIN_CF) as world:
            os.mkdir(self.DIRECTORY)
            self.drop('fail')
            until = time.monotonic() + 3
            while time.monotonic() < until:
                self.drop('more')
                time.sleep(0.01)
            self.assertLessEqual(len(world.journal(MESSAGE='scan failed')), 5)

    def test_sigterm_and_reload(self):
        with probe_world('probe-scanner', self.MAIN_CF.replace('1s', '30s')) as world:
            os.mkdir(self.DIRECTORY)
            self.drop('one')
            world.wait_for_entry(MESSAGE='took one')
            os.mkdir('/var/spool/probe2')
            world.write_main_cf('max_idle = 30s\nqueue_directory = /var/spool/probe2\n')
            world.kill('unitpost-probe', signal.SIGHUP)
            world.wait(lambda: world.notifications('unitpost-probe').count('READY=1') == 2,
                       'ready again')
            with open('/var/spool/probe2/two', 'w', encoding='utf-8'):
                pass
            world.wait_for_entry(MESSAGE='took two')
            world.kill('unitpost-probe')
            world.wait_until_gone('unitpost-probe', 2)
            self.assertEqual(world.exits('unitpost-probe'), ['0'])


class Notify(unittest.TestCase):
    """What systemd sees of a service (sd_notify(3)), for each kind."""

    @staticmethod
    def wake():
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(SOCKET)

    @staticmethod
    def feeds(world):
        return world.notifications('unitpost-probe').count('WATCHDOG=1')

    @staticmethod
    def statuses(world, text=''):
        return [said for said in world.notifications('unitpost-probe')
                if re.match('STATUS=' + text, said)]

    def test_each_kind_feeds_its_watchdog_while_it_lives(self):
        for role in ('probe-workers', 'probe-loop', 'probe-scanner'):
            with self.subTest(role), probe_world(role, 'max_idle = 3s\n',
                                                 environment='WATCHDOG_USEC=400000') as world:
                if role == 'probe-scanner':
                    os.mkdir('/var/spool/probe')
                    with open('/var/spool/probe/x', 'w', encoding='utf-8'):
                        pass
                else:
                    self.wake()
                world.wait(lambda: self.feeds(world) >= 5, 'it is fed', 10)

    def test_a_service_that_hangs_does_not(self):
        with probe_world('probe-workers', 'max_idle = 30s\n',
                         environment='WATCHDOG_USEC=400000') as world:
            self.wake()
            world.wait(lambda: self.feeds(world) >= 2, 'it is fed')
            world.kill('unitpost-probe', signal.SIGSTOP)
            time.sleep(0.3)
            before = self.feeds(world)
            time.sleep(1)
            self.assertEqual(self.feeds(world), before)
            world.kill('unitpost-probe', signal.SIGCONT)

    def test_status_has_figures_but_not_more_often_than_each_5_seconds(self):
        with probe_world('probe-workers', 'max_idle = 1s\n') as world:
            start = time.monotonic()
            in_threads(20, lambda _: [ask_once() for _ in range(20)])
            world.wait_until_gone('unitpost-probe', 20)
            said = self.statuses(world)
            self.assertRegex(said[-1], r'STATUS=\d+ workers, \d+ idle, \d+ requests served$')
            self.assertLessEqual(len(said), 2 + (time.monotonic() - start) / 5)

    def test_status_tells_of_requests_that_woke_nobody(self):
        with probe_world('probe-workers', 'max_idle = 30s\n') as world:
            ask_once()
            with connect() as peer:
                for _ in range(500):
                    ask(peer)
            world.wait(lambda: self.statuses(world, '.* 501 requests served'), 'it is told', 12)


class CommandLine(unittest.TestCase):
    def run_probe(self, *options, **more):
        with World(units={}, programs=PROBE, main_cf=more.pop('main_cf', '')) as world:
            return world.run_as('alice', [f'{harness.PROGRAMS}/probe-workers', *options], **more)

    def test_check_says_ok_or_names_the_trouble(self):
        done = self.run_probe('--check')
        self.assertEqual((done.returncode, done.stderr), (0, b''))
        done = self.run_probe('--check', '-o', 'max_idle=soon')
        self.assertEqual(done.returncode, 78)
        self.assertIn(b'max_idle', done.stderr)
        done = self.run_probe('--check', main_cf='default_process_limit = 0\n')
        self.assertEqual(done.returncode, 78)
        self.assertIn(b'main.cf', done.stderr)

    def test_version_help_and_wrong_options(self):
        self.assertEqual(self.run_probe('--version').returncode, 0)
        self.assertIn(b'--service', self.run_probe('--help').stdout)
        for wrong in (['-x'], ['--nonsense'], ['-o'], ['-o', 'no-equals'], ['word'],
                      ['--service=../x'], ['--service=']):
            self.assertEqual(self.run_probe(*wrong).returncode, 64, wrong)

    def test_without_sockets_it_says_who_starts_it(self):
        done = self.run_probe()
        self.assertEqual(done.returncode, 75)
        self.assertIn(b'systemd', done.stderr)

    def spawn_on_socket(self, name):
        """(process, our end of its standard input)"""
        ours, theirs = socket.socketpair()
        pid = os.posix_spawn(f'{harness.PROGRAMS}/{name}', [name], {},
                             file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 0)])
        theirs.close()
        return pid, ours

    def test_loop_serves_a_connection_on_standard_input_and_ends(self):
        with World(units={}, programs=PROBE) as world:
            pid, ours = self.spawn_on_socket('probe-loop')
            self.assertTrue(ours.recv(100).startswith(b'stdin '))
            ours.close()
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            self.assertEqual(world.journal(PRIORITY='[0-4]'), [])

    def test_worker_serves_a_connection_on_standard_input_and_ends(self):
        with World(units={}, programs=PROBE) as world:
            pid, ours = self.spawn_on_socket('probe-workers')
            peer = Peer.__new__(Peer)
            peer.socket, peer.data = ours, b''
            self.assertEqual(peer.receive()[0], b'H')
            ask(peer)
            ask(peer)
            peer.close()
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0)
            self.assertEqual(world.journal(PRIORITY='[0-4]'), [])


if __name__ == '__main__':
    unittest.main(verbosity=2)
