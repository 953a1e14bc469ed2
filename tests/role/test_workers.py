"""The skeleton of roles that are worker processes, tried with tests/role/probe-role.c.

Each test has a World of its own. Times are those of the skeleton: a max_idle of 1 s, a time limit
of 2 s per request (probe-role.c).
"""

import contextlib
import os
import random
import resource
import signal
import socket
import threading
import time
import unittest

import harness
import probe
from harness import Peer
from probe import SOCKET, ask, ask_kept, ask_once, connect, in_threads, probe_world, request


class Workers(unittest.TestCase):
    def test_serves_many_requests_on_one_connection_and_many_connections(self):
        with probe_world('probe-workers') as world:
            with connect() as peer:
                pids = {ask(peer)[0] for _ in range(100)}
                self.assertEqual(len(pids), 1)
            for _ in range(200):
                ask_once()
            self.assertEqual(len(world.starts['unitpost-probe']), 1)
            self.assertEqual(world.journal(PRIORITY='[0-4]'), [])

    def test_pipelined_requests_are_each_answered(self):
        with probe_world('probe-workers'), connect() as peer:
            peer.send_raw(request() * 20)
            for _ in range(20):
                self.assertEqual(peer.receive_answer()[0][0], 'probe')

    def test_ends_when_idle_and_says_so(self):
        with probe_world('probe-workers') as world:
            ask_once()
            world.wait_until_gone('unitpost-probe', 8)
            self.assertEqual(world.exits('unitpost-probe'), ['0'])
            said = world.notifications('unitpost-probe')
            self.assertIn('READY=1', said)
            self.assertEqual(said[-1], 'STOPPING=1')

    def test_an_idle_kept_connection_does_not_keep_the_service(self):
        with probe_world('probe-workers') as world, connect(20) as peer:
            ask(peer)
            start = time.monotonic()
            with self.assertRaises(EOFError):
                peer.receive()
            self.assertLess(time.monotonic() - start, 8)
            world.wait_until_gone('unitpost-probe', 8)

    def test_no_connection_is_lost_around_the_idle_instant(self):
        with probe_world('probe-workers') as world:
            # A thousand, in bursts whose distance sweeps over the second after which it ends.
            for i in range(25):
                in_threads(40, lambda _: ask_once())
                time.sleep(0.9 + 0.02 * i)
            starts = world.starts['unitpost-probe']
            self.assertGreater(len(starts), 3, 'the idle instant was never hit')
            self.assertGreater(min(b - a for a, b in zip(starts, starts[1:])), 1.0)
            self.assertEqual(set(world.exits('unitpost-probe')), {'0'})

    def test_crash_costs_one_request(self):
        with probe_world('probe-workers') as world:
            ask_once()
            with connect() as other:
                ask(other)
                with connect() as peer, self.assertRaises(EOFError):
                    ask(peer, 'crash')
                ask_kept(other)
            start = time.monotonic()
            ask_once()
            self.assertLess(time.monotonic() - start, 0.5, 'a crash in a busy service is not paced')
            entry = world.wait_for_entry(MESSAGE='worker .* was killed by signal 9')
            self.assertEqual(entry['MESSAGE_ID'], '5c1a0e6f2d934b7ea1f08c3b6d2e4a21')
            self.assertEqual(entry['SYSLOG_IDENTIFIER'], 'unitpost/probe-workers')
            self.assertEqual(len(world.starts['unitpost-probe']), 1)

    def test_worker_that_exits_in_a_request_is_logged(self):
        with probe_world('probe-workers') as world:
            with connect() as peer, self.assertRaises(EOFError):
                ask(peer, 'exit', 3)
            world.wait_for_entry(MESSAGE='worker .* ended with status 3')
            ask_once()

    def test_time_limit_ends_one_request(self):
        with probe_world('probe-workers') as world:
            ask_once()
            start = time.monotonic()
            with connect() as peer, self.assertRaises(EOFError):
                ask(peer, 'sleep', 60000)
            self.assertLess(time.monotonic() - start, 5)
            entry = world.wait_for_entry(MESSAGE='more than 2 s')
            self.assertEqual(entry['MESSAGE_ID'], '5c1a0e6f2d934b7ea1f08c3b6d2e4a22')
            ask_once()

    def test_time_limit_is_per_request_not_per_connection(self):
        with probe_world('probe-workers') as world, connect() as peer:
            for _ in range(4):
                ask(peer, 'sleep', 1000)
            time.sleep(3.5)  # nor for the time between two
            ask(peer)
            self.assertEqual(world.journal(MESSAGE='more than'), [])

    def test_client_that_stops_in_the_middle_is_left_after_the_limit(self):
        with probe_world('probe-workers') as world, connect() as peer:
            peer.send_raw(request()[:-3])
            start = time.monotonic()
            with self.assertRaises(EOFError):
                peer.receive()
            self.assertLess(time.monotonic() - start, 4)
            world.wait_for_entry(MESSAGE='timeout', MESSAGE_ID='.*4a24$')
            self.assertEqual(world.journal(MESSAGE='worker .* (killed|ended)'), [])

    def test_unexpected_error_of_a_role_is_logged_and_closes(self):
        with probe_world('probe-workers') as world:
            with connect() as peer, self.assertRaises(EOFError):
                ask(peer, 'fail')
            world.wait_for_entry(MESSAGE='Input/output error')
            ask_once()

    def test_silent_connections_do_not_stop_others(self):
        with probe_world('probe-workers') as world:
            silent = [connect() for _ in range(30)]
            start = time.monotonic()
            for _ in range(50):
                ask_once()
            self.assertLess(time.monotonic() - start, 5)
            for peer in silent:
                peer.close()
            self.assertEqual(world.journal(PRIORITY='[0-4]'), [])

    def test_a_long_request_does_not_delay_kept_connections(self):
        with probe_world('probe-workers'):
            kept = [connect() for _ in range(10)]
            for peer in kept:
                ask(peer)
            for i, peer in enumerate(kept):
                if i % 2 == 0:
                    peer.send_raw(request('sleep', 1500))
            slowest = 0
            for i, peer in enumerate(kept):
                if i % 2:
                    start = time.monotonic()
                    ask_kept(peer)
                    slowest = max(slowest, time.monotonic() - start)
            self.assertLess(slowest, 0.5)
            for i, peer in enumerate(kept):
                if i % 2 == 0:
                    self.assertEqual(peer.receive_answer()[0][0], 'probe')
                peer.close()

    def test_grows_under_load_to_the_limit_and_shrinks(self):
        with probe_world('probe-workers', 'max_idle = 1s\ndefault_process_limit = 8\n') as world:
            start = time.monotonic()
            in_threads(24, lambda _: ask_once('sleep', 500))
            took = time.monotonic() - start
            self.assertGreater(took, 1.4, 'more than 8 at a time')
            self.assertLess(took, 3.0, 'fewer than 8 at a time')
            self.assertLessEqual(len(world.workers('unitpost-probe')), 8)
            world.wait(lambda: len(world.workers('unitpost-probe')) < 3, 'it shrinks', 5)
            world.wait_until_gone('unitpost-probe', 8)

    def test_no_request_on_a_kept_connection_is_lost_when_workers_are_few(self):
        def client(_):
            peer, n_reconnects = connect(), 0
            for _ in range(400):
                try:
                    ask(peer)
                except BrokenPipeError:
                    peer.close()
                    peer = connect()
                    ask(peer)
                    n_reconnects += 1
            peer.close()
            return n_reconnects

        main_cf = 'max_idle = 1s\ndefault_process_limit = 3\n'
        with probe_world('probe-workers', main_cf) as world:
            self.assertGreater(sum(in_threads(8, client)), 10)
            self.assertEqual(world.journal(PRIORITY='[0-4]'), [])

    def test_a_spare_worker_waits_while_others_are_busy(self):
        with probe_world('probe-workers') as world:
            ask_once()
            with connect() as peer:
                peer.send_raw(request('sleep', 1800))
                time.sleep(0.3)
                self.assertGreaterEqual(len(world.workers('unitpost-probe')), 2)
                start = time.monotonic()
                ask_once()
                self.assertLess(time.monotonic() - start, 0.1)
                peer.receive_answer()

    def test_requests_do_not_wake_the_supervisor(self):
        with probe_world('probe-workers', 'max_idle = 20s\n') as world:
            # The one wake-up there is finds a worker idle again: a spare is due all the same.
            world.command('start unitpost-probe')
            world.wait_until_running('unitpost-probe')
            world.wait(lambda: len(world.workers('unitpost-probe')) == 1, 'its first worker')
            time.sleep(0.2)
            world.kill('unitpost-probe', signal.SIGSTOP)
            ask_once()
            world.kill('unitpost-probe', signal.SIGCONT)
            world.wait(lambda: len(world.workers('unitpost-probe')) == 2, 'a spare worker')
            time.sleep(0.2)
            before = probe.n_wakeups(world.pids['unitpost-probe'])
            for _ in range(300):
                ask_once()
            self.assertLess(probe.n_wakeups(world.pids['unitpost-probe']) - before, 5)

    def test_reload_takes_a_good_configuration_and_finishes_the_old(self):
        with probe_world('probe-workers', 'max_idle = 2s\nmail_name = one\n') as world:
            self.assertEqual(ask_once()[1], 'one')
            with connect() as peer, connect() as kept:
                ask(kept)
                peer.send_raw(request('sleep', 700))
                time.sleep(0.1)
                world.write_main_cf('max_idle = 2s\nmail_name = two\n')
                world.kill('unitpost-probe', signal.SIGHUP)
                world.wait(lambda: world.notifications('unitpost-probe').count('READY=1') == 2,
                           'it is ready again')
                self.assertEqual(ask_once()[1], 'two')
                self.assertEqual(peer.receive_answer()[0][1]['text'], 'one')
            self.assertEqual(len(world.starts['unitpost-probe']), 1)

    def test_reload_keeps_the_last_good_configuration(self):
        with probe_world('probe-workers', 'max_idle = 2s\nmail_name = one\n') as world:
            ask_once()
            world.write_main_cf('max_idle = soon\nmail_name = two\n')
            world.kill('unitpost-probe', signal.SIGHUP)
            entry = world.wait_for_entry(MESSAGE='max_idle')
            self.assertEqual(entry['MESSAGE_ID'], '5c1a0e6f2d934b7ea1f08c3b6d2e4a30')
            self.assertEqual(ask_once()[1], 'one')

    def test_no_request_is_lost_while_reloading(self):
        with probe_world('probe-workers') as world:
            ask_once()
            stop = threading.Event()

            def reload():
                while not stop.wait(0.05):
                    world.kill('unitpost-probe', signal.SIGHUP)

            thread = threading.Thread(target=reload)
            thread.start()
            try:
                in_threads(8, lambda _: [ask_once() for _ in range(100)])
            finally:
                stop.set()
                thread.join()
            self.assertEqual(len(world.starts['unitpost-probe']), 1)
            world.wait(lambda: len(world.workers('unitpost-probe')) < 4, 'old workers go', 5)

    def test_sigterm_finishes_the_request_in_hand(self):
        with probe_world('probe-workers') as world, connect() as peer:
            ask(peer)
            peer.send_raw(request('sleep', 800))
            time.sleep(0.2)
            start = time.monotonic()
            world.kill('unitpost-probe')
            self.assertEqual(peer.receive_answer()[0][0], 'probe')
            world.wait_until_gone('unitpost-probe', 2)
            self.assertLess(time.monotonic() - start, 1.5)
            self.assertEqual(world.exits('unitpost-probe'), ['0'])
            self.assertEqual(world.journal(PRIORITY='[0-4]'), [])

    def test_sigterm_when_idle_ends_at_once(self):
        with probe_world('probe-workers', 'max_idle = 60s\n') as world, connect() as peer:
            ask(peer)
            start = time.monotonic()
            world.kill('unitpost-probe')
            world.wait_until_gone('unitpost-probe', 2)
            self.assertLess(time.monotonic() - start, 1)

    def test_workers_do_not_outlive_a_killed_supervisor(self):
        with probe_world('probe-workers', 'max_idle = 60s\n') as world, connect() as peer:
            ask(peer)
            workers = world.workers('unitpost-probe')
            peer.send_raw(request('sleep', 600))
            time.sleep(0.1)
            world.kill('unitpost-probe', signal.SIGKILL)
            self.assertEqual(peer.receive_answer()[0][0], 'probe')
            until = time.monotonic() + 3
            while any(probe.is_running(pid) for pid in workers) and time.monotonic() < until:
                time.sleep(0.05)
            self.assertEqual([pid for pid in workers if probe.is_running(pid)], [])

    def test_crash_at_start_is_paced(self):
        with probe_world('probe-workers', 'max_idle = 1s\nmail_name = crash-at-start\n') as world:
            with Peer(SOCKET, timeout=20) as waiting:
                time.sleep(5)
                crashes = len(world.journal(MESSAGE='killed by signal 6'))
                self.assertIn(crashes, range(3, 8))
                self.assertEqual(len(world.starts['unitpost-probe']), 1, 'somebody waits')
                world.write_main_cf('max_idle = 1s\n')
                with contextlib.suppress(KeyError, ProcessLookupError):  # between two starts
                    world.kill('unitpost-probe', signal.SIGHUP)
                start = time.monotonic()
                self.assertEqual(waiting.receive()[0], b'H')
                self.assertLess(time.monotonic() - start, 2.5)

    def test_bad_configuration_is_paced_and_recovers_by_itself(self):
        with probe_world('probe-workers', 'max_idle = soon\n') as world:
            with Peer(SOCKET, timeout=20) as waiting:
                time.sleep(3)
                self.assertEqual(set(world.exits('unitpost-probe')), {'78'})
                self.assertLessEqual(len(world.starts['unitpost-probe']), 4)
                world.write_main_cf('max_idle = 1s\n')
                self.assertEqual(waiting.receive()[0], b'H')

    def test_never_a_clean_exit_within_a_second_of_the_start(self):
        with probe_world('probe-workers', 'max_idle = 1s\nmail_name = crash-at-start\n') as world:
            for _ in range(2):
                world.command('start unitpost-probe')
                world.wait_until_running('unitpost-probe')
                start = time.monotonic()
                world.wait_until_gone('unitpost-probe', 8)
                self.assertIn(round(time.monotonic() - start, 1), (1.0, 1.1, 1.2))
            self.assertEqual(world.exits('unitpost-probe'), ['0', '0'])

    def test_connections_of_one_uid_are_limited(self):
        with probe_world('probe-workers') as world:
            ask_once()
            held = [connect() for _ in range(60)]
            with Peer(SOCKET) as peer, self.assertRaises(EOFError):
                peer.receive()
            for peer in held:
                peer.close()
            time.sleep(0.1)
            ask_once()
            self.assertEqual(len(world.starts['unitpost-probe']), 1)

    def test_only_the_named_peers_are_taken(self):
        with probe_world('probe-daemon-only') as world:
            for _ in range(5):
                with Peer(SOCKET) as peer, self.assertRaises(EOFError):
                    peer.receive()
            world.wait_for_entry(MESSAGE='refused a connection from uid 0')
            entries = world.journal(MESSAGE='refused a connection from uid 0')
            self.assertLess(len(entries), 3, 'one line a second')
            self.assertEqual(entries[0]['MESSAGE_ID'], '5c1a0e6f2d934b7ea1f08c3b6d2e4a23')
            client = 'import sys, harness\n' \
                     f'harness.Peer({SOCKET!r}, "probe-daemon-only").close()'
            with open(harness.__file__, encoding='utf-8') as file:
                text = file.read()
            with open('/run/harness.py', 'w', encoding='utf-8') as file:
                file.write(text)
            done = world.run_as('daemon', ['/usr/bin/python3', '-B', '-c', client],
                                env={'PYTHONPATH': '/run'})
            self.assertEqual(done.returncode, 0, done.stderr.decode())

    def test_out_of_descriptors_does_not_spin_and_recovers(self):
        with probe_world('probe-workers', 'max_idle = 20s\n') as world:
            ask_once()
            full = world.workers('unitpost-probe')
            for pid in full:
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 1024))
            with Peer(SOCKET) as peer:
                before = probe.cpu_seconds(world)
                time.sleep(2)
                self.assertLess(probe.cpu_seconds(world) - before, 0.3)
                self.assertIn(len(world.journal(MESSAGE='accept on probe')), range(1, 10))
                for pid in full:
                    # One that was still starting has ended for want of a descriptor.
                    with contextlib.suppress(ProcessLookupError):
                        resource.prlimit(pid, resource.RLIMIT_NOFILE, (1024, 1024))
                self.assertEqual(peer.receive()[0], b'H')

    def test_strangers_bytes_do_no_harm(self):
        random.seed(1)
        with probe_world('probe-workers') as world:
            for i in range(200):
                with Peer(SOCKET) as peer:
                    peer.receive()
                    data = random.randbytes(random.randrange(1, 300))
                    if i % 2:
                        data = probe.mutate(request())
                    with probe.suppress_broken():
                        peer.send_raw(data)
                        if i % 3:
                            peer.socket.shutdown(socket.SHUT_WR)
                            peer.receive()
            ask_once()
            self.assertEqual(world.journal(MESSAGE='worker .* was killed'), [])
            self.assertEqual(len(world.starts['unitpost-probe']), 1)

    def test_superfluous_descriptors_are_refused_and_closed(self):
        with probe_world('probe-workers') as world:
            ask_once()
            for n in (1, 2, 100, 253):
                with connect() as peer:
                    with probe.suppress_broken():
                        peer.send_raw(request()[:1], [0] * n)
                        peer.send_raw(request()[1:])
                        peer.receive_answer()
            ask_once()
            for pid in world.workers('unitpost-probe'):
                self.assertLess(len(os.listdir(f'/proc/{pid}/fd')), 20)
            self.assertEqual(world.journal(MESSAGE='worker .* was killed'), [])

    def test_workers_do_not_inherit_systemds_variables(self):
        # A worker's environment block is the one of the start; what children get is what counts,
        # and that is what unsetenv() changed. Seen in the memory of the worker, by its absence in
        # the notifications: only the main process may have sent any.
        with probe_world('probe-workers') as world:
            ask_once()
            main = world.wait_until_running('unitpost-probe')
            world.wait_until_gone('unitpost-probe', 8)
            senders = {int(words[2]) for _, words in world.events if words[0] == 'notify'}
            self.assertEqual(senders, {main})

    def test_service_name_is_in_the_log_and_reads_its_own_settings(self):
        with probe_world('probe-workers', options='--service=other -o max_idle=1s') as world:
            os.makedirs('/etc/unitpost/service')
            with open('/etc/unitpost/service/other.cf', 'w', encoding='utf-8') as file:
                file.write('mail_name = third\n')
            self.assertEqual(ask_once()[1], 'third')
            with connect() as peer, self.assertRaises(EOFError):
                ask(peer, 'crash')
            entry = world.wait_for_entry(MESSAGE='was killed')
            self.assertEqual(entry['SYSLOG_IDENTIFIER'], 'unitpost/other/probe-workers')

    def test_misspelt_parameters_are_told_once(self):
        with probe_world('probe-workers', 'max_idle = 1s\nmax_idel = 3s\n') as world:
            for _ in range(5):
                ask_once()
            self.assertEqual(len(world.journal(MESSAGE='max_idel')), 1)


if __name__ == '__main__':
    unittest.main(verbosity=2)
