"""cppcheck's warnings, performance and portability checks are silent.

Leaks are left to the sanitizers (cppcheck does not know _cleanup_), readdir_r to history.
"""

import re

from tree import files, finding, finish, need, run

LINE = re.compile(r'^(\S+?):(\d+):(\w+):(\w+): (.*)$', re.M)

paths = files('.c')
result = run(need('cppcheck'), '-j2', '--quiet', '--std=c11', '--inline-suppr', '-I.',
             '-D_GNU_SOURCE', '-DUNITPOST_VERSION="0"', '--enable=warning,performance,portability',
             '--library=posix', '--library=gnu',
             '--template={file}:{line}:{severity}:{id}: {message}',
             '--suppress=memleak', '--suppress=resourceLeak', '--suppress=readdirCalled',
             '--suppress=unknownMacro:tests/*', '--error-exitcode=1', *paths)
for match in LINE.finditer(result.stdout):
    finding(match[1], int(match[2]), f'cppcheck {match[3]} {match[4]}: {match[5]}')
if result.returncode != 0 and not LINE.search(result.stdout):
    finding('.', 1, result.stdout.strip())
finish(len(paths), 'C files')
