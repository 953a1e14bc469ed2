"""The two systems of the oracle test, and how each is worked."""

import json
import re
import shlex

import machine
import postfix
from oracle import COMMON, IN


class Side:
    """One of the two mail systems; subclasses know how to work it."""

    name = ''
    spool = ''
    commands = ''
    log_tag = ''
    directories = ()

    def __init__(self, booted):
        self.machine = booted

    def start(self, group):
        raise NotImplementedError

    def name_directory(self, path):
        """Where commands start unless command_execution_directory says so. Postfix's queue
        directory is of no use to them, and agents of unitpost see none: a user's start in the
        home."""
        return '(the default)' if re.fullmatch(self.directories, path) else path

    def stop(self):
        raise NotImplementedError

    def send(self, group):
        """Submit every message of GROUP; {case name: why not} of what sendmail refused."""
        script = []
        for case in group.cases:
            text = case.message_header() + '\n' + case.body
            self.machine.path(f'{IN}/{case.name}').write_bytes(text.encode())
            words = [f'{self.commands}/sendmail', '-i', '-f', case.sender, '--', *case.recipients()]
            script.append(f'{shlex.join(words)} < {IN}/{case.name} 2> /tmp/refused || '
                          f'echo "{case.name} $? $(head -n 1 /tmp/refused)"')
        refused = self.machine.run('\n'.join(script)).splitlines()
        return {line.split(' ', 1)[0]: line.split(' ', 1)[1] for line in refused}

    def wait_until_quiet(self):
        """Until nothing is on its way: what is left waits for another attempt. Files move one way,
        so two looks in that order that find nothing are enough."""
        quiet = (f'cd {self.spool}; for n in 1 2; do for d in maildrop incoming active; do '
                 '[ -z "$(find $d -type f ! -name ".*")" ] || exit 0; done; sleep 0.05; done; '
                 'echo quiet')
        try:
            machine.wait_for(lambda: self.machine.run(quiet).strip() == 'quiet', 60,
                             f'an end of {self.name}\'s deliveries')
        except TimeoutError as error:
            left = self.machine.run(f'find {self.spool} -type f; journalctl --no-pager -n 40 '
                                    'SYSLOG_FACILITY=2')
            raise TimeoutError(f'{error}\n{left}') from error

    def waiting(self):
        """[(queue ID, recipient, reason)] of what is deferred."""
        text = self.machine.run(f'{self.commands}/postqueue -j')
        rows = [json.loads(line) for line in text.splitlines()]
        return [(row['queue_id'], rcpt['address'], rcpt.get('delay_reason', ''))
                for row in rows for rcpt in row['recipients']]


class Postfix(Side):
    name = 'postfix'
    spool = postfix.SPOOL
    commands = postfix.COMMANDS
    log_tag = 'postfix/'
    directories = postfix.SPOOL

    def start(self, group):
        postfix.configure(self.machine, {**COMMON, **group.parameters})
        for spec in alias_sources(group):
            self.machine.run(f'{self.commands}/postalias {spec}', check=False)
        postfix.start(self.machine)

    def stop(self):
        postfix.stop(self.machine)
        postfix.wipe_queue(self.machine)


class Unitpost(Side):
    name = 'unitpost'
    spool = '/var/spool/unitpost'
    commands = '/usr/sbin'
    log_tag = 'unitpost/'

    def start(self, group):
        is_set = 'command_execution_directory' in group.parameters
        self.directories = '/' if is_set else '/|/home/[^/]*|/root'
        text = ''.join(f'{name} = {value}\n'
                       for name, value in {**COMMON, **group.parameters}.items())
        self.machine.write('/etc/unitpost/main.cf', text)

    def stop(self):
        self.machine.run(
            "systemctl stop 'unitpost-*.service'; "
            f'cd {self.spool} && find maildrop incoming active deferred '
            '-type f ! -name ".*" -delete')


SIDES = {'postfix': Postfix, 'unitpost': Unitpost}


def alias_sources(group):
    """Every hash: source that alias_maps names."""
    return re.findall(r'hash:/[^,\s]+', {**COMMON, **group.parameters}['alias_maps'])
