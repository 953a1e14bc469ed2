"""One message to 100,000 recipients, nearly all of whom do not exist, through every role: the
memory of each stays small, and so does the notice."""

import contextlib
import os
import re
import time
import unittest

import harness

N_ELSEWHERE = 98000  # error takes many at once
N_STRANGERS = 2000   # local takes one at a time

MEMORY_MAX_KB = 20000
# A sanitizer keeps what was freed.
MEMORY_SLACK = 20 if 'san' in os.path.basename(harness.BUILD) else 1
SECONDS = 240


def peak_kb(pid):
    """The most that a process has had resident; 0 when it is gone."""
    with contextlib.suppress(OSError):
        with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
            found = re.search(r'VmHWM:\s+(\d+)', file.read())
        return int(found.group(1)) if found else 0
    return 0


class Many(unittest.TestCase):
    def setUp(self):
        self.world = harness.World(main_cf='myhostname = host.example\nmyorigin = host.example\n'
                                           'mydestination = host.example\n')
        self.world.__enter__()
        self.addCleanup(self.world.__exit__, None, None, None)
        self.peaks = {}

    def look(self):
        for service, pid in list(self.world.pids.items()):
            for one in [pid, *self.world.workers(service)]:
                self.peaks[service] = max(self.peaks.get(service, 0), peak_kb(one))

    def wait_for_notice(self):
        until = time.monotonic() + SECONDS
        while len(self.world.journal(MESSAGE=': removed$')) < 2:
            self.assertLess(time.monotonic(), until, 'the notice has not come')
            self.look()
            time.sleep(0.1)

    def assert_everybody_is_in_the_notice(self, n_recipients):
        notice = self.world.mailbox('alice')
        omitted = re.search(rb'^X-Unitpost-Omitted: (\d+)', notice, re.MULTILINE)
        listed = len(re.findall(rb'^Final-Recipient:', notice, re.MULTILINE))
        self.assertEqual(int(omitted.group(1)) + listed, n_recipients)

    def test_no_role_takes_much_memory(self):
        addresses = [f'user{i}@example.org' for i in range(N_ELSEWHERE)]
        addresses += [f'stranger{i}' for i in range(N_STRANGERS)]
        content = 'To: bob\nBcc: ' + ',\n '.join(addresses) + '\n\nhello\n'
        self.world.send('alice', [], content.encode(), ['-t'])
        self.wait_for_notice()
        print(', '.join(f'{name.removeprefix("unitpost-")} {size} kB'
                        for name, size in sorted(self.peaks.items())))
        for role in ('bounce', 'cleanup', 'error', 'local', 'pickup', 'postdrop', 'qmgr'):
            self.assertLess(self.peaks[f'unitpost-{role}'], MEMORY_MAX_KB * MEMORY_SLACK, role)
        # Not by the log: of so many lines in a moment the journal may have missed some.
        self.assert_everybody_is_in_the_notice(N_ELSEWHERE + N_STRANGERS)
        self.assertIn(b'\nhello\n', self.world.mailbox('bob'))

    def test_the_notice_is_bounded_and_counts_what_it_leaves_out(self):
        self.world.write_main_cf('message_size_limit = 200000\nmyorigin = host.example\n'
                                 'mydestination = host.example\n')
        strangers = ','.join(f'stranger{i}' for i in range(N_STRANGERS))
        self.world.send('alice', [], f'Bcc: {strangers}\n\nhello\n'.encode(), ['-t'])
        self.wait_for_notice()
        self.assertLess(len(self.world.mailbox('alice')), 200000)
        self.assert_everybody_is_in_the_notice(N_STRANGERS)


if __name__ == '__main__':
    unittest.main()
