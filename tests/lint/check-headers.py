"""Headers teach: each compiles alone, says what it is for, and comments each group of prototypes.

A group is what stands between two blank lines; its comment stands directly above its first line.
A .c file without a header of its own name says itself what it is for.
"""

import os
import re

from tree import ROOT, code_only, files, finding, finish, need, read, run

PROTOTYPE = re.compile(r'^(?!typedef\b|static\b|return\b|#)[A-Za-z_][^;{}=]*\)[^;{}=()]*'
                       r'(\([^;{}]*\)\)*)?;', re.M)


def groups(text):
    """(line number, text, code) of each run of lines between blank lines, braces kept together."""
    lines, codes = text.split('\n'), code_only(text).split('\n')
    depth, in_comment, start, found = 0, False, None, []
    for i, (line, code) in enumerate(zip(lines + [''], codes + [''])):
        if line.strip() == '' and depth == 0 and not in_comment:
            if start is not None:
                found.append((start + 1, '\n'.join(lines[start:i]), '\n'.join(codes[start:i])))
            start = None
            continue
        if start is None:
            start = i
        depth += code.count('{') - code.count('}')
        in_comment = (line.rfind('/*') > line.rfind('*/')) or (in_comment and '*/' not in line)
    return found


def check_comments(path, text):
    for line, group, code in groups(text):
        match = PROTOTYPE.search(code)
        if match and not group.lstrip().startswith('/*'):
            at = line + code.count('\n', 0, match.start())
            name = re.search(r'(\w+)\s*\(', match[0])
            finding(path, at, f'{name[1]}(): no comment directly above its group')


def check_opening(path, text):
    """After `#pragma once` in a header, at the top of a .c file: the comment that says why."""
    text = text.removeprefix('#pragma once\n').lstrip('\n')
    if not text.startswith('/*'):
        finding(path, 1, 'does not open with a comment that says what the file is for')


compiler = need('cc')
headers = files('.h')
for path in headers:
    text = read(path)
    if not text.startswith('#pragma once\n'):
        finding(path, 1, 'does not begin with #pragma once')
    check_opening(path, text)
    check_comments(path, text)
    result = run(compiler, '-std=gnu17', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror',
                 '-Wno-unused-parameter', '-fsyntax-only', '-I.', '-x', 'c', '-',
                 input=f'#include "{path}"\n')
    if result.returncode != 0:
        match = re.search(r':(\d+):\d+: error: (.*)', result.stdout)
        finding(path, int(match[1]) if match else 1,
                'not self-contained: ' + (match[2] if match else result.stdout.strip()))
sources = [path for path in files('.c') if not os.path.exists(os.path.join(ROOT, path[:-1] + 'h'))]
for path in sources:
    check_opening(path, read(path))
finish(len(headers) + len(sources), 'headers and sources without one')
