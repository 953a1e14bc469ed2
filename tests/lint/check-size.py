"""Sizes: functions 60 lines (80 in tests), files 700, main.c 60, lines 100 columns.

Lines are counted as an editor shows them, a function from its name to its closing brace.
"""

import re

from tree import code_only, files, finding, finish, read

MAX_FUNCTION, MAX_FUNCTION_IN_TESTS = 60, 80
MAX_FILE, MAX_MAIN, MAX_COLUMNS = 700, 60, 100


def check_functions(path, text):
    """Relies on check-format: a function begins, and its last brace stands, at column 0."""
    limit = MAX_FUNCTION_IN_TESTS if path.startswith('tests/') else MAX_FUNCTION
    first = name = None
    for number, line in enumerate(code_only(text).split('\n'), 1):
        if re.match(r'[A-Za-z_]', line):
            first, name = number, line
        if line == '}' and first and '(' in name:
            if number - first + 1 > limit:
                word = re.search(r'(\w+)\s*\(\s*(\w*)', name)
                word = word[2] if word[1] == 'START_TEST' else word[1]
                finding(path, first, f'{word}() has {number - first + 1} lines, limit {limit}')
            first = None


def check_file(path, text):
    lines = text.split('\n')
    n_lines = len(lines) - 1
    if n_lines > MAX_FILE:
        finding(path, MAX_FILE, f'{n_lines} lines, limit {MAX_FILE}')
    if path.endswith('/main.c') and n_lines > MAX_MAIN:
        finding(path, MAX_MAIN, f'{n_lines} lines, limit {MAX_MAIN}: main.c is a table')
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            finding(path, number, f'{len(line)} columns, limit {MAX_COLUMNS}')


paths = files('.c', '.h', '.py', '.sh', 'meson.build')
for path in paths:
    text = read(path)
    check_file(path, text)
    if path.endswith(('.c', '.h')):
        check_functions(path, text)
finish(len(paths), 'source files')
