"""Plays the cases of the oracle test on one side, and says what happened; see oracle.py."""

import email
import email.utils
import hashlib
import os
import pathlib
import re
import stat
import sys
import time

import machine
import postfix
from oracle import IN, OUT, World
from oracle_sides import SIDES

SCANNED = ('/home', '/root', '/var/mail', '/srv')
# local(8)'s list; what else a command finds in its environment is not compared.
ENVIRONMENT = (r'(SHELL|HOME|USER|EXTENSION|DOMAIN|LOGNAME|LOCAL|RECIPIENT|SENDER|'
               r'ORIGINAL_RECIPIENT|CLIENT_\w+|SASL_\w+|'
               # ... but for what systemd gives to services, which no command may inherit.
               r'NOTIFY_SOCKET|LISTEN_\w+|WATCHDOG_\w+|JOURNAL_STREAM|CREDENTIALS_DIRECTORY|'
               r'INVOCATION_ID|SYSTEMD_\w+)=')
TRACE_FIELDS = (b'return-path', b'x-original-to', b'delivered-to')


def list_files(booted):
    """{path in the machine: (inode, size, digest)} of every file below SCANNED."""
    found = {}
    for top in SCANNED:
        for directory, _, names in os.walk(booted.path(top)):
            for name in names:
                path = pathlib.Path(directory, name)
                status = path.lstat()
                shown = '/' + str(path.relative_to(booted.root))
                digest = hashlib.sha1(path.read_bytes() if stat.S_ISREG(status.st_mode)
                                      else b'').digest()
                found[shown] = (status.st_ino, status.st_size, digest)
    return found


class Observation:
    """How one side plays one group, and what it made of it."""

    def __init__(self, side, world, group):
        self.side = side
        self.machine = side.machine
        self.world = world
        self.group = group
        self.cases = {case.name: case for case in group.cases}
        self.blocks = {name: [] for name in self.cases}
        self.remarks = []        # (case, line) for a reader; not compared
        self.case_of_id = {}     # queue ID: case name
        self.user_names = self._names('/etc/passwd')
        self.group_names = self._names('/etc/group')

    def _names(self, path):
        rows = [line.split(':') for line in self.machine.path(path).read_text().splitlines()]
        return {int(row[2]): row[0] for row in rows}

    def play(self):
        """{case name: sorted blocks}."""
        self.world.reset(self.machine, self.group)
        before = list_files(self.machine)
        cursor = self._cursor()
        self.side.start(self.group)
        # The index of an alias file is no outcome.
        before.update({path: mark for path, mark in list_files(self.machine).items()
                       if path.endswith('.db')})
        try:
            refused = self.side.send(self.group)
            self.side.wait_until_quiet()
            self._read_log(cursor)
            self._read_queue()
        finally:
            self.side.stop()
        for name, text in refused.items():
            self._add(name, f'sendmail refused: status {text.split()[0]}')
            self.remarks.append((name, text))
        for path, mark in list_files(self.machine).items():
            if before.get(path) != mark and not path.startswith(f'{IN}/'):
                old = before.get(path, (0, 0, 0))
                self._read_file(path, old[1] if old[0] == mark[0] and old[1] < mark[1] else 0)
        return {name: sorted(blocks) for name, blocks in self.blocks.items()}

    def _add(self, name, block):
        if name not in self.blocks:   # nothing may appear from nowhere: the first case pays
            block = f'from nowhere: {block}'
            name = next(iter(self.blocks))
        self.blocks[name].append(block)

    # ---- log and queue ----

    def _cursor(self):
        text = self.machine.run('journalctl --sync; journalctl -n 0 --show-cursor')
        return text.split('cursor: ')[1].strip()

    def _read_log(self, cursor):
        rows = self.machine.journal(f'--after-cursor={cursor}')
        lines = [row['MESSAGE'] for row in rows
                 if row.get('SYSLOG_IDENTIFIER', '').startswith(self.side.log_tag)
                 and isinstance(row.get('MESSAGE'), str)]
        message_ids = {}
        for line in lines:
            found = re.match(r'(\w+): (?:resent-)?message-id=<(.*)>$', line)
            if found:
                message_ids[found[1]] = found[2]
        cases = {f'{name}@oracle.test': name for name in self.cases}
        for line in lines:   # in the order of events: a notice about a notice is the same case
            found = re.match(r'(\w+): (?:sender|postmaster) [\w-]+ notification: (\w+)', line)
            if found and message_ids.get(found[1]) in cases:
                cases[message_ids.get(found[2], found[2])] = cases[message_ids[found[1]]]
        self.case_of_id = {queue_id: cases[message_id] for queue_id, message_id
                           in message_ids.items() if message_id in cases}
        for line in lines:
            self._read_log_line(line)

    def _read_log_line(self, line):
        found = re.match(r'(\w+): (to=<.*>), (?:(orig_to=<.*>), )?relay=([^,]*), (?:[^(]*, )?'
                         r'(dsn=[^,]*), (status=\w+) \((.*)\)$', line)
        if not found:
            if re.search(r'warning|fatal|error:', line):
                self.remarks.append((None, line))
            return
        queue_id, to, orig_to, relay, dsn, status, text = found.groups()
        words = [word for word in (to, orig_to, dsn, status) if word]
        # What is said of mail that was delivered is one of few texts, which log readers know; the
        # wording of failures is each system's own.
        text = re.sub(r'forwarded as \w+', 'forwarded as ID', text)
        shown = f' ({text})' if status == 'status=sent' else ''
        name = self.case_of_id.get(queue_id, '?')
        self._add(name, f'log: {" ".join(words)}{shown}')
        if not shown:
            self.remarks.append((name, f'{" ".join(words)} relay={relay} ({text})'))

    def _read_queue(self):
        for queue_id, recipient, reason in self.side.waiting():
            name = self.case_of_id.get(queue_id, '?')
            self._add(name, f'waits in the queue: {recipient}')
            self.remarks.append((name, f'{recipient} waits: {reason}'))

    # ---- files ----

    def _read_file(self, path, old_size):
        real = self.machine.path(path)
        status = real.lstat()
        owner = (f'{self.user_names.get(status.st_uid)}:{self.group_names.get(status.st_gid)} '
                 f'{stat.S_IMODE(status.st_mode):o}')
        if not stat.S_ISREG(status.st_mode):
            self._add(self._case_of_path(path), f'appeared: {path}, not a regular file')
            return
        data = real.read_bytes()[old_size:]
        if path.startswith(f'{OUT}/commands/'):
            self._read_command(data)
        elif re.search(r'/new/[^/]+$', path):
            place = re.sub(r'new/[^/]+$', '', path)
            self._add(case_in(data), f'maildir {place} ({owner})\n'
                      + self.describe(data))
        elif data.startswith(b'From ') or b'\nFrom ' in data:
            for message in split_mbox(data):
                self._add(case_in(message), f'mailbox {path} ({owner})\n'
                          + self.describe(message))
        else:
            self._add(self._case_of_path(path), f'file {path} ({owner}): {data[:200]!r}')

    def _case_of_path(self, path):
        for name, case in self.cases.items():
            if set(case.users.split()) & set(path.split('/')):
                return name
        return '?'

    def _read_command(self, data):
        seen, _, stdin = data.partition(b'--stdin--\n')
        lines = seen.decode(errors='backslashreplace').splitlines()
        kept = [line for line in lines if re.match(r'(uid|groups|directory|umask|argument): ', line)
                or re.match(ENVIRONMENT, line)]
        kept = [f'directory: {self.side.name_directory(line[11:])}'
                if line.startswith('directory: ') else line for line in kept]
        name = case_in(stdin) if stdin else self._case_of_arguments(lines)
        order = [line for line in kept if ': ' in line] + sorted(
            line for line in kept if ': ' not in line)
        text = '\n'.join('  ' + line for line in order)
        seen = self.describe(stdin) if stdin else '  no input'
        self._add(name, f'command\n{text}\n{seen}')

    def _case_of_arguments(self, lines):
        for line in lines:
            if line.startswith('argument: case='):
                return line.removeprefix('argument: case=')
        return '?'

    # ---- messages ----

    def describe(self, data):
        """A message as delivered: all that local adds, in order, and whether the rest is whole."""
        lines = []
        if data.startswith(b'From '):
            first, _, data = data.partition(b'\n')
            lines.append('From_ ' + re.sub(rb'  ?\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}$', b' DATE',
                                           first[5:]).decode(errors='backslashreplace'))
        header, _, body = data.partition(b'\n\n')
        fields = re.split(rb'\n(?![ \t])', header)
        n_received = 0
        rest = []
        for field in fields:
            name = field.split(b':')[0].lower()
            if name == b'received':   # each system has its own words there; their number counts
                n_received += 1
            elif name in TRACE_FIELDS:
                lines.append(field.decode(errors='backslashreplace'))
            else:
                rest.append(field)
        lines.append(f'Received: {n_received} times')
        parsed = email.message_from_bytes(data)
        if parsed.get_content_type() == 'multipart/report':
            lines += describe_notice(parsed)
        else:
            lines += self._describe_content(b'\n'.join(rest) + b'\n', body)
        return '\n'.join('  ' + line for line in lines)

    def _describe_content(self, header, body):
        case = self.cases.get(case_in(header))
        if not case:
            return [f'header {header[:200]!r}', f'body {body[:200]!r}']
        sent_header, sent_body = case.message_header().encode(), case.body.encode()
        lines = ['header as sent' if header == sent_header else f'header {header!r}']
        if body == sent_body:
            return lines + ['body as sent']
        if body == sent_body + b'\n':
            return lines + ['body as sent, and an empty line']
        return lines + [f'body of {len(body)} bytes {body[:200]!r}']


def describe_notice(parsed):
    """A failure notice: its addressing and its per-recipient fields (RFC 3464 2.3)."""
    lines = [f'notice from {email.utils.parseaddr(parsed["From"])[1]} to {parsed["To"]}']
    recipients = []
    for part in parsed.walk():
        if part.get_content_type() == 'message/delivery-status':
            for fields in part.get_payload()[1:]:
                # White space behind the type of an address is free (RFC 3464 2.1).
                shown = [f'{name}: {re.sub("; *", "; ", fields[name])}' for name in (
                    'Original-Recipient', 'Final-Recipient', 'Action', 'Status') if fields[name]]
                if shown:
                    recipients.append('; '.join(shown))
        elif part.get_content_type() in ('message/rfc822', 'text/rfc822-headers'):
            lines.append(f'returns {part.get_content_type()}')
    return lines + sorted(recipients)


def case_in(data):
    found = re.search(rb'^X-Case: (\S+)', data, re.M)
    return found[1].decode() if found else '?'


def split_mbox(data):
    """Messages with their From_ line; the empty line that ends each is no part of it."""
    return [part.removesuffix(b'\n') for part in re.split(rb'(?m)^(?=From )', data) if part]


class Bed:
    """A booted machine with both sides; outcomes are made at first use, a group at a time."""

    def __init__(self, suite, groups, install=True):
        self.world = World(groups)
        self.outcomes = {}
        self.remarks = {}
        self.seconds = {}

        def prepare(booting):
            self.world.prepare(booting)
            postfix.place(booting)

        self.machine = machine.Machine(suite, setup=prepare, install=install)

    def outcome(self, side_name, group):
        """{case name: sorted blocks} of GROUP on a side."""
        key = (side_name, group.name)
        if key not in self.outcomes:
            started = time.monotonic()
            observation = Observation(SIDES[side_name](self.machine), self.world, group)
            try:
                self.outcomes[key] = observation.play()
            except (OSError, machine.CommandError) as error:
                self.outcomes[key] = error   # once is enough for all cases of a group
            self.remarks[key] = observation.remarks
            self.seconds[key] = time.monotonic() - started
        if isinstance(self.outcomes[key], Exception):
            raise self.outcomes[key]
        return self.outcomes[key]

    def close(self):
        self.machine.close()


def indent(text):
    return '\n'.join('    ' + line for line in text.splitlines())


def show_case(case, blocks, file):
    print(f'\n--- {case.name}: to {", ".join(case.recipients())}', file=file)
    for line in case.aliases.splitlines()[:8]:
        print(f'    alias    {line}', file=file)
    for entry in case.files:
        print(f'    file     {entry.path} {entry.mode:o} {entry.owner} {entry.text[:200]!r}',
              file=file)
    if case.shell:
        print(f'    shell    {case.shell}', file=file)
    print('  outcome:', file=file)
    for block in blocks:
        print(indent(block), file=file)


def show_group(bed, side_name, group, file=sys.stdout):
    outcome = bed.outcome(side_name, group)
    settings = '; '.join(f'{name} = {value}' for name, value in group.parameters.items())
    print(f'\n=== {group.name}: {settings}', file=file)
    for case in group.cases:
        show_case(case, outcome[case.name], file)
    print('\n  remarks:', file=file)
    for line in dict.fromkeys(line for _, line in bed.remarks[side_name, group.name]):
        print(f'    {line}', file=file)


def main():
    import oracle_settings
    suite, side_name, *names = sys.argv[1:]
    groups = [group for group in oracle_settings.GROUPS if not names or group.name in names]
    machine.end_on_signals()
    bed = Bed(suite, oracle_settings.GROUPS, install=side_name == 'unitpost')
    try:
        print(f'Outcomes on {suite}; Postfix {postfix.version(bed.machine)}')
        for group in groups:
            show_group(bed, side_name, group)
        for key, seconds in bed.seconds.items():
            print(f'{key[0]} {key[1]}: {seconds:.1f} s', file=sys.stderr)
    finally:
        bed.close()


if __name__ == '__main__':
    main()
