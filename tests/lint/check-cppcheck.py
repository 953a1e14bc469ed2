"""cppcheck's warnings, performance and portability checks are silent."""

import re

from tree import files, finding, finish, need, run

LINE = re.compile(r'^(\S+?):(\d+):(\w+):(\w+): (.*)$', re.M)

# Stands for uthash and utlist, which cppcheck does not look up.
MACROS = 'tests/lint/cppcheck-loops.h'
# Leaks: _cleanup_ is unknown to it. uninitvar: takes an empty slice of an array for a read of it;
# clang-tidy and valgrind look for these. The *_r forms: no threads. NULL behind `...`: glibc's is
# a pointer. MaxBranches: a remark of newer ones on themselves.
OFF = ('memleak', 'resourceLeak', 'uninitvar', 'readdirCalled', 'getpwnamCalled', 'getpwuidCalled',
       'getgrnamCalled', 'varFuncNullUB', 'missingIncludeSystem', 'normalCheckLevelMaxBranches',
       # a test without memory may crash
       'nullPointerOutOfMemory:tests/*')

paths = files('.c')
result = run(need('cppcheck'), '-j2', '--quiet', '--std=c11', '--inline-suppr', '-I.',
             '-D_GNU_SOURCE', '-DUNITPOST_VERSION="0"', '--include=' + MACROS,
             '--enable=warning,performance,portability',
             *['--suppress=' + name for name in OFF],
             # START_TEST is two macros that open and close one function
             '--suppress=unknownMacro:tests/*',
             '--template={file}:{line}:{severity}:{id}: {message}', '--error-exitcode=1', *paths)
for match in LINE.finditer(result.stdout):
    finding(match[1], int(match[2]), f'cppcheck {match[3]} {match[4]}: {match[5]}')
if result.returncode != 0 and not LINE.search(result.stdout):
    finding('.', 1, result.stdout.strip())
finish(len(paths), 'C files')
