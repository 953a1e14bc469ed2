"""Two mail systems in one machine, given the same users, homes, aliases, parameters and mail; what
each made of it, in words that can be compared.

A Case is one message; a Group is all cases that share a main.cf. A side (unitpost, or Debian's
postfix) plays a whole group at once: the world is made anew, all messages are sent, and when the
queue is quiet everything that appeared anywhere is attributed to its case by the header field
X-Case, which each message, each notice about it and each command's input has. The other side
then does the same in the same world. An outcome is a list of blocks of text, one for each thing
that happened, in no order; two sides agree when they have the same blocks.

Here are the cases and the world they happen in; oracle_sides.py works the two systems, and
oracle_play.py plays and reads. `python3 oracle_play.py trixie postfix [GROUP...]` prints the
outcomes of one side.
"""

import dataclasses
import os
import time

HOST = 'mail.test'
SENDER = f'sender@{HOST}'
OUT = '/srv/out'        # files and records of commands; everybody may create there
LISTS = '/srv/lists'    # :include: files
IN = '/srv/in'          # messages to send
RECORD = '/srv/record'
FIRST_UID = 2000

# Both sides' main.cf, below a group's own settings.
COMMON = {
    'myhostname': HOST, 'mydestination': f'{HOST}, localhost', 'myorigin': HOST,
    'alias_maps': 'hash:/etc/aliases', 'alias_database': 'hash:/etc/aliases',
    'default_transport': 'error:5.1.2 nothing leaves this machine',
    'append_dot_mydomain': 'no', 'biff': 'no', 'notify_classes': '',
    'command_time_limit': '20s',
}
# In every /etc/aliases: where failure notices for the sender, and for nobody, end up.
COMMON_ALIASES = f'sender: {OUT}/notices\n'
POSTMASTER_ALIASES = f'postmaster: {OUT}/postmaster\n'
COMMON_USERS = ('ann', 'ben', 'cat')

# Writes all that a command can see into a file of its own: record [-x STATUS] [-s TEXT] [WORD...]
RECORD_SCRIPT = f'''#!/bin/sh
status=0 say= read=cat
while getopts x:s:n option; do
        case $option in
        x) status=$OPTARG ;;
        s) say=$OPTARG ;;
        n) read=true ;;
        *) exit 99 ;;
        esac
done
file=$(mktemp {OUT}/commands/XXXXXXXX) || exit 98
{{
        echo "uid: $(id -un)"
        echo "groups: $(id -Gn)"
        echo "directory: $(pwd)"
        echo "umask: $(umask)"
        for word do echo "argument: $word"; done
        tr '\\0' '\\n' < /proc/$$/environ
        echo --stdin--
        $read
}} > "$file"
[ -z "$say" ] || printf '%s\\n' "$say"
exit "$status"
'''
@dataclasses.dataclass
class File:
    """A file of a case. The path may begin with ~USER; it then is USER's unless OWNER says
    otherwise. Everything else is root's."""

    path: str
    text: str = ''
    mode: int = 0o644
    owner: str = ''


@dataclasses.dataclass
class Case:
    """One message to one or more recipients. USERS are made for it; SHELL is run when all files
    are there (the names of a group's cases should not collide)."""

    name: str
    to: str | list
    aliases: str = ''
    users: str = ''
    files: list = dataclasses.field(default_factory=list)
    shell: str = ''
    sender: str = SENDER
    body: str = 'A body.\n'
    header: str = ''

    def recipients(self):
        return [self.to] if isinstance(self.to, str) else self.to

    def message_header(self):
        return (f'{self.header}From: Sender <{SENDER}>\nTo: Somebody <somebody@other.test>\n'
                f'Subject: {self.name}\nDate: Tue, 24 Nov 2026 12:00:00 +0000\n'
                f'Message-ID: <{self.name}@oracle.test>\nX-Case: {self.name}\n')


@dataclasses.dataclass
class Group:
    """Cases that share main.cf and the text of /etc/aliases."""

    name: str
    parameters: dict
    cases: list
    postmaster: bool = True   # whether /etc/aliases knows a postmaster


def forward(user, text, mode=0o644, owner=''):
    return File(f'~{user}/.forward', text, mode, owner)


class World:
    """Users and files of a machine, as the cases want them."""

    def __init__(self, groups):
        self.groups = groups
        names = dict.fromkeys(COMMON_USERS)
        for group in groups:
            for case in group.cases:
                names.update(dict.fromkeys(case.users.split()))
        self.uids = {name: FIRST_UID + n for n, name in enumerate(names)}

    def prepare(self, booting):
        """Users, once, before the boot."""
        passwd = ''.join(f'{name}:x:{uid}:{uid}::/home/{name}:/bin/sh\n'
                         for name, uid in self.uids.items())
        group = ''.join(f'{name}:x:{uid}:\n' for name, uid in self.uids.items())
        for name, text in (('passwd', passwd), ('group', group)):
            with open(booting.path(f'/etc/{name}'), 'a', encoding='utf-8') as file:
                file.write(text)
        booting.write(RECORD, RECORD_SCRIPT, 0o755)

    def reset(self, booted, group):
        """A fresh world for the cases of GROUP."""
        booted.run(f'find /home /var/mail /root /srv -mindepth 1 ! -path {RECORD} -delete; '
                   f'rm -f /etc/aliases /etc/aliases.db; mkdir {LISTS} {IN}; '
                   f'mkdir -m 1777 {OUT} {OUT}/commands')
        users = list(COMMON_USERS)
        for case in group.cases:
            users += case.users.split()
        for name in dict.fromkeys(users):
            home = booted.path(f'/home/{name}')
            home.mkdir(mode=0o755)
            os.chown(home, self.uids[name], self.uids[name])
        aliases = COMMON_ALIASES + (POSTMASTER_ALIASES if group.postmaster else '')
        aliases += ''.join(case.aliases for case in group.cases)
        self._write(booted, File('/etc/aliases', aliases))
        for case in group.cases:
            for file in case.files:
                self._write(booted, file)
        booted.run('set -e\n' + '\n'.join(case.shell for case in group.cases))

    def _write(self, booted, file):
        owner, name = file.owner, file.path
        if name.startswith('~'):
            user, _, rest = name[1:].partition('/')
            owner, name = owner or user, f'/home/{user}/{rest}'
        path = booted.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.text.encode())
        uid = self.uids.get(owner, 0)
        os.chown(path, uid, uid)
        path.chmod(file.mode)
        # Both systems wait before they index a file that may still be being written.
        os.utime(path, (time.time() - 10, time.time() - 10))
