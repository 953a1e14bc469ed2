"""What local delivery makes of aliases, .forward files, extensions, commands and mailboxes equals
what Debian's Postfix makes of them, in the same machine: see oracle.py, and oracle_cases.py for
the cases. Each case is a test; `test_oracle.py trixie Oracle.test_alias_a_two` runs one."""

import dataclasses
import re

import case
import oracle_play
import oracle_settings
import oracle_sides
import postfix


@dataclasses.dataclass
class Difference:
    """Where unitpost is another way on purpose. Blocks that only one side has must each be matched
    by its pattern, so that nothing else may differ along with it."""

    reason: str
    postfix: str
    unitpost: str


BOUNCED = r'dsn=5\.2\.0 status=bounced|/srv/out/notices'
DEFERRED = r'dsn=4\.2\.0 status=deferred|waits in the queue'
NOTHING = '(?!)'
NOTES = '/srv/out/notices'
BOUNCED_NOTES = NOTES + '|status=bounced'
DEFERRED_NOW = 'status=deferred|waits in the queue'
EMPTY = r"^file /var/mail/\S+ \(\S+:mail 600\): b''$"

# {case: Difference}. One that is none any more is a failure.
DIFFERENCES = {
    **dict.fromkeys(('mailbox-of-other', 'mailbox-of-root'), Difference(
        'A mailbox of somebody else is an accident that an admin can repair: the mail waits.',
        BOUNCED, DEFERRED)),
    **dict.fromkeys(('mailbox-locked', 'mailbox-lock-dated-back'), Difference(
        'The mailbox is made before its locks are taken (fcntl first, as Debian\'s policy has it); '
        'Postfix asks for the lock file first.', '(?!)', EMPTY)),
    'forward-w-other-group-writable': Difference(
        'A .forward that others may write by their group is not its owner\'s word: it is ignored.',
        r'to=<ann@|forwarded as|mailbox /var/mail/ann ',
        r'to=<w-other-group-writable@.* \(delivered to mailbox\)|mailbox /var/mail/w-other'),
    'root-command': Difference(
        'Root\'s .forward runs no command.', r'^command|delivered to command',
        r'delivered to mailbox|mailbox /var/mail/root '),
    'alias-tl-background': Difference(
        'What a command leaves running ends with it; Postfix waits for it, until the time limit.',
        r'dsn=5\.3\.0 status=bounced|/srv/out/notices', r'status=sent \(delivered to command'),
    **dict.fromkeys(('include-i-empty', 'include-i-self', 'forward-w-include-self'), Difference(
        'Mail for a list that names nobody bounces; Postfix drops it without a word.',
        NOTHING, NOTES + r'|dsn=5\.2\.4 status=bounced')),
    **dict.fromkeys(('sm-alias', 'sm-body', 'sm-extension', 'sm-forward', 'sm-null-sender',
                     'sm-own-forward', 'sm-plain', 'sm-upper'), Difference(
        'Postfix cannot make a Maildir in a spool that root:mail owns; we do, in that group.',
        BOUNCED, r'\(delivered to maildir\)|forwarded as|^maildir /var/mail/')),
    **dict.fromkeys(('sm-root', 'sm-there', 'sm-there-extension'), Difference(
        'In the spool a Maildir has the group of the spool, as an mbox has.',
        r'^maildir /var/mail/', r'^maildir /var/mail/\S+ \(\S+:mail 600\)')),
    **dict.fromkeys(('forward-w-comments', 'include-i-comments'), Difference(
        'A comment may be indented.', NOTES + r'|to=<(#|here|indented|\S+comments)@|forwarded as',
        r'delivered to mailbox|^mailbox /var/mail|status=sent')),
    **dict.fromkeys(('forward-w-bad-quote', 'forward-w-nonsense', 'forward-w-nul'), Difference(
        'A destination that makes no sense is refused, not made into an address.',
        NOTES + r'|status=bounced|forwarded as', NOTES + r'|dsn=5\.1\.3 status=bounced')),
    **dict.fromkeys(('extension-e-slash', 'extension-k-shell', 'extension-k-slash'), Difference(
        'Delivered-To keeps the quotes of an address, by which it can be read again.',
        r'Delivered-To: [^"]*$', r'Delivered-To: "')),
    **dict.fromkeys(('expand-two', 'user-sender-quoted'), Difference(
        'White space of a sender is no white space of the From_ line, which readers split there.',
        r'From_ "\w+,? \w+"@', r'From_ "\w+,?-\w+"@')),
    **dict.fromkeys(('user-bang-elsewhere', 'user-percent-elsewhere', 'extension-e-percent'),
                    Difference(
        'A notice names the address as it was written, not what rewriting made of it.',
        NOTES, NOTES)),
    'user-source-route': Difference(
        'A route is taken off by sendmail already, so no header shows it.',
        r'@mail\.test:ann@mail\.test', r'ann@mail\.test'),
    'alias-a-loop-and-ann': Difference(
        'Each of several failures is told of when it happens, not all in one notice.',
        NOTES, NOTES),
    'alias-c-empty': Difference(
        'A command without a word is no command; Postfix has a shell do nothing.',
        r'delivered to command: \)', BOUNCED_NOTES),
    'alias-y-2-ok-1': Difference(
        'A code of success from a command that fails is passed over.',
        r'5\.0\.0', r'5\.3\.0'),
    'forward-w-command-home': Difference(
        'A command starts in the home, so that a path without a slash in front begins there.',
        DEFERRED_NOW, r'^command|delivered to command'),
    'recipient-is-dash': Difference(
        'A name that begins with a dash is one that nobody has; no command line sees it.',
        r'5\.1\.3', r'5\.1\.1'),
    'root-everything': Difference(
        'Root\'s .forward runs no command.', r'^command|delivered to command',
        r'delivered to mailbox|mailbox /var/mail/root '),
    'alias-a-beside-empty': Difference(
        'A source with a line that is none takes no effect at all: the old index goes on.',
        r'to=<ann@|mailbox /var/mail/ann ',
        r'dsn=5\.1\.1|/srv/out/notices|dsn=4\.3\.0|waits in the queue'),
}

# Postfix says and does nothing at all about these.
SILENT = ('include-i-empty', 'include-i-self', 'forward-w-include-self')

bed = None


def setUpModule():
    global bed
    bed = oracle_play.Bed(case.SUITE, oracle_settings.GROUPS)


def tearDownModule():
    if bed:
        bed.close()


def only_in(some, others):
    """Blocks of SOME that OTHERS lacks; what came twice must have come twice."""
    left = list(others)
    found = []
    for block in some:
        if block in left:
            left.remove(block)
        else:
            found.append(block)
    return found


class Oracle(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.machine = bed.machine

    @classmethod
    def tearDownClass(cls):
        pass

    def check(self, group, entry):
        theirs = bed.outcome('postfix', group)[entry.name]
        ours = bed.outcome('unitpost', group)[entry.name]
        self.assertEqual(not theirs, entry.name in SILENT, 'Postfix did nothing')
        missing, extra = only_in(theirs, ours), only_in(ours, theirs)
        difference = DIFFERENCES.get(entry.name)
        if difference:
            self.assertTrue(missing or extra, 'no difference any more: ' + difference.reason)
            missing = [block for block in missing if not re.search(difference.postfix, block)]
            extra = [block for block in extra if not re.search(difference.unitpost, block)]
        if missing or extra:
            self.fail('\n'.join(['', *(f'only Postfix:\n{oracle_play.indent(b)}' for b in missing),
                                 *(f'only unitpost:\n{oracle_play.indent(b)}' for b in extra),
                                 'what unitpost said:', *self.remarks(group, entry)]))

    def remarks(self, group, entry):
        return [oracle_play.indent(line) for name, line in bed.remarks['unitpost', group.name]
                if name == entry.name]

    def test_the_cases(self):
        """The table itself: names are unique, and every listed difference names a case."""
        names = [entry.name for group in oracle_settings.GROUPS for entry in group.cases]
        self.assertEqual(sorted(set(DIFFERENCES) - set(names)), [])
        self.assertGreaterEqual(len(set(names)), 60)
        for group in oracle_settings.GROUPS:
            in_group = [entry.name for entry in group.cases]
            self.assertEqual(len(in_group), len(set(in_group)), group.name)
        self.figure(f'{len(names)} cases in {len(oracle_settings.GROUPS)} groups, '
                    f'{len(DIFFERENCES)} listed differences; Postfix '
                    + postfix.version(self.machine))

    def test_zz_the_time(self):
        for side in oracle_sides.SIDES:
            seconds = [value for key, value in bed.seconds.items() if key[0] == side]
            if seconds:
                self.figure(f'{side}: {sum(seconds):.0f} s for {len(seconds)} groups')


def add_tests():
    """One method for each case; a case that stands in two groups is tested in both."""
    for group in oracle_settings.GROUPS:
        for entry in group.cases:
            def test(self, group=group, entry=entry):
                self.check(group, entry)
            test.__doc__ = f'{group.name}: {entry.name}'
            name = 'test_' + re.sub(r'\W', '_', entry.name)
            if hasattr(Oracle, name):
                name += '_' + re.sub(r'\W', '_', group.name)
            setattr(Oracle, name, test)


add_tests()

if __name__ == '__main__':
    case.main()
