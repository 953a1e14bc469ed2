"""postconf, compared with Debian's in the same machine: expressions (postconf -x) and edits of the
same files; and what only a booted system shows: the services, and an edit that a reload takes.

Each expression and each edit is a directory of its own with a main.cf, which each side is pointed
to with -c; one script per side then does them all.
"""

import dataclasses
import re

import case
import machine
import postfix

TOP = '/srv/postconf'
OURS, THEIRS = '/usr/sbin/postconf', f'{postfix.COMMANDS}/postconf'

# Both know all of these names.
COMMON = '''\
compatibility_level = 3.6
myhostname = mail.test
mydomain = x.test
alpha = A
empty =
nested = <$alpha>
five = 5
ten = 10
to_empty = $empty
loop = $pool
pool = $loop
self = ${self}
deep0 = end
''' + ''.join(f'deep{n} = $deep{n - 1}\n' for n in range(1, 95))

EXPRESSIONS = r'''
plain text
$alpha
${alpha}
$(alpha)
x${alpha}y$(alpha)z
$alpha.$alpha/$alpha
$nested$nested
$nothing|${nothing}
$$alpha $$$alpha
$alpha$$
$alpha{b}
$alpha_b
$9x
$deep94
$to_empty|$empty
${alpha?yes}${alpha:no}
${empty?yes}${empty:no}
${nothing?yes}${nothing:no}
${to_empty?yes}${to_empty:no}
${alpha??foo:{b}ar}
${alpha?{yes}:{no}}
${empty ? { yes } : { no } }
${alpha?{yes}}|${empty?{yes}}
${empty:{$nested}}
${empty?{yes}:$nested}
${empty?{yes}:b c }
${alpha?{${empty?{1}:{${alpha}}}}:{2}}
${alpha?{x}:}
${alpha?{}:{y}}
${empty?x:y}|${alpha?x:y}
${alpha?}}|${alpha?{{x}}}|${alpha?{x}}}
${ alpha }|${ alpha?x}|${alpha ?x}|${alpha? {x}}
$(alpha?{x}:{y})|$(alpha?x)
${alpha?$(nested)}
${{$five} < {$ten} ? {less} : {more}}
${{$five}<{10}?{less}:{more}}
${{5x} < {10}?{less}:{more}}
${{alpha} == {alpha}}|${{alpha} != {alpha}}
${{5} == {5} }|${{5} == {6}}
${{ab} > {a}?{y}:{n}}
${{ab} > {a}?y}|${{ab} > {a}:n}|${{ab} < {a}:n}
${{a}>={b}?{y}:{n}}${{b}>={b}?{y}:{n}}${{a}<={b}?{y}:{n}}${{b}>{a}?{y}:{n}}
${{a}=={a}?{b}:c}|${{a}=={b}?{b}:c d}
${{a b} == {a b} ? {yes} : {no}}
${{} == {} ? {yes} : {no}}
${{ 5 } == {5} ? {yes} : {no}}
${{1} == {01} ? {yes} : {no}}
${{-1} < {1} ? {yes} : {no}}|${{-1} < {-2} ? {yes} : {no}}
${{$alpha}=={A}?{${{$five}>{1}?{in}:{out}}}:{no}}
${{3.6} <=level {3.10} ? {yes} : {no}}
${{3.6} >=level {3.10} ? {yes} : {no}}
${{3.6} <level {3.10} ? {yes} : {no}}
${{3.6} >level {3.10} ? {yes} : {no}}
${{3.6} ==level {3.6.0} ? {yes} : {no}}
${{3.6} !=level {3.6} ? {yes} : {no}}
${{3.6} <= {3.10} ? {yes} : {no}}
${{$compatibility_level} <level {1} ? {yes} : {no}}
${{$compatibility_level} >=level {3} ? {yes} : {no}}
${stress?x}|${stress:y}
$service_name|${service_name?x}
${append_dot_mydomain}
${{x} <=level {3.10} ? {yes} : {no}}
${{} <=level {3.10} ? {yes} : {no}}
${{3.6.1.2} <=level {3.10} ? {yes} : {no}}
${{3.6} <= level {3.10} ? {yes} : {no}}
${{99999999999999999999} > {5} ? {yes} : {no}}
${nofunction{x}}
${alpha-b}
${alpha.b}
${alpha==x}
${alpha?{x}y}
${alpha?{x}:{y}z}
${alpha:{x}:{y}}
${alpha:{x}?{y}}
${{a}}
${{a} == b}
${{a} == {b} x}
${{a} = {a}}
${{a} === {a}}
${{a} <> {b}}
${alpha
$(alpha
${alpha)
$(alpha}
$
$-
a$
${}
$loop
$self
${domain_to_ascii{$alpha.example}}
'''.strip().splitlines()

EDITED = '''\
compatibility_level = 3.6
# about the name
myhostname = a.test
   and.more
# in the middle

\tand.more.still
mydestination = $myhostname,
  localhost
mine = 1
myhostname = second.test

syslog_name = $mine
# the end
'''
ODD = 'compatibility_level = 3.6\nmine=1\nsyslog_name=x$mine\r\nmail_name\n = y\nmydomain = z'

# (file, options and words)
EDITS = [
    (EDITED, ['-e', 'myhostname=new.test']),
    (EDITED, ['-e', 'myhostname = new.test ', 'mydestination=']),
    (EDITED, ['mydestination=$mydomain, x', 'mail_name=a b']),
    (EDITED, ['-e', 'mine=2']),
    (EDITED, ['-e', 'mail_name=1', 'mail_name=2']),
    (EDITED, ['-e', 'mail_name=a # b']),
    (EDITED, ['-e', 'mail_name==']),
    (EDITED, ['-#', 'myhostname']),
    (EDITED, ['-#', 'mydestination', 'syslog_name']),
    (EDITED, ['-#', 'mail_name']),
    (EDITED, ['-X', 'myhostname']),
    (EDITED, ['-X', 'syslog_name', 'mine', 'mydestination']),
    (EDITED, ['-X', 'mail_name']),
    (ODD, ['-e', 'mydomain=q']),
    (ODD, ['-e', 'mail_name=q']),
    (ODD, ['-X', 'mail_name']),
    (ODD, ['-#', 'mail_name', 'mydomain']),
    (ODD, ['-e', 'alias_maps=hash:/x']),
    (EDITED, ['-e', 'myhostname']),
    (EDITED, ['-e', '=x']),
    (EDITED, ['-e', 'my host=x']),
    (EDITED, ['-e', 'mail_name=a\nb']),
    ('', ['-e', 'mail_name=x']),
]


@dataclasses.dataclass
class Difference:
    """A case where unitpost is another way on purpose: what each side says instead."""

    reason: str
    postfix: str
    unitpost: str


FAILS = 'fails'
# At most three.
DIFFERENCES = {
    '${domain_to_ascii{$alpha.example}}': Difference(
        'Functions came with Postfix 3.11.', FAILS, 'A.example'),
}


class Expressions(case.Case):
    """Debian 13 has the release whose expressions are ours (3.10); Debian 12's lacks nothing of
    them but says bool:true for true."""

    @classmethod
    def setUpClass(cls):
        cls.machine = machine.Machine(case.SUITE, setup=cls.prepare)
        cls.results = {side: cls.expand(side) for side in (OURS, THEIRS)}

    @classmethod
    def prepare(cls, booting):
        postfix.place(booting)
        for n, text in enumerate(EXPRESSIONS):
            booting.write(f'{TOP}/{n}/main.cf', f'{COMMON}mail_name = [{text}]\n')
            booting.write(f'{TOP}/{n}/master.cf', '')

    @classmethod
    def expand(cls, side):
        """What each expression is on a SIDE."""
        text = cls.machine.run(f'cd {TOP}; for n in $(seq 0 {len(EXPRESSIONS) - 1}); do '
                               f'{side} -c {TOP}/$n -x -h mail_name 2>/dev/null; '
                               'echo "= $?"; done', timeout=300)
        found = re.findall(r'(\[.*\n)?= (\d+)\n', text)
        assert len(found) == len(EXPRESSIONS), text
        return [shown[1:-2] if status == '0' else FAILS for shown, status in found]

    def test_each_is_what_postfix_makes_of_it(self):
        self.assertLessEqual(len(DIFFERENCES), 3)
        self.assertEqual(len(set(EXPRESSIONS)), len(EXPRESSIONS))
        for text, ours, theirs in zip(EXPRESSIONS, self.results[OURS], self.results[THEIRS]):
            with self.subTest(text):
                if case.SUITE == 'bookworm':
                    theirs = theirs.replace('bool:true', 'true')
                difference = DIFFERENCES.get(text)
                if difference:
                    self.assertEqual((theirs, ours), (difference.postfix, difference.unitpost))
                else:
                    self.assertEqual(ours, theirs)
        n_failing = self.results[THEIRS].count(FAILS)
        self.assertGreaterEqual(len(EXPRESSIONS) - n_failing, 60)
        self.figure(f'{len(EXPRESSIONS)} expressions, {n_failing} of them errors, '
                    f'{len(DIFFERENCES)} listed differences; Postfix '
                    + postfix.version(self.machine))


class Edits(case.Case):
    @classmethod
    def setUpClass(cls):
        cls.machine = machine.Machine(case.SUITE, setup=postfix.place)

    def edit(self, side, n, text, words):
        """Exit status 0 or not, and the directory of the edited file."""
        directory = f'{TOP}/{"ours" if side == OURS else "theirs"}{n}'
        self.machine.write(f'{directory}/main.cf', text)
        self.machine.write(f'{directory}/master.cf', '')
        status, _ = self.machine.status_of([side, '-c', directory, *words])
        return status == 0, directory

    def settings(self, reader, directory):
        shown = self.machine.run(f'{reader} -c {directory} -n 2>/dev/null')
        return [line for line in shown.splitlines() if not line.startswith('config_directory')]

    def test_files_have_the_same_values(self):
        for n, (text, words) in enumerate(EDITS):
            with self.subTest(words, file=text[:30]):
                if case.SUITE == 'bookworm' and text:   # 3.7 glues to a last line without end
                    text = text.removesuffix('\n') + '\n'
                done, ours = self.edit(OURS, n, text, words)
                theirs_done, theirs = self.edit(THEIRS, n, text, words)
                self.assertEqual(done, theirs_done)
                for reader in (OURS, THEIRS):
                    self.assertEqual(self.settings(reader, ours), self.settings(reader, theirs))
                self.assertEqual(self.comments(ours), self.comments(theirs))
        self.figure(f'{len(EDITS)} edits')

    def comments(self, directory):
        """What is not a setting stays, line by line."""
        text = self.machine.path(f'{directory}/main.cf').read_text()
        return [line for line in text.splitlines() if line.startswith('#')]


class Services(case.Case):
    """postconf on a system that runs."""

    def test_lists_what_systemd_listens_for(self):
        text = self.machine.run('postconf -M')
        rows = {tuple(line.split()[:2]): line.split() for line in text.splitlines()}
        self.assertEqual(rows['postdrop', 'unix'][2:], list('nyn--') + ['postdrop'])
        self.assertEqual(rows['cleanup', 'unix'][2:], list('yyn--') + ['cleanup'])
        self.assertEqual(rows['local', 'unix'][2:4], ['y', 'n'])
        self.assertEqual(rows['qmgr', 'unix-dgram'][-1], 'qmgr')
        self.assertEqual(rows['qmgr', 'path'][-1], 'qmgr')
        self.assertEqual(rows['qmgr', 'timer'][-1], 'qmgr-wake')
        self.assertEqual(rows['pickup', 'path'][-1], 'pickup')
        listeners = self.machine.run('systemctl list-unit-files --no-legend "unitpost-*.socket" '
                                     '"unitpost-*.path" "unitpost-*.timer"').splitlines()
        self.assertEqual(len(rows), len([line for line in listeners if '@.' not in line]))
        self.assertEqual(self.machine.run('postconf -M local').split()[0], 'local')
        self.assertEqual(self.machine.run('/usr/sbin/postconf -Fh qmgr/path/command', user='alice'),
                         'qmgr\n')

    def test_sees_drop_ins_of_units(self):
        self.machine.write('/etc/systemd/system/unitpost-showq.service.d/x.conf',
                           '[Service]\nExecStart=\nExecStart=/usr/lib/unitpost/showq '
                           '-o "syslog_name = other" -o biff=no\n')
        self.machine.run('systemctl daemon-reload; systemctl disable --now unitpost-error.socket')
        self.assertEqual(self.machine.run('postconf -P'),
                         'showq/unix/syslog_name = other\nshowq/unix/biff = no\n')
        self.assertIn('showq -o syslog_name = other -o biff=no\n',
                      self.machine.run('postconf -M showq/unix'))
        self.assertTrue(self.machine.run('postconf -M error').startswith('#error '))
        self.machine.run('rm -r /etc/systemd/system/unitpost-showq.service.d; systemctl '
                         'daemon-reload; systemctl enable --now unitpost-error.socket')

    def test_editing_a_service_says_how(self):
        for words in ('-Me local/unix=x', '-MX local/unix', '-P local/unix/x=y', '-M# local/unix'):
            status, said = self.machine.status_of(f'postconf {words}')
            self.assertEqual(status, 69)
            self.assertIn('systemctl edit unitpost-', said)

    def test_an_edit_is_taken_by_a_reload(self):
        self.machine.run("postconf -e 'max_idle=300s' 'authorized_mailq_users=bob, root'")
        self.assertNotEqual(self.machine.status_of('mailq', user='alice')[0], 0)
        self.machine.run("postconf '-#' authorized_mailq_users; "
                         "systemctl reload 'unitpost-*.service'")
        machine.wait_for(lambda: self.machine.status_of('mailq', user='alice')[0] == 0, 10,
                         'the new configuration')
        self.assertEqual(self.machine.run('postconf --origin max_idle'),
                         'admin /etc/unitpost/main.cf:1: max_idle = 300s\n')
        self.machine.run('postconf -X max_idle; systemctl reload "unitpost-*.service"')


if __name__ == '__main__':
    case.main()
