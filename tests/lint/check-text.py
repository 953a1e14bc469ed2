"""No white space at the end of a line, a newline at the end of a file, no tab in C and Python."""

import os

from tree import ROOT, TOP, files, finding, finish, read

BINARY = ('.bin', '.tdb', '.gz', '.png')
DATA = ('tests/role/data/', 'tests/system/data/')  # mail and transcripts, byte for byte

here = [name for name in os.listdir(ROOT)
        if os.path.isfile(os.path.join(ROOT, name)) and name not in ('LICENSE', '.git')]
paths = [path for path in files('', top=TOP) + sorted(here)
         if not path.endswith(BINARY) and not path.startswith(DATA)]
for path in paths:
    text = read(path)
    for number, line in enumerate(text.split('\n'), 1):
        if line != line.rstrip():
            finding(path, number, 'white space at the end of the line')
        if '\t' in line and path.endswith(('.c', '.h', '.py')):
            finding(path, number, 'a tab')
    if text and not text.endswith('\n'):
        finding(path, text.count('\n') + 1, 'no newline at the end of the file')
finish(len(paths), 'text files')
