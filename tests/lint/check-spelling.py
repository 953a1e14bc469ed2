"""codespell finds nothing in comments, documents, man pages and units."""

import os
import re

from tree import ROOT, files, finding, finish, need, run

IGNORED = 'tests/lint/spelling-ignore.txt'

documents = [name for name in os.listdir(ROOT) if name.endswith('.md')]
paths = documents + files('.c', '.h', '.def', '.py', '.sh', 'meson.build', '.1', '.5', '.7', '.8',
                          '.service', '.service.in', '.socket', '.path', '.timer', '.target',
                          '.conf', '.catalog')
result = run(need('codespell'), '-I', IGNORED, *paths)
for match in re.finditer(r'^(?:\./)?(\S+?):(\d+): (.*)', result.stdout, re.M):
    finding(match[1], int(match[2]), f'spelling: {match[3]} (or add it to {IGNORED})')
if result.returncode != 0 and '==>' not in result.stdout:
    finding(IGNORED, 1, result.stdout.strip())
finish(len(paths), 'files')
