"""sendmail's exit 0 is a promise: before it the file's and the directory's fsync have come back.
Shown on a trace of the program that accepts; and the same check must fail under eatmydata, which
makes fsync do nothing."""

import re
import subprocess

import case
import machine

DROP_IN = '/run/systemd/system/unitpost-postdrop.service.d/eatmydata.conf'
EATMYDATA = '''[Service]
Environment=LD_PRELOAD=libeatmydata.so
'''

SYNC = re.compile(r'\bf(?:data)?sync\(\d+<([^>]*)>.*\)\s*= 0')
# strace -f writes a call that another process interrupts on two lines.
BEGUN = re.compile(r'^(\d+)\s+(.*) <unfinished \.\.\.>$')
RESUMED = re.compile(r'^(\d+)\s+<\.\.\. \w+ resumed>(.*)$')


def whole_calls(trace):
    """Lines of a trace in the order in which the calls came back."""
    begun = {}
    for line in trace.splitlines():
        match = BEGUN.match(line)
        if match:
            begun[match.group(1)] = match.group(2)
            continue
        match = RESUMED.match(line)
        if match:
            yield begun.pop(match.group(1), '') + match.group(2)
        else:
            yield line.split(None, 1)[-1]


def synced_before(calls, promise, directory):
    """(file was synced, directory was synced) before the first call that matches PROMISE; None
    when no call does."""
    has_name = file_synced = directory_synced = False
    for call in calls:
        if re.search(promise, call):
            return file_synced, directory_synced
        has_name = has_name or call.startswith(('linkat(', 'renameat2(', 'rename('))
        match = SYNC.search(call)
        if not match:
            continue
        path = match.group(1)
        if path == directory:
            # A directory's fsync counts only after the entry was made in it.
            directory_synced = has_name
        elif path.startswith(directory + '/'):
            file_synced = True
    return None


# An answer: what goes out on a connection, but for lines to the journal.
ANSWER = r'^(?!.*"MESSAGE=)(?:sendmsg|sendto|write|writev)\(\d+<(?:UNIX|socket)'
SPOOL = '/var/spool/unitpost'


def answered_when_safe(calls, directory):
    """synced_before() the first answer after a file was made in DIRECTORY."""
    for n, call in enumerate(calls):
        if call.startswith('open') and directory in call and re.search('O_TMPFILE|O_CREAT', call):
            return synced_before(calls[n:], ANSWER, directory)
    return None


class Durability(case.Case):
    def trace_one(self, role):
        """Trace of ROLE while one mail to bob passes."""
        n = len(self.machine.mailbox('bob'))
        # Warm, so that the processes that will do it are there to be attached to.
        self.machine.send('alice', 'bob', 'warm')
        self.machine.wait_for_mail('bob', n + 1)
        self.machine.run('rm -f /tmp/trace')
        tracer = self.machine.start(f'exec strace -f -y -s 16 -o /tmp/trace '
                                    f'$(pidof {role} | sed "s/[0-9][0-9]*/-p &/g")',
                                    stderr=subprocess.DEVNULL)
        n_processes = len(self.machine.run(['pidof', role]).split())
        count = 'grep -l "^TracerPid:.[1-9]" /proc/[0-9]*/status | wc -l'
        machine.wait_for(lambda: int(self.machine.run(count)) >= n_processes, 10, 'strace')
        self.machine.send('alice', 'bob', 'traced')
        self.machine.wait_for_mail('bob', n + 2)
        self.machine.run('kill $(pidof strace)')
        tracer.wait(10)
        return list(whole_calls(self.machine.run('cat /tmp/trace')))

    def test_postdrop_syncs_file_and_directory_before_it_answers(self):
        calls = self.trace_one('postdrop')
        self.figure('; '.join(call for call in calls if 'sync(' in call))
        self.assertEqual(answered_when_safe(calls, f'{SPOOL}/maildrop'), (True, True))

    def test_cleanup_syncs_file_and_directory_before_it_answers(self):
        calls = self.trace_one('cleanup')
        self.assertEqual(answered_when_safe(calls, f'{SPOOL}/incoming'), (True, True))

    def test_local_syncs_the_mailbox_before_it_answers(self):
        calls = self.trace_one('local')
        mailbox = [n for n, call in enumerate(calls)
                   if re.match(r'p?writev?(?:64)?\(\d+</var/mail/bob>', call)]
        self.assertTrue(mailbox)
        self.assertEqual(synced_before(calls[mailbox[0]:], ANSWER, '/var/mail')[0], True)

    def test_the_check_fails_under_eatmydata(self):
        self.machine.write(DROP_IN, EATMYDATA)
        self.machine.run('systemctl daemon-reload; systemctl stop unitpost-postdrop.service')
        try:
            calls = self.trace_one('postdrop')
            self.assertEqual(answered_when_safe(calls, f'{SPOOL}/maildrop'), (False, False))
        finally:
            self.machine.path(DROP_IN).unlink()
            self.machine.run('systemctl daemon-reload; systemctl stop unitpost-postdrop.service')

    def trace_root(self, preload=''):
        """Trace of root's sendmail, which writes maildrop itself when nobody listens."""
        self.machine.run('systemctl stop unitpost.target')
        self.machine.run(f'echo x | {preload} strace -f -y -s 16 -o /tmp/trace '
                         '/usr/sbin/sendmail -i bob')
        calls = list(whole_calls(self.machine.run('cat /tmp/trace')))
        self.machine.run('systemctl start unitpost.target')
        return synced_before(calls, r'^(?:exit_group\(0\)|\+\+\+ exited with 0)',
                             f'{SPOOL}/maildrop')

    def test_roots_sendmail_syncs_both_before_exit_0(self):
        self.assertEqual(self.trace_root(), (True, True))

    def test_roots_sendmail_under_eatmydata_fails_the_check(self):
        self.assertEqual(self.trace_root('LD_PRELOAD=libeatmydata.so'), (False, False))


if __name__ == '__main__':
    case.main()
