"""postconf(5) as it was built has each row of params.def: default, bounds, who reads it, meaning;
and unitpost-main.cf(5), which has the syntax, lists none of them again.
"""

import os
import re

from tree import BUILD, finding, finish, line_of, need, read, run

ROWS = 'common/role/params.def'
PAGE = 'man/postconf.5'
SYNTAX = 'man/unitpost-main.cf.5'
LIMITS = {'INT64_MAX': str(2**63 - 1), 'INT32_MAX': str(2**31 - 1)}
ROW = re.compile(r'^PARAM\((\w+), (\w+), "([^"]*)", (\w+), (\w+), "([^"]*)", "([^"]*)"\)$', re.M)
BOUNDED = ('INT', 'SIZE', 'TIME')


def built_page():
    """The page as a reader sees it, a line each for a term or a paragraph."""
    path = os.path.join(BUILD, PAGE)
    if not os.path.exists(path):
        finding(PAGE + '.in', 1, f'{PAGE} is not built')
        return {}
    done = run(need('mandoc'), '-T', 'utf8', '-O', 'width=1000', path)
    text = re.sub(r'.\x08', '', done.stdout)
    section = text.partition('\nPARAMETERS\n')[2].partition('\nMORE ABOUT')[0]
    entries = re.split(r'^ {5}(?=\w)', section, flags=re.M)[1:]
    return {entry.split()[0]: ' '.join(entry.split()) for entry in entries}


def check_row(match, entry):
    name, kind, default, minimum, maximum, roles, meaning = match.groups()
    expected = [' '.join(meaning.split())]
    expected += [' '.join(default.split())] if default else ['empty by default']
    expected += ['all roles' if roles == 'all' else f'Read by {roles}.']
    if kind in BOUNDED:
        expected += [f'{LIMITS.get(minimum, minimum)} to {LIMITS.get(maximum, maximum)}']
    for text in expected:
        if text not in entry:
            finding(ROWS, line_of(rows, match.start()), f'{PAGE}, {name} lacks "{text}": {entry}')


rows = read(ROWS)
page = built_page()
names = []
for row in ROW.finditer(rows):
    names.append(row[1])
    check_row(row, page.get(row[1], ''))
for number, line in enumerate(rows.split('\n'), 1):
    if line.startswith('PARAM(') and not ROW.fullmatch(line):
        finding(ROWS, number,
                'not a row: PARAM(name, TYPE, "default", MIN, MAX, "roles", "meaning")')
if names != sorted(names):
    finding(ROWS, 1, 'the parameters are not sorted')
if list(page) != names:
    finding(PAGE + '.in', 1, f'not the parameters of the table: {set(page) ^ set(names)}')
for match in re.finditer(r'^\.It Va (\w+)$', read(SYNTAX), re.M):
    if match[1] in names:
        finding(SYNTAX, line_of(read(SYNTAX), match.start()),
                f'{match[1]} is listed in postconf(5) already')
finish(len(names), 'parameters')
