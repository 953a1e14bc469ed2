"""A service that cannot start: paced by systemd, nothing lost, and well again by itself as soon as
it is repaired, without a systemctl."""

import time

import case
import machine

SECONDS = 60
LIBRARY = '/usr/lib/unitpost'
CRASHING = '#!/bin/sh\nexit 1\n'


class Broken(case.Case):
    # Short waits between attempts, so that the test need not wait for five minutes.
    config = '''max_idle = 5s
transport_retry_time = 5s
minimal_backoff_time = 5s
maximal_backoff_time = 10s
queue_run_delay = 5s
'''

    def break_role(self, role, how):
        self.machine.run(f'mv {LIBRARY}/{role} {LIBRARY}/.{role}')
        if how == 'crash':
            self.machine.write(f'{LIBRARY}/{role}', CRASHING, mode=0o755)

    def repair_role(self, role):
        self.machine.run(f'mv {LIBRARY}/.{role} {LIBRARY}/{role}')

    def load(self, prefix, recipient):
        """A mail every half second for SECONDS; the bodies of those that were accepted."""
        accepted = []
        end = time.monotonic() + SECONDS
        number = 0
        while time.monotonic() < end:
            number += 1
            body = f'{prefix}-{number}'
            status, _ = self.machine.status_of(
                f'echo {body} | timeout 5 /usr/sbin/sendmail -i {recipient}', user='alice')
            if status == 0:
                accepted.append(body)
            time.sleep(0.5)
        return number, accepted

    def check(self, broken):
        self.machine.wait_until_idle(60)
        self.machine.run('rm -f /var/mail/bob')
        cpu = self.machine.cpu_seconds()
        before = {role: self.machine.starts(f'unitpost-{role}.service') for role in broken}
        for role, how in broken.items():
            self.break_role(role, how)
        n_sent, accepted = self.load('-'.join(broken), 'bob')
        cpu = self.machine.cpu_seconds() - cpu
        for role, how in broken.items():
            n = self.machine.starts(f'unitpost-{role}.service') - before[role]
            self.figure(f'{role} ({how}): {n} starts in {SECONDS} s')
            self.assertGreater(n, 0, role)
            self.assertLessEqual(n, SECONDS + 5, role)
        self.figure(f'{len(accepted)} of {n_sent} accepted; {cpu:.1f} s of processor time')
        repaired = time.monotonic()
        for role in broken:
            self.repair_role(role)
        mails = self.machine.wait_for_mail('bob', len(accepted), timeout=150)
        bodies = {mail.get_payload().strip() for mail in mails}
        self.assertLessEqual(set(accepted), bodies)
        self.figure(f'all there {time.monotonic() - repaired:.1f} s after the repair, '
                    f'{len(mails) - len(bodies)} duplicates')
        self.machine.wait_until_idle(60)
        self.assert_all_quiet()
        return len(accepted)

    def test_cleanup_crashes_and_local_is_missing(self):
        self.assertGreater(self.check({'cleanup': 'crash', 'local': 'missing'}), 50)

    def test_pickup_crashes_and_qmgr_is_missing(self):
        self.assertGreater(self.check({'pickup': 'crash', 'qmgr': 'missing'}), 50)

    def test_postdrop_is_missing_and_a_waiting_client_is_served(self):
        self.machine.wait_until_idle(60)
        self.machine.run('rm -f /var/mail/bob')
        self.break_role('postdrop', 'missing')
        waiting = self.machine.start('echo waited | /usr/sbin/sendmail -i bob', user='alice')
        time.sleep(10)
        self.assertIsNone(waiting.poll())
        self.repair_role('postdrop')
        repaired = time.monotonic()
        self.assertEqual(waiting.wait(10), 0)
        self.figure(f'served {time.monotonic() - repaired:.1f} s after the repair')
        self.machine.wait_for_mail('bob', 1)
        self.machine.wait_until_idle(60)
        self.assert_all_quiet()


if __name__ == '__main__':
    case.main()
