"""Documents that cannot drift: numbers, units, programs and references agree with what is built.

* each MESSAGE_ID of log-id.h has one entry in a catalog, and each entry one number there;
* each installed program has a man page of its own, or the page of its role names it;
* each installed unit is named in unitpost(7) or in the page of its role;
* each reference to a man page of ours (.Xr, Documentation=man:, a catalog's man:) has its page.
"""

import json
import os
import re
from collections import Counter

from tree import BUILD, files, finding, finish, line_of, need, read, run

LOG_ID = 'common/mail/log-id.h'
DEFINE = re.compile(r'^#define (LOG_ID_\w+)\s+"([0-9a-f]{32})"', re.M)
ENTRY = re.compile(r'^-- ([0-9a-f]{32})$', re.M)
REFERENCE = re.compile(r'(?:^\.Xr |man:)([\w.-]+)[ (](\d)\)?', re.M)
UNIT = re.compile(r'\.(service|socket|path|timer|target|slice)$')

n_checked = 0


def check_message_ids():
    global n_checked
    text = read(LOG_ID)
    numbers = {match[2]: (match[1], line_of(text, match.start()))
               for match in DEFINE.finditer(text)}
    if len(numbers) != len(DEFINE.findall(text)) or not numbers:
        finding(LOG_ID, 1, 'no numbers, or one number for two events')
    entries = Counter()
    catalogs = files('.catalog', top=('units',))
    for path in catalogs:
        catalog = read(path)
        for match in ENTRY.finditer(catalog):
            entries[match[1]] += 1
            if match[1] not in numbers:
                finding(path, line_of(catalog, match.start()), f'{match[1]} is not in {LOG_ID}')
            elif entries[match[1]] > 1:
                finding(path, line_of(catalog, match.start()), f'{match[1]}: a second entry')
    for number, (name, line) in numbers.items():
        if number not in entries:
            finding(LOG_ID, line, f'{name} has no entry in units/*.catalog')
    check_lines_dropped(numbers)
    n_checked += len(numbers)


def check_lines_dropped(numbers):
    """common/base repeats one number, because it may not include common/mail."""
    path = 'common/base/log.c'
    match = re.search(r'^#define LINES_DROPPED_ID "(\w+)"', read(path), re.M)
    if not match or numbers.get(match[1], ('',))[0] != 'LOG_ID_LINES_DROPPED':
        finding(path, 1, f'LINES_DROPPED_ID is not the number of LOG_ID_LINES_DROPPED in {LOG_ID}')


def manual_pages():
    """{'unitpost(7)': its text}"""
    pages = {}
    for path in files('.1', '.5', '.7', '.8', top=('man',)):
        name, section = os.path.basename(path).rsplit('.', 1)
        pages[f'{name}({section})'] = read(path).replace('\\-', '-')
    for path in files('.5.in', top=('man',)):   # built, with a table of the code
        name = os.path.basename(path).removesuffix('.5.in')
        pages[f'{name}(5)'] = read(path).replace('\\-', '-')
    return pages


def installed_paths():
    """Installed path -> the file in the tree that an admin's complaint would lead to."""
    result = run(need('meson'), 'introspect', '--installed', BUILD)
    return json.loads(result.stdout)


def mentions(page, word):
    return re.search(rf'(?<![\w-]){re.escape(word)}(?![\w-])', page) is not None


def role_pages(pages, name):
    """The pages of unitpost-qmgr-wake: its own, or that of unitpost-qmgr; most specific first."""
    while name:
        if f'{name}(8)' in pages:
            yield name, pages[f'{name}(8)']
        name = name.rpartition('-')[0]


def check_programs(pages, paths):
    global n_checked
    for path in paths:
        name = os.path.basename(path)
        if '/lib/unitpost/' in path:
            name = 'unitpost-' + name
            if not any(page == name or mentions(text, name)
                       for page, text in role_pages(pages, name)):
                finding('man/meson.build', 1, f'{path}: no man/{name}.8')
            n_checked += 1
        elif re.search(r'/s?bin/', path):
            if not any(f'{name}({section})' in pages for section in (1, 8)):
                finding('man/meson.build', 1, f'{path}: no man/{name}.1 or .8')
            n_checked += 1


def check_units(pages, paths):
    global n_checked
    for name in filter(UNIT.search, map(os.path.basename, paths)):
        stem = UNIT.sub('', name)
        texts = [text for _, text in role_pages(pages, stem)] + [pages.get('unitpost(7)', '')]
        if not any(mentions(text, name) for text in texts):
            finding('units/meson.build', 1, f'{name} is neither in man/unitpost.7 nor in the page '
                                            f'of its role (man/{stem}.8)')
        n_checked += 1


def check_references(pages):
    """Only names that can be ours; other projects' pages are their own affair."""
    global n_checked
    ours = {page.split('(')[0] for page in pages}
    for path in files('.1', '.5', '.7', '.8', '.in', '.socket', '.path', '.timer', '.target',
                      '.slice', '.catalog', top=('man', 'units')):
        text = read(path).replace('\\-', '-')
        for match in REFERENCE.finditer(text):
            page = f'{match[1]}({match[2]})'
            if page not in pages and (match[1].startswith('unitpost') or match[1] in ours):
                finding(path, line_of(text, match.start()), f'there is no page {page}')
            n_checked += 1


def check_installed(pages, paths):
    """A page that is written but not installed helps nobody."""
    installed = {os.path.basename(path) for path in paths if '/share/man/' in path}
    for page in pages:
        name = page.replace('(', '.').rstrip(')')
        if name not in installed:
            finding('man/meson.build', 1, f'man/{name} is not installed')


manuals = manual_pages()
installed = installed_paths().values()
check_message_ids()
check_programs(manuals, installed)
check_units(manuals, installed)
check_references(manuals)
check_installed(manuals, installed)
finish(n_checked, 'numbers, programs, units and references')
