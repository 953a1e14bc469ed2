"""clang-tidy with the checks of .clang-tidy, two files at a time, on the flags of the build."""

import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

from tree import BUILD, ROOT, finding, finish, need, run

N_PARALLEL = 2
LINE = re.compile(r'^(\S+?):(\d+):\d+: (?:error|warning): (.*)$', re.M)

program = shutil.which('clang-tidy-14') or need('clang-tidy')


def sources():
    """Every source that the build compiles, once."""
    with open(os.path.join(BUILD, 'compile_commands.json'), encoding='utf-8') as file:
        entries = json.load(file)
    paths = {os.path.realpath(os.path.join(entry['directory'], entry['file']))
             for entry in entries}
    return sorted(path for path in paths if path.startswith(ROOT + '/') and
                  not path.startswith(BUILD + '/'))


def check(path):
    return run(program, '--quiet', '-p', BUILD, '--extra-arg=-Wno-unknown-warning-option', path)


paths = sources()
seen = set()
with ThreadPoolExecutor(N_PARALLEL) as pool:
    for path, result in zip(paths, pool.map(check, paths)):
        hits = LINE.findall(result.stdout)
        if result.returncode != 0 and not hits:
            hits = [(path, '1', result.stdout.strip())]
        seen |= set(hits)
for path, line, text in seen:  # one in a header is reported by each source that includes it
    finding(os.path.relpath(os.path.realpath(os.path.join(BUILD, path)), ROOT), int(line), text)
finish(len(paths), 'C files')
