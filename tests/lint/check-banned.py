"""No call that can overrun or hands text to a shell, no preprocessor choice above common/base."""

import re

from tree import code_only, files, finding, finish, line_of, read

BANNED = {
    'strcpy': 'use Str, Buf or memcpy with a length',
    'strcat': 'use Buf',
    'sprintf': 'use snprintf or buf_printf',
    'vsprintf': 'use vsnprintf or buf_vprintf',
    'gets': 'use a bounded read',
    'system': 'a shell must never see our text',
    'popen': 'a shell must never see our text',
    'alloca': 'stack use is bounded',
}
CALL = re.compile(r'\b(' + '|'.join(BANNED) + r')\s*\(')
CHOICE = re.compile(r'^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)\b', re.M)

paths = files('.c', '.h')
for path in paths:
    code = code_only(read(path))
    for match in CALL.finditer(code):
        finding(path, line_of(code, match.start()), f'{match[1]}(): {BANNED[match[1]]}')
    if not path.startswith('common/base/'):
        for match in CHOICE.finditer(code):
            finding(path, line_of(code, match.start()), f'#{match[1]} outside common/base')
finish(len(paths), 'C files')
