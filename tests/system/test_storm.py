"""Five thousand mails from twenty senders while every role is killed again and again: what sendmail
said was accepted is delivered or returned, whole."""

import collections
import os
import pathlib
import random
import re
import signal
import threading
import time

import case
import machine

N_SENDERS = 20
N_EACH = 250
N_LINES = 40
KILLS = 22
ROLES = ('postdrop', 'pickup', 'cleanup', 'qmgr', 'local', 'bounce', 'error', 'showq')
WORKERS = set(ROLES) - {'pickup', 'qmgr'}

# Each attempt has a name of its own, so that one that was not acknowledged is never taken for one
# that was.
SENDER = r'''#!/bin/bash
sender=$1
for number in $(seq NEACH); do
        case $((number % 10)) in
        3) recipient=no-such-user ;;
        7) recipient=someone@elsewhere.example ;;
        *) recipient=$([ $((number % 2)) = 0 ] && echo bob || echo carol) ;;
        esac
        for attempt in $(seq 200); do
                name=s$sender-$number-$attempt
                { printf 'Subject: storm %s\n\nbegin %s\n' $name $name
                  printf "$name line %d\n" {1..NLINES}
                  printf 'end %s\n' $name; } |
                        timeout 60 /usr/sbin/sendmail -i $recipient 2>> /tmp/refused.$sender
                if [ ${PIPESTATUS[1]} = 0 ]; then
                        echo "$name $recipient"
                        break
                fi
                sleep 0.2
        done
        sleep 0.2
done > /tmp/accepted.$sender
'''.replace('NEACH', str(N_EACH)).replace('NLINES', str(N_LINES))


def expected_body(name):
    lines = [f'begin {name}', *(f'{name} line {n}' for n in range(1, N_LINES + 1)), f'end {name}']
    return '\n'.join(lines) + '\n'


class Killer(threading.Thread):
    """Kills a process of each role that is at work, in turn, until each had its share."""

    def __init__(self, booted, chance):
        super().__init__(daemon=True)
        self.machine = booted
        self.chance = chance
        self.kills = collections.Counter()
        self.mains = collections.Counter()
        self.is_over = False

    def processes_of(self, role):
        """Process IDs as this side sees them, the service's main process first."""
        for base in ('', 'unified', 'systemd'):
            unit = (self.machine.root / 'sys/fs/cgroup' / base / 'system.slice' /
                    'system-unitpost.slice' / f'unitpost-{role}.service' / 'cgroup.procs')
            try:
                return [int(word) for word in unit.read_text().split()]
            except OSError:
                continue
        return []

    @staticmethod
    def run_time(pid):
        try:
            return int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return 0

    def kill_one(self, wanted):
        """Kill a process of a role in WANTED that is at work now; of those, the role that was hit
        least. False when none of them is at work."""
        pids = {role: self.processes_of(role) for role in wanted}
        before = {pid: self.run_time(pid) for role in wanted for pid in pids[role]}
        time.sleep(0.005)
        victims = {}
        for role in wanted:
            busy = [pid for pid in pids[role] if self.run_time(pid) > before[pid] > 0]
            # Every third time the main process, which does little itself while its workers work.
            if role in WORKERS and self.kills[role] % 3:
                busy = [pid for pid in busy if pid != pids[role][0]]
            elif busy:
                busy = pids[role][:1]
            if busy:
                victims[role] = self.chance.choice(busy)
        if not victims:
            return False
        role = min(victims, key=lambda name: self.kills[name])
        victim = victims[role]
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return False
        self.kills[role] += 1
        self.mains[role] += victim == pids[role][0]
        return True

    def run(self):
        while not self.is_over:
            wanted = [role for role in ROLES if self.kills[role] < KILLS]
            if not wanted:
                return
            if self.kill_one(wanted):
                time.sleep(self.chance.uniform(0.02, 0.2))


class Storm(case.Case):
    config = '''max_idle = 2s
transport_retry_time = 2s
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
'''

    @classmethod
    def prepare(cls, booting):
        super().prepare(booting)
        booting.write('/usr/local/bin/storm-sender', SENDER, mode=0o755)
        booting.chroot('useradd carol')

    def run_storm(self, killer):
        senders = [self.machine.start(f'/usr/local/bin/storm-sender {n}', user='alice')
                   for n in range(N_SENDERS)]
        # showq is busy when somebody looks at the queue.
        watcher = self.machine.start(
            'while [ ! -e /tmp/over ]; do timeout 10 mailq; sleep 0.05; done > /dev/null 2>&1')
        killer.start()
        try:
            for sender in senders:
                self.assertEqual(sender.wait(400), 0)
        finally:
            killer.is_over = True
            killer.join()
            self.machine.run('touch /tmp/over')
            watcher.wait(20)

    def drain(self, timeout=180):
        """Wait until the queue is empty, without waiting for the back-off of each message."""
        def is_empty():
            self.machine.run('postqueue -f', check=False)
            return not self.machine.run(
                'cd /var/spool/unitpost && find maildrop incoming active deferred '
                '-type f ! -name ".*"')

        try:
            machine.wait_for(is_empty, timeout, 'an empty queue')
        except TimeoutError as error:
            raise TimeoutError(f'{error}\n' + self.machine.run(
                'find /var/spool/unitpost -type f | head -20; mailq | tail -20; '
                'journalctl --no-pager -n 60; systemctl --no-pager status "unitpost-*.service"',
                check=False)) from error

    def accepted(self):
        rows = self.machine.run('cat /tmp/accepted.*').splitlines()
        return dict(row.split(' ', 1) for row in rows)

    def count_copies(self):
        """How often each message came, whole, and how many torn copies there are."""
        whole, torn = collections.Counter(), 0
        for user in ('bob', 'carol'):
            for mail in self.machine.mailbox(user):
                name = (mail['Subject'] or '').removeprefix('storm ')
                if mail.get_payload() == expected_body(name):
                    whole[name] += 1
                else:
                    torn += 1
        for notice in self.machine.mailbox('alice'):
            text = notice.as_string()
            found = re.search(r'^Subject: storm (\S+)$', text, re.M)
            if found and notice.get_content_type() == 'multipart/report':
                whole[found.group(1)] += 1
            else:
                torn += 1
        return whole, torn

    def test_nothing_that_was_accepted_is_lost(self):
        seed = random.randrange(1 << 32)
        killer = Killer(self.machine, random.Random(seed))
        started = time.monotonic()
        self.run_storm(killer)
        ended = time.monotonic()
        self.drain()
        accepted = self.accepted()
        whole, torn = self.count_copies()
        n_refused = int(self.machine.run('cat /tmp/refused.* | grep -c . ; :'))
        lost = [name for name in accepted if whole[name] == 0]
        self.figure(f'seed {seed}: {len(accepted)} mails accepted in {ended - started:.0f} s, '
                    f'queue empty {time.monotonic() - ended:.0f} s later')
        self.figure('kills while busy: ' + ', '.join(
            f'{role} {killer.kills[role]} ({killer.mains[role]} of the main process)'
            for role in ROLES))
        self.figure(f'lost {len(lost)}; duplicates {sum(whole.values()) - len(whole)}, '
                    f'torn copies {torn}, lines of sendmail about attempts that it refused '
                    f'{n_refused}, delivered without an answer {len(set(whole) - set(accepted))}')
        self.assertEqual(lost, [])
        self.assertEqual(len(accepted), N_SENDERS * N_EACH)
        self.assertEqual(torn, 0)
        self.assertGreaterEqual(min(killer.kills[role] for role in ROLES), 20)
        self.assertEqual(self.machine.run('ls /var/spool/unitpost/corrupt'), '')
        self.machine.wait_until_idle(60)
        self.assert_all_quiet()


if __name__ == '__main__':
    case.main()
