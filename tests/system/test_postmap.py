"""What postmap says of tables of each type equals what Debian's says, in the same machine: see
postmap_cases.py for the rows. Each is a test; `test_postmap.py trixie Postmap.test_hash_plain` runs
one."""

import base64
import json
import re

import case
import postfix
import postmap_cases

COMMANDS = {'postfix': f'{postfix.COMMANDS}/postmap', 'unitpost': '/usr/sbin/postmap'}

# Runs in the machine: cases on standard input, what each call said on standard output.
PLAY = r'''
import base64, json, os, shutil, subprocess, sys, time
command, cases = sys.argv[1], json.load(sys.stdin)
def write(path, text):
    with open(path, "wb") as file:
        file.write(text)
    then = time.time() - 10
    os.utime(path, (then, then))
answers = {}
for case in cases:
    top = case["directory"]
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    for name, text in case["files"].items():
        write(top + "/" + name, base64.b64decode(text))
    answers[case["name"]] = []
    for call in case["calls"]:
        if call["source"] is not None:
            write(top + "/t", base64.b64decode(call["source"]))
        done = subprocess.run([command, *call["words"]], input=base64.b64decode(call["stdin"]),
                              capture_output=True, cwd=top, timeout=60)
        answers[case["name"]].append((done.returncode == 0,
                                      base64.b64encode(done.stdout).decode(),
                                      done.stderr.decode(errors="replace")))
json.dump(answers, sys.stdout)
'''


def encode(data):
    return None if data is None else base64.b64encode(data).decode()


def words_of(call, table, top):
    words = call.words.split()
    if '{t}' not in words:
        words.append('{t}')
    return [word.replace('{t}', table).replace('{d}', top) for word in words]


def describe(kind, name, entry):
    """A case as PLAY reads it."""
    top = f'/srv/map/{kind}-{entry.name}'
    table = f'{kind}:{name}'.replace('{d}', top)
    files = dict(entry.files)
    if entry.source is not None:
        files['t'] = entry.source.replace(b'{d}', top.encode())
    return {
        'name': entry.name, 'directory': top,
        'files': {name: encode(text) for name, text in files.items()},
        'calls': [{'words': words_of(call, table, top), 'stdin': encode(call.stdin),
                   'source': encode(call.source)} for call in entry.calls]}


class Postmap(case.Case):
    answers = {}

    @classmethod
    def prepare(cls, booting):
        super().prepare(booting)
        postfix.place(booting)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        postfix.configure(cls.machine, {})
        cls.machine.write('/srv/play.py', PLAY)

    def answer(self, side, kind):
        """{case: answers} of all cases of a type, asked once."""
        if (side, kind) not in self.answers:
            name, rows = postmap_cases.CASES[kind]
            text = self.machine.run(['python3', '/srv/play.py', COMMANDS[side]], stdin=json.dumps(
                [describe(kind, name, entry) for entry in rows]), timeout=300)
            self.answers[side, kind] = json.loads(text)
        return self.answers[side, kind]

    def check(self, kind, entry):
        said = {}
        for side in COMMANDS:
            said[side] = []
            calls = self.answer(side, kind)[entry.name]
            for call, (is_good, output, error) in zip(entry.calls, calls):
                lines = base64.b64decode(output).split(b'\n')
                # Databases have an order of their own.
                said[side].append((call.words, is_good,
                                   sorted(lines) if '-s' in call.words.split() else lines))
        reason = postmap_cases.DIFFERENCES.get(entry.name)
        if reason:
            self.assertNotEqual(said['unitpost'], said['postfix'],
                                'no difference any more: ' + reason)
            return
        errors = [error for _, _, error in self.answer('unitpost', kind)[entry.name]]
        self.assertEqual(said['unitpost'], said['postfix'], errors)

    def test_the_cases(self):
        """The table itself: names are unique, every listed difference is one of a case, and each
        type has 15 cases, but for the one that has nothing to tell apart."""
        found = set()
        for kind, (_, rows) in postmap_cases.CASES.items():
            names = [entry.name for entry in rows]
            self.assertEqual(len(names), len(set(names)), kind)
            if kind != 'static':
                self.assertGreaterEqual(len(names), 15, kind)
            found.update(names)
            self.figure(f'{kind}: {len(names)} cases, '
                        f'{len(set(names) & set(postmap_cases.DIFFERENCES))} listed differences')
        self.assertEqual(sorted(set(postmap_cases.DIFFERENCES) - found), [])


def add_tests():
    for kind, (_, rows) in postmap_cases.CASES.items():
        for entry in rows:
            def test(self, kind=kind, entry=entry):
                self.check(kind, entry)
            test.__doc__ = f'{kind}: {entry.name}'
            setattr(Postmap, 'test_' + re.sub(r'\W', '_', f'{kind}_{entry.name}'), test)


add_tests()

if __name__ == '__main__':
    case.main()
