"""Includes point one way: common/base <- common/mail <- common/role <- services, tools <- tests.

Also: a role never includes another role, nor a tool another tool (tools/map is for both of its
tools), the lower layers never include libsystemd, and an include
is written from the top of the tree or in angle brackets.
"""

import re

from tree import code_only, files, finding, finish, line_of, read

LAYERS = ['common/base', 'common/mail', 'common/role', 'services', 'tools', 'tests']
RANK = {'common/base': 0, 'common/mail': 1, 'common/role': 2, 'services': 3, 'tools': 3, 'tests': 4}
SHARED = ('tools/map',)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(["<])([^">]+)[">]', re.M)


def layer_of(path):
    for layer in LAYERS:
        if path.startswith(layer + '/'):
            return layer
    return None


def program_of(path):
    """services/smtpd/... -> services/smtpd; files of no program give None."""
    parts = path.split('/')
    return '/'.join(parts[:2]) if parts[0] in ('services', 'tools') and len(parts) > 2 else None


def check_own(path, line, name):
    layer, target = layer_of(path), layer_of(name)
    if target is None:
        finding(path, line, f'"{name}": write the path from the top, as in "common/base/buf.h"')
    elif RANK[target] > RANK[layer]:
        finding(path, line, f'{layer} includes "{name}", which is a layer above it')
    elif (program_of(name) not in (program_of(path), None, *SHARED) and layer != 'tests'):
        finding(path, line, f'{program_of(path)} includes "{name}" of another program')


paths = files('.c', '.h', '.def')
for path in paths:
    code = code_only(read(path), keep_literals=True)
    for match in INCLUDE.finditer(code):
        line = line_of(code, match.start())
        if match[1] == '"':
            check_own(path, line, match[2])
        elif match[2].startswith('systemd/') and layer_of(path) in ('common/base', 'common/mail'):
            finding(path, line, f'<{match[2]}> below common/role')
finish(len(paths), 'C files')
