"""make-postconf.py TEMPLATE PARAMS.DEF PAGE: postconf(5), its list of parameters from the table."""

import re
import sys

LIMITS = {'INT64_MAX': str(2**63 - 1), 'INT32_MAX': str(2**31 - 1)}
TYPES = {'STRING': 'Text', 'BOOL': 'Yes or no', 'INT': 'Number', 'SIZE': 'Bytes', 'TIME': 'Time',
         'LIST': 'List', 'RAW': 'Text, expanded for each message'}
ROW = re.compile(r'^PARAM\((\w+), (\w+), "([^"]*)", (\w+), (\w+), "([^"]*)", "([^"]*)"\)$')


def entry(name, kind, default, minimum, maximum, roles, meaning):
    """What the page says about a row."""
    end = ',' if kind in ('INT', 'SIZE', 'TIME') else '.'
    lines = [f'.It Va {name}']
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


def main():
    template, rows, page = sys.argv[1:]
    with open(rows, encoding='utf-8') as file:
        entries = []
        for number, line in enumerate(file, 1):
            match = ROW.match(line)
            if match:
                entries.append(entry(*match.groups()))
            elif line.startswith('PARAM('):
                sys.exit(f'{rows}:{number}: not a row: PARAM(name, TYPE, "default", MIN, MAX, '
                         '"roles", "meaning")')
    with open(template, encoding='utf-8') as file:
        text = file.read()
    if '@PARAMETERS@' not in text or not entries:
        sys.exit(f'{template}: no place for the parameters, or no parameters')
    with open(page, 'w', encoding='utf-8') as file:
        file.write(text.replace('@PARAMETERS@', ''.join(entries)))


main()
