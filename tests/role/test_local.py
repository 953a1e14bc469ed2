"""local as a whole: aliases, .forward, :include:, commands, several destinations, hostile files.

Real programs from sendmail to the mailbox. What Postfix does with the same is compared in
tests/system/test_oracle.py; here is what must hold whatever Postfix does: nothing is lost, nothing
runs as root, nothing hangs.
"""

import contextlib
import mailbox
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from harness import PEOPLE, World

ALIASES = '/etc/unitpost/aliases'
MAIL = b'Subject: test\n\nhello\n'


class Case(unittest.TestCase):
    main_cf = ''
    aliases = ''

    def setUp(self):
        self.world = World(main_cf='myhostname = host.test\nmyorigin = host.test\n'
                                   f'alias_maps = texthash:{ALIASES}\n' + self.main_cf)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__)
        self.write(ALIASES, self.aliases)
        os.utime(ALIASES, (1, 1))  # quiet: read at once

    # ---- what users do ----

    def write(self, path, text, user='root', mode=0o644):
        path = pathlib.Path(path)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        uid = PEOPLE.get(user, 0)
        os.chown(path, uid, uid)

    def forward(self, user, text, mode=0o644, owner=None):
        self.write(f'/home/{user}/.forward', text, owner or user, mode)

    def script(self, text, path='/run/script'):
        self.write(path, '#!/bin/sh\n' + text, 'root', 0o755)
        return path

    def send(self, to, content=MAIL, sender='carol', n=1, options=()):
        """Send, and wait for N final lines of recipients. What an earlier one left on its way, a
        notice, is waited for first, so that its line is not taken for one of these."""
        self.wait_until_quiet()
        before = len(self.final_lines())
        self.world.send(sender, to, content, options)
        self.world.wait_for_entry(seconds=40, n=before + n,
                                  MESSAGE='status=(sent|deferred|bounced)')
        return self.final_lines()[before:]

    def wait_until_quiet(self, seconds=20):
        until = time.monotonic() + seconds
        while any(self.world.queue(name) not in ([], ['.lock'])
                  for name in ('maildrop', 'incoming', 'active')):
            self.assertLess(time.monotonic(), until, 'mail is on its way')
            time.sleep(0.02)

    # ---- what came of it ----

    def final_lines(self):
        return [re.sub(r'^\S+ ', '', one['MESSAGE'])
                for one in self.world.journal(MESSAGE='status=(sent|deferred|bounced)')]

    def messages(self, user):
        path = f'/var/mail/{user}'
        if not os.path.exists(path):
            return []
        with contextlib.closing(mailbox.mbox(path, create=False)) as box:
            return list(box)

    def wait_for_mail(self, user, n=1, seconds=20):
        until = time.monotonic() + seconds
        while len(self.messages(user)) < n:
            self.assertLess(time.monotonic(), until,
                            f'{user} has {len(self.messages(user))} of {n}; '
                            + '\n'.join(self.final_lines()))
            time.sleep(0.05)
        return self.messages(user)

    def wait_for_file(self, path, seconds=20):
        until = time.monotonic() + seconds
        while not os.path.exists(path) or os.path.getsize(path) == 0:
            self.assertLess(time.monotonic(), until, path)
            time.sleep(0.05)
        return pathlib.Path(path).read_text()


class Aliases(Case):
    aliases = '\n'.join([
        'boss alice', 'both alice,bob', 'chain boss', 'self self, bob', 'loop1 loop2',
        'loop2 loop1', 'alice alice', 'void /dev/null', 'both-and-none alice, nobody-here, bob',
        'list alice, bob', 'owner-list carol', 'bad-list alice, "|/run/script"',
        'owner-bad-list bob', 'bad-and-late nobody-here, "|/run/script"', 'cmd "|/run/script"',
        'file /run/out/file',
        'inc :include:/run/list', 'deep1 deep2, bob', 'deep2 deep3', 'deep3 alice'])

    def test_an_alias_is_delivered_where_it_leads(self):
        line = self.send('boss')[0]
        self.assertRegex(line, r'to=<alice@host.test>, orig_to=<boss>, relay=local, .*status=sent')
        mail = self.wait_for_mail('alice')[0]
        self.assertEqual(mail['Delivered-To'], 'boss@host.test')
        self.assertEqual(mail['X-Original-To'], 'boss')

    def test_several_destinations_have_a_line_each(self):
        self.send('both', n=2)
        self.assertEqual(len(self.wait_for_mail('alice')), 1)
        self.assertEqual(len(self.wait_for_mail('bob')), 1)
        self.send('deep1', n=2)
        self.assertEqual(len(self.wait_for_mail('alice', 2)), 2)

    def test_one_failure_of_several_is_told_and_touches_no_other(self):
        self.send('both-and-none', n=4)
        self.assertEqual(len(self.wait_for_mail('alice')), 1)
        self.assertEqual(len(self.wait_for_mail('bob')), 1)
        notice = self.wait_for_mail('carol')[0]
        self.assertIn('nobody-here@host.test', notice.as_string())
        self.assertIn('5.1.1', notice.as_string())
        time.sleep(1)
        self.assertEqual(len(self.messages('carol')), 1)
        self.assertEqual(self.world.queue('deferred') + self.world.queue('active'), ['.lock'])

    def test_a_failure_that_comes_again_is_told_of_once(self):
        self.script('cat > /dev/null; exit 75')
        self.send('bad-and-late', n=2)
        time.sleep(1)
        self.assertEqual(self.messages('carol'), [])
        self.script('cat > /dev/null')
        self.world.run_as('root', [self.world.tool('postqueue'), '-f'])
        self.assertIn('nobody-here@host.test', self.wait_for_mail('carol')[0].as_string())
        time.sleep(1)
        self.assertEqual(len(self.messages('carol')), 1)

    def test_loops_end(self):
        lines = self.send('loop1', n=1)
        self.assertRegex(lines[0], r'dsn=5\.4\.6, status=bounced')
        self.send('self', n=2)
        self.assertEqual(len(self.wait_for_mail('bob')), 1)

    def test_an_alias_of_its_own_name_is_the_user(self):
        self.send('alice')
        self.assertEqual(len(self.wait_for_mail('alice')), 1)

    def test_dev_null_takes_everything(self):
        self.assertRegex(self.send('void')[0], 'status=sent')
        self.assertTrue(os.path.exists('/dev/null'))

    def test_a_list_is_sent_by_its_owner_who_is_told_of_failures(self):
        self.script('cat > /dev/null; echo "5.7.9 not today"; exit 1')
        self.send('list', sender='bob', n=3)
        mail = self.wait_for_mail('alice')[0]
        self.assertEqual(mail['Return-Path'], '<owner-list@host.test>')
        self.send('bad-list', sender='carol', n=3)
        notices = [one for one in self.wait_for_mail('bob', 2)
                   if 'Undelivered' in (one['Subject'] or '')]
        self.assertEqual(len(notices), 1)
        self.assertIn('not today', notices[0].as_string())
        self.assertEqual(self.messages('carol'), [])

    def test_commands_of_roots_table_run_as_nobody(self):
        os.mkdir('/run/out', 0o777)
        os.chmod('/run/out', 0o777)
        self.script('{ id -un; id -Gn; pwd; env; } > /run/out/id; cat >> /run/out/mail')
        self.assertRegex(self.send('cmd')[0], r'status=sent \(delivered to command: /run/script\)')
        who = pathlib.Path('/run/out/id').read_text().splitlines()
        self.assertEqual(who[0], 'nobody')
        names = {line.partition('=')[0] for line in who[3:]}
        self.assertFalse(names & {'NOTIFY_SOCKET', 'LISTEN_FDS', 'WATCHDOG_USEC', 'JOURNAL_STREAM',
                                  'INVOCATION_ID'})
        mail = pathlib.Path('/run/out/mail').read_text()
        self.assertRegex(mail, r'\AFrom carol@host.test  .*\nReturn-Path: <carol@host.test>\n'
                               r'X-Original-To: cmd\nDelivered-To: cmd@host.test\nReceived:')
        self.assertTrue(mail.endswith('\nhello\n'))

    def test_files_of_roots_table_are_nobodys(self):
        os.mkdir('/run/out')
        os.chmod('/run/out', 0o777)
        self.assertRegex(self.send('file')[0], 'status=sent .delivered to file: /run/out/file')
        self.assertEqual(pathlib.Path('/run/out/file').owner(), 'nobody')

    def test_members_of_a_file_are_messages_of_their_own(self):
        self.write('/run/list', '# members\nalice\nBob <bob>\n', 'alice')
        self.send('inc', n=3)
        self.wait_for_mail('alice')
        self.wait_for_mail('bob')

    def test_a_table_that_breaks_defers_and_heals(self):
        self.write(ALIASES, 'boss\n')
        os.utime(ALIASES, (2, 2))
        self.assertRegex(self.send('boss')[0], r'dsn=4\.3\.0, status=deferred .*aliases')
        self.write(ALIASES, 'boss alice\n')
        os.utime(ALIASES, (3, 3))
        time.sleep(1.1)
        self.world.run_as('root', [self.world.tool('postqueue'), '-f'])
        self.wait_for_mail('alice')


class Trust(Case):
    """Aliases name commands, and the name that is looked up is the choice of whoever sends."""

    PATTERNS = f'{ALIASES}.patterns'
    main_cf = f'alias_maps = regexp:{PATTERNS}\n'

    def test_no_part_of_an_address_becomes_a_command(self):
        self.write(self.PATTERNS, '/^fixed-/ alice\n/^list-(.*)$/ $1\n')
        os.utime(self.PATTERNS, (1, 1))
        os.mkdir('/run/out')
        os.chmod('/run/out', 0o777)
        self.script('touch /run/out/seen; cat > /dev/null')
        self.send('fixed-x')
        self.wait_for_mail('alice')
        self.assertRegex(self.send('"list-bob,|/run/script"@host.test')[0],
                         r'dsn=4\.3\.0, status=deferred .*line 2: a part of the key')
        self.wait_until_quiet()
        self.assertFalse(os.path.exists('/run/out/seen'))
        self.assertEqual(self.messages('bob'), [])


class TrustOfTwo(Case):
    """Nobody owns what two users' tables say together."""

    ONE, TWO = f'{ALIASES}.alice', f'{ALIASES}.bob'
    main_cf = f'alias_maps = unionmap:{{texthash:{ONE},texthash:{TWO}}}\n'

    def test_what_nobody_owns_is_not_obeyed(self):
        for path, user, text in ((self.ONE, 'alice', 'cmd "|/run/script"\n'),
                                 (self.TWO, 'bob', 'other bob\n')):
            self.write(path, text, user)
            os.utime(path, (1, 1))
        os.mkdir('/run/out')
        os.chmod('/run/out', 0o777)
        self.script('touch /run/out/seen; cat > /dev/null')
        self.assertRegex(self.send('cmd')[0],
                         r'dsn=4\.3\.0, status=deferred .*nobody owns alias table')
        self.wait_until_quiet()
        self.assertFalse(os.path.exists('/run/out/seen'))


class Forwards(Case):
    main_cf = ('recipient_delimiter = +\n'
               'allow_mail_to_commands = alias, forward, include\n')
    aliases = ('inc-of-bob :include:/home/bob/list\nfile-of-bob /home/bob/box\n'
               'dir-of-bob /home/bob/dir/\n')

    def test_mail_goes_where_it_says_and_not_into_the_mailbox(self):
        self.forward('bob', '# my mail\nalice\n')
        self.send('bob', n=2)
        mail = self.wait_for_mail('alice')[0]
        self.assertEqual(mail.get_all('Delivered-To'), ['alice@host.test', 'bob@host.test'])
        self.assertEqual(self.messages('bob'), [])

    def test_the_own_name_and_backslash_mean_the_mailbox(self):
        for text in ('bob, alice\n', '\\bob, alice\n', 'bob@host.test\nalice'):
            self.forward('bob', text)
            n = len(self.messages('bob'))
            self.send('bob', n=3)
            self.assertEqual(len(self.wait_for_mail('bob', n + 1)), n + 1)

    def test_extensions_have_files_of_their_own(self):
        self.forward('bob', 'alice\n')
        self.write('/home/bob/.forward+x', '~/x\n', 'bob')
        self.assertRegex(self.send('bob+x')[0], r'to=<bob\+x@host.test>.*status=sent')
        self.assertIn('Delivered-To: bob+x@host.test\n', pathlib.Path('/home/bob/x').read_text())
        self.send('bob+y', n=2)
        self.wait_for_mail('alice')

    def test_a_file_that_others_could_have_written_is_passed_over(self):
        cases = {
            'world-writable': lambda: self.forward('bob', 'alice\n', 0o666),
            'group-writable': lambda: (self.forward('bob', 'alice\n', 0o664),
                                       os.chown('/home/bob/.forward', PEOPLE['bob'], 8)),
            "another's": lambda: self.forward('bob', 'alice\n', owner='alice'),
            'symlink': lambda: os.symlink('/home/alice/list', '/home/bob/.forward'),
            'fifo': lambda: os.mkfifo('/home/bob/.forward'),
            'directory': lambda: os.mkdir('/home/bob/.forward'),
            'too big': lambda: self.forward('bob', 'alice\n' * 2000000),
            'shadow': lambda: os.symlink('/etc/shadow', '/home/bob/.forward'),
        }
        self.write('/home/alice/list', 'alice\n', 'alice')
        for n, (name, make) in enumerate(cases.items(), 1):
            with self.subTest(name):
                make()
                self.assertRegex(self.send('bob')[0], r'status=sent \(delivered to mailbox')
                self.assertEqual(len(self.messages('bob')), n)
                self.world.wait_for_entry(n=n, MESSAGE=r'/home/bob/.forward .*: it is ignored')
                path = pathlib.Path('/home/bob/.forward')
                path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        self.assertEqual(self.messages('alice'), [])

    def test_one_that_is_swapped_while_it_is_read(self):
        """Between bob's own, alice's with a command for bob to run, and a link to what bob may not
        read: whichever was opened is the one that is judged and obeyed."""
        self.forward('bob', '\\bob\n')
        self.write('/home/bob/evil', '"|touch /home/bob/ran"\n', 'alice')
        swapper = subprocess.Popen(['/usr/bin/python3', '-c', """
import itertools, os
os.chdir('/home/bob')
for turn in itertools.cycle('abc'):
    if turn == 'b':
        os.link('evil', 'new')
    elif turn == 'c':
        os.symlink('/etc/shadow', 'new')
    else:
        with open('new', 'w') as file:
            file.write('bob\\n')
        os.chown('new', 4202, 4202)
    os.rename('new', '.forward')
"""])
        try:
            for n in range(1, 31):
                for line in self.send('bob'):
                    self.assertRegex(line, r'status=sent \(delivered to mailbox\)')
                self.assertEqual(len(self.messages('bob')), n)
        finally:
            swapper.kill()
            swapper.wait()
        self.assertFalse(os.path.exists('/home/bob/ran'))
        self.assertNotIn('root:', '\n'.join(self.final_lines()))
        self.assertTrue(self.world.journal(MESSAGE='belongs to somebody else: it is ignored'))

    def test_one_that_may_not_be_read_or_says_nothing_is_none(self):
        for text, mode in (('alice\n', 0o000), ('', 0o644), ('# nothing\n\n', 0o644)):
            self.forward('bob', text, mode)
            n = len(self.messages('bob'))
            self.send('bob')
            self.assertEqual(len(self.messages('bob')), n + 1)

    def test_two_who_forward_to_each_other_end(self):
        self.forward('alice', 'bob\n')
        self.forward('bob', 'alice\n')
        self.send('alice', n=3)
        self.world.wait_for_entry(MESSAGE=r'dsn=5\.4\.6, status=bounced .mail forwarding loop')
        self.wait_for_mail('carol')

    def test_commands_run_as_the_user_and_hide_no_failure(self):
        self.script('{ id -un; pwd; echo "$HOME $LOGNAME $USER $EXTENSION $LOCAL $DOMAIN'
                    ' $SENDER"; } > /home/bob/out; cat > /dev/null')
        self.forward('bob', '"|/run/script"\n')
        self.send('bob+a$b')
        self.assertEqual(self.wait_for_file('/home/bob/out').splitlines(), [
            'bob', '/home/bob', '/home/bob bob bob a_b bob+a_b host.test carol@host.test'])
        self.forward('bob', '"|exit 75"\n')
        self.assertRegex(self.send('bob')[0], r'dsn=4\.3\.0, status=deferred')
        self.forward('bob', '"|echo no more; exit 67"\n')
        self.assertRegex(self.send('bob')[0], r'dsn=5\.1\.1, status=bounced .*no more')
        self.wait_for_mail('carol')

    def test_nothing_of_a_command_outlives_it(self):
        self.script('setsid sh -c "echo \\$\\$ > /home/bob/pid; exec sleep 600" >/dev/null 2>&1 &\n'
                    'while [ ! -s /home/bob/pid ]; do sleep 0.1; done; cat > /dev/null')
        self.forward('bob', '|/run/script\n')
        self.assertRegex(self.send('bob')[0], 'status=sent')
        pid = int(self.wait_for_file('/home/bob/pid'))
        self.assertFalse(os.path.exists(f'/proc/{pid}'))

    def test_files_below_home_are_the_users(self):
        self.forward('bob', '~/mail, ~/box/\n')
        self.send('bob', n=2)
        self.assertEqual(pathlib.Path('/home/bob/mail').owner(), 'bob')
        self.assertEqual(len(os.listdir('/home/bob/box/new')), 1)

    def test_case_matters_in_paths_and_commands(self):
        self.script('cat >> /home/bob/lower', '/run/cmd')
        self.script('cat >> /home/bob/upper', '/run/CMD')
        self.forward('bob', '/home/bob/box, /home/bob/Box, |/run/cmd, |/run/CMD, |/run/cmd\n')
        self.send('bob', n=4)
        for name in ('box', 'Box', 'lower', 'upper'):
            self.assertEqual(self.wait_for_file(f'/home/bob/{name}').count('hello'), 1)

    def test_a_user_cannot_reach_files_of_others(self):
        self.write('/home/alice/secret', 'mine\n', 'alice', 0o600)
        self.forward('bob', '/home/alice/secret, /etc/passwd, :include:/home/alice/secret\n')
        before = pathlib.Path('/etc/passwd').read_bytes()
        for line in self.send('bob', n=3):
            if 'to=<bob@' in line:  # not the notices
                self.assertRegex(line, 'status=(deferred|bounced)')
        self.assertEqual(pathlib.Path('/home/alice/secret').read_text(), 'mine\n')
        self.assertEqual(pathlib.Path('/etc/passwd').read_bytes(), before)

    def test_an_include_of_itself_ends(self):
        self.write('/home/bob/list', ':include:/home/bob/list\n:include:/home/bob/list2\n', 'bob')
        self.write('/home/bob/list2', ':include:/home/bob/list\n\\bob\n', 'bob')
        self.forward('bob', ':include:/home/bob/list\n')
        self.send('bob')
        self.assertEqual(len(self.wait_for_mail('bob')), 1)

    def test_lists_that_name_nobody_bounce(self):
        self.write('/home/bob/list', '# nobody any more\n', 'bob')
        for text in (':include:/home/bob/list\n', ':include:/home/bob/.forward\n'):
            self.forward('bob', text)
            self.assertRegex(self.send('bob')[0], r'dsn=5\.2\.4, status=bounced')

    def test_a_file_of_garbage_costs_little(self):
        self.forward('bob', b'\\bob\n' + bytes(range(256)) * 3000)
        self.send('bob', n=2)
        self.assertEqual(len(self.wait_for_mail('bob')), 1)
        time.sleep(1)
        self.assertLess(len(self.final_lines()), 1000)

    def test_roots_commands_do_not_run(self):
        text = pathlib.Path('/etc/passwd').read_text()
        os.mkdir('/run/roothome')
        pathlib.Path('/etc/passwd').write_text(
            re.sub('(?m)^(root:.*?):/root:', r'\1:/run/roothome:', text))
        self.script('id > /run/ran')
        self.write('/run/roothome/.forward', '"|/run/script"\n')
        self.assertRegex(self.send('root')[0], r'status=sent \(delivered to mailbox')
        self.world.wait_for_entry(MESSAGE='commands in the .forward of root are not run')
        self.assertFalse(os.path.exists('/run/ran'))
        box = os.stat('/var/mail/root')
        self.assertEqual((box.st_uid, box.st_mode & 0o777), (0, 0o600))
        self.write('/run/list', '"|/run/script"\n')
        self.write('/run/roothome/.forward', ':include:/run/list\n')
        self.assertRegex(self.send('root')[0], r'status=sent \(delivered to mailbox')
        self.assertFalse(os.path.exists('/run/ran'))
        os.mkdir('/run/out')
        os.chmod('/run/out', 0o777)
        self.script('id -un > /run/out/ran')
        self.write('/run/list', '"|/run/script"\n', 'bob')
        self.assertRegex(self.send('root')[0], r'status=sent \(delivered to command')
        self.assertEqual(self.wait_for_file('/run/out/ran'), 'bob\n')

    def test_a_home_that_is_away_defers(self):
        os.rename('/home/bob', '/home/bob.away')
        self.assertRegex(self.send('bob')[0], 'status=sent')  # none is to be expected
        pathlib.Path('/home/bob.homedir').mkdir()
        self.assertRegex(self.send('bob')[0], r'dsn=4\.3\.0, status=deferred .*not activated')
        for to in ('inc-of-bob', 'file-of-bob', 'dir-of-bob'):
            self.assertRegex(self.send(to, sender='root')[0], r'dsn=4\.\S+, status=deferred')
        pathlib.Path('/home/bob.homedir').rmdir()
        os.rename('/home/bob.away', '/home/bob')
        self.world.run_as('root', [self.world.tool('postqueue'), '-f'])
        self.wait_for_mail('bob', 2)
        self.assertRegex(self.send('inc-of-bob', sender='root')[0], r'dsn=5\.3\.5, status=bounced')

    def test_a_home_in_fstab_that_is_not_mounted_defers(self):
        os.rename('/home/bob', '/home/bob.away')
        pathlib.Path('/etc/fstab').write_text('server:/bob /home/bob nfs noauto 0 0\n')
        self.assertRegex(self.send('bob')[0], r'dsn=4\.3\.0, status=deferred .*not mounted')


class Mailboxes(Case):
    aliases = 'pair alice, bob'

    def test_a_mailbox_that_waits_has_a_message_of_its_own(self):
        os.mkdir('/var/mail/bob.lock')  # never stale for a while, and nobody's
        self.send('pair', n=3)
        self.wait_for_mail('alice')
        self.world.wait_for_entry(MESSAGE=r'to=<bob@host.test>.*status=deferred')
        time.sleep(1)
        os.rmdir('/var/mail/bob.lock')
        self.world.run_as('root', [self.world.tool('postqueue'), '-f'])
        self.wait_for_mail('bob')
        self.assertEqual(len(self.messages('alice')), 1)


class MailboxCommand(Case):
    main_cf = ('mailbox_command = /run/script "$EXTENSION" $USER\nrecipient_delimiter = +\n'
               'mailbox_command_maps = inline:{ alice=/run/other }\n')

    def test_takes_the_place_of_the_mailbox(self):
        self.script('echo "$# [$1] $2" > "$HOME/out"; cat > "$HOME/mail"')
        self.script('cat > "$HOME/other"', '/run/other')
        self.assertRegex(self.send('bob+x')[0], 'status=sent')
        self.assertEqual(self.wait_for_file('/home/bob/out'), '2 [x] bob\n')
        self.send('alice')
        self.wait_for_file('/home/alice/other')
        self.assertEqual(self.messages('bob') + self.messages('alice'), [])


class Doubling(Case):
    main_cf = 'duplicate_filter_limit = 1\n'

    def test_lists_that_double_each_other_end(self):
        """What is remembered is limited, and the work that remembering saves is not."""
        for i in range(24):
            self.write(f'/home/bob/list{i}', f':include:/home/bob/list{i + 1}\n' * 2, 'bob')
        self.write('/home/bob/list24', '# nobody\n', 'bob')
        self.forward('bob', ':include:/home/bob/list0\n')
        self.assertRegex(self.send('bob')[0], r'dsn=5\.4\.6, status=bounced')


class Relay(Case):
    aliases = 'two nobody-one, nobody-two'

    def test_each_unknown_user_is_relayed_once(self):
        self.world.write_main_cf('myhostname = host.test\nmyorigin = host.test\n'
                                 f'alias_maps = texthash:{ALIASES}\n'
                                 'recipient_delimiter = +\nluser_relay = bob+$user\n')
        for line in self.send('two', n=2):
            self.assertRegex(line, r'to=<bob\+nobody-(one|two)@host.test>.*status=sent')
        self.assertEqual(len(self.wait_for_mail('bob', 2)), 2)
        self.world.write_main_cf('myhostname = host.test\nmyorigin = host.test\n'
                                 'alias_maps =\nluser_relay = nobody-at-all\n')
        self.world.kill('unitpost-local', signal.SIGHUP)
        time.sleep(0.3)
        self.assertRegex(self.send('nobody-here')[0], r'dsn=5\.1\.1, status=bounced')

    def test_names_of_strangers_stay_names(self):
        for relay, to in (('$user', '"alice,|touch /run/evil"@host.test'),
                          ('|cat > /run/out; : $user', '";touch /run/evil;"@host.test'),
                          ('/run/box/$user', '"../evil"@host.test')):
            self.world.write_main_cf('myhostname = host.test\nmyorigin = host.test\n'
                                     f'alias_maps =\nluser_relay = {relay}\n')
            if 'unitpost-local' in self.world.pids:
                self.world.kill('unitpost-local', signal.SIGHUP)
                time.sleep(0.3)
            self.send(to)
        self.assertFalse(os.path.exists('/run/evil'))


class Transports(Case):
    main_cf = ('mailbox_transport_maps = inline:{ bob=error:5.7.2 }\n'
               'fallback_transport = error:5.1.6\n')

    def test_another_agent_answers(self):
        lines = self.send('bob', n=2)  # with the notice
        self.assertRegex(lines[0], r'to=<bob@host.test>.*relay=none, .*dsn=5\.7\.2')
        self.assertRegex(self.send('nobody-here', n=2)[0], r'dsn=5\.1\.6, status=bounced')
        self.send('alice')
        self.wait_for_mail('alice')

    def test_local_hands_nothing_to_itself(self):
        self.world.write_main_cf(f'myhostname = host.test\nalias_maps = texthash:{ALIASES}\n'
                                 'mailbox_transport = local:\n')
        self.assertRegex(self.send('bob')[0], r'dsn=4\.3\.5, status=deferred')


class Restricted(Case):
    main_cf = 'allow_mail_to_commands = alias\nallow_mail_to_files =\n'

    def test_what_is_not_allowed_bounces(self):
        self.forward('bob', '|/bin/cat, /home/bob/x\n')
        for line in self.send('bob', n=2):
            self.assertRegex(line, r'dsn=5\.7\.1, status=bounced')
        self.assertFalse(os.path.exists('/home/bob/x'))


if __name__ == '__main__':
    unittest.main()
