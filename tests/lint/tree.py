"""What all lint checks share: the list of source files, C text without its comments, and findings.

A check is a script of its own that prints one line `FILE:LINE: what is wrong` for each finding and
exits 1 when there was any. It never passes because its input or its tool was missing.
"""

import os
import shutil
import subprocess
import sys

# Arguments of every check: the source folder and the build folder.
ROOT = os.path.realpath(sys.argv[1])
BUILD = os.path.realpath(sys.argv[2])

TOP = ('common', 'services', 'tools', 'tests', 'units', 'man', '.ci')

_findings = []


def finding(path, line, text):
    """Note one finding. PATH is relative to the source folder, LINE counts from 1."""
    _findings.append((path, line, text))


def finish(n_checked, what):
    """Print the findings and end the check. Nothing checked is a failure as well."""
    for path, line, text in sorted(_findings):
        print(f'{path}:{line}: {text}')
    if n_checked == 0:
        sys.exit(f'nothing to check: no {what} found')
    print(f'{len(_findings)} findings in {n_checked} {what}')
    sys.exit(1 if _findings else 0)


def need(program):
    """The path of a program that a check runs; its absence is a failure."""
    path = shutil.which(program)
    if not path:
        sys.exit(f'{program} is not installed: this check cannot run')
    return path


def run(*command, **more):
    """Run a command in the source folder; standard error is part of the output."""
    return subprocess.run(command, cwd=more.pop('cwd', ROOT), text=True, errors='replace',
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)


def files(*suffixes, top=TOP):
    """Sorted paths, relative to the source folder, of the files with these endings."""
    found = []
    for folder in top:
        for path, folders, names in os.walk(os.path.join(ROOT, folder)):
            folders[:] = [name for name in folders if name not in ('corpus', '__pycache__')]
            found += [os.path.relpath(os.path.join(path, name), ROOT)
                      for name in names if name.endswith(suffixes)]
    return sorted(found)


def read(path):
    """The text of a file, by its path relative to the source folder."""
    with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def _literal_end(text, i):
    """Index behind the string or character literal that begins at I."""
    quote = text[i]
    i += 1
    while i < len(text) and text[i] != quote and text[i] != '\n':
        i += 2 if text[i] == '\\' else 1
    return min(i + 1, len(text))


def _blank(text):
    return ''.join(c if c == '\n' else ' ' for c in text)


def code_only(text, keep_literals=False):
    """C text with comments (and, unless asked, literals) blanked, line for line."""
    parts, i = [], 0
    while i < len(text):
        if text.startswith('/*', i):
            end = text.find('*/', i + 2)
            end = len(text) if end < 0 else end + 2
            parts.append(_blank(text[i:end]))
        elif text.startswith('//', i):
            end = text.find('\n', i)
            end = len(text) if end < 0 else end
            parts.append(_blank(text[i:end]))
        elif text[i] in '"\'':
            end = _literal_end(text, i)
            parts.append(text[i:end] if keep_literals else _blank(text[i:end]))
        else:
            end = i + 1
            parts.append(text[i])
        i = end
    return ''.join(parts)


def line_of(text, index):
    """The line number of an index into a text."""
    return text.count('\n', 0, index) + 1
