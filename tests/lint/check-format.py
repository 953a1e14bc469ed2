"""clang-format finds nothing to change in any .c or .h (the style is in .clang-format).

The style is written for 14 (Debian 12); 19 (Debian 13) agrees but for some macros, which stand
between `clang-format off` and `on`.
"""

import re
import shutil

from tree import files, finding, finish, need, run

program = shutil.which('clang-format-14') or need('clang-format')
paths = files('.c', '.h')
result = run(program, '--dry-run', '-Werror', '--ferror-limit=3', *paths)
for match in re.finditer(r'^(\S+?):(\d+):\d+: error: (.*)', result.stdout, re.M):
    finding(match[1], int(match[2]), f'{match[3]} (run clang-format -i)')
if result.returncode != 0 and 'error:' not in result.stdout:
    finding('.clang-format', 1, result.stdout.strip())
finish(len(paths), 'C files')
