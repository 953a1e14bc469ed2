"""man/unitpost-main.cf.5 has each row of params.def: name, type, default, bounds, who reads it.

For a row that differs the lines that belong into the page are printed.
"""

import re

from tree import finding, finish, line_of, read

ROWS = 'common/role/params.def'
PAGE = 'man/unitpost-main.cf.5'
LIMITS = {'INT64_MAX': str(2**63 - 1), 'INT32_MAX': str(2**31 - 1)}
TYPES = {'STRING': 'Text', 'BOOL': 'Yes or no', 'INT': 'Number', 'SIZE': 'Bytes', 'TIME': 'Time',
         'LIST': 'List', 'RAW': 'Text, expanded for each message'}
ROW = re.compile(r'^PARAM\((\w+), (\w+), "([^"]*)", (\w+), (\w+), "([^"]*)", "([^"]*)"\)$', re.M)


def page_lines(name, kind, default, minimum, maximum, roles, meaning):
    """What the page says about a row, from its .It on."""
    lines = [f'.It Va {name}']
    end = ',' if kind in ('INT', 'SIZE', 'TIME') else '.'
    if default:
        quoted = f'"{default}"' if re.search(r'\W', default) else default
        lines += [f'{TYPES[kind]}, default', f'.Ql {quoted} {end}']
    else:
        lines += [f'{TYPES[kind]}, empty by default.']
    if end == ',':
        unit = ' seconds' if kind == 'TIME' else ''
        lines += [f'{LIMITS.get(minimum, minimum)} to {LIMITS.get(maximum, maximum)}{unit}.']
    lines += ['Read by all roles.' if roles == 'all' else f'Read by {roles}.', '.br', meaning]
    return '\n'.join(lines) + '\n'


rows = read(ROWS)
page = read(PAGE)
names = set()
for match in ROW.finditer(rows):
    names.add(match[1])
    if page_lines(*match.groups()) not in page:
        finding(ROWS, line_of(rows, match.start()),
                f'{PAGE} does not say:\n{page_lines(*match.groups())}')
for number, line in enumerate(rows.split('\n'), 1):
    if line.startswith('PARAM(') and not ROW.fullmatch(line):
        finding(ROWS, number,
                'not a row: PARAM(name, TYPE, "default", MIN, MAX, "roles", "meaning")')
listed = re.findall(r'^\.It Va (\w+)$', page, re.M)
for name in listed:
    if name not in names:
        finding(PAGE, line_of(page, page.index(f'.It Va {name}\n')), f'no parameter {name}')
if listed != sorted(listed):
    finding(PAGE, 1, 'the parameters are not sorted')
finish(len(names), 'parameters')
