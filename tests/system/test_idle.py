"""Nothing runs when there is nothing to do; and nothing is lost at the moment of going."""

import random
import time

import case
import machine

N_SPACED = 200


class Idle(case.Case):
    """With the default max_idle of 30 s."""

    def test_sixty_seconds_after_the_last_mail_nothing_runs(self):
        self.machine.send('alice', 'bob', 'the last')
        self.machine.send('alice', 'no-such-user', 'returned')
        sent = time.monotonic()
        self.machine.wait_for_mail('bob', 1)
        self.machine.wait_for_mail('alice', 1)
        self.machine.run('mailq')
        self.machine.wait_until_idle(60)
        self.figure(f'empty {time.monotonic() - sent:.1f} s after the last mail')
        time.sleep(max(0, sent + 60 - time.monotonic()))
        self.assert_all_quiet()

    def test_waiting_mail_keeps_nothing_running(self):
        self.machine.run('useradd ivan; touch /var/mail/ivan; chown bob /var/mail/ivan')
        self.machine.send('alice', 'ivan', 'deferred')
        machine.wait_for(lambda: self.machine.run('ls /var/spool/unitpost/deferred'), 20,
                         'a deferred message')
        self.machine.wait_until_idle(60)
        self.assertNotEqual(self.machine.run('ls /var/spool/unitpost/deferred'), '')
        self.assertEqual(self.machine.failed_units(), [])
        # The minute's timer finds it, though nobody sends anything.
        self.machine.run('rm /var/mail/ivan')
        self.machine.run('for d in /var/spool/unitpost/deferred/*; do '
                         'mv $d /var/spool/unitpost/deferred/$(( ($(date +%s) / 64) * 64 )); done')
        started = time.monotonic()
        self.machine.wait_for_mail('ivan', 1, timeout=90)
        self.figure(f'due mail was found by the timer after {time.monotonic() - started:.0f} s')
        self.machine.wait_until_idle(60)
        self.assert_all_quiet()


class Spaced(case.Case):
    """Mails aimed at the moment when the services go."""

    config = 'max_idle = 1s\n'

    def test_mails_spaced_around_the_idle_limit(self):
        seed = random.randrange(1 << 32)
        chance = random.Random(seed)
        slowest = 0
        for number in range(N_SPACED):
            started = time.monotonic()
            self.machine.send('alice', 'bob', f'number-{number}')
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(chance.uniform(0.7, 1.15))
        mails = self.machine.wait_for_mail('bob', N_SPACED)
        bodies = [mail.get_payload().strip() for mail in mails]
        self.assertEqual(sorted(bodies), sorted(f'number-{n}' for n in range(N_SPACED)))
        starts = {name: self.machine.starts(f'unitpost-{name}.service')
                  for name in ('postdrop', 'pickup', 'cleanup', 'qmgr', 'local')}
        self.figure(f'seed {seed}: {N_SPACED} mails, slowest sendmail {slowest * 1000:.0f} ms, '
                    f'starts {starts}')
        self.assertGreater(min(starts.values()), N_SPACED // 10)
        self.machine.wait_until_idle(60)
        self.assert_all_quiet()


if __name__ == '__main__':
    case.main()
