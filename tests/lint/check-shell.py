"""shellcheck has nothing to say about any shell script."""

import re

from tree import files, finding, finish, need, read, run

LINE = re.compile(r'^(.+?):(\d+):\d+: (.*)$', re.M)

# SC1091: /etc/os-release is another machine's.
paths = [path for path in files('') if re.match(r'#!/bin/(ba)?sh\b', read(path))]
result = run(need('shellcheck'), '--format=gcc', '--exclude=SC1091', *paths)
for match in LINE.finditer(result.stdout):
    finding(match[1], int(match[2]), 'shellcheck: ' + match[3])
if result.returncode != 0 and not LINE.search(result.stdout):
    finding('.', 1, result.stdout.strip())
finish(len(paths), 'shell scripts')
