"""Units: `systemd-analyze verify` is silent, the exposure of each service is at most its threshold.

And the facts of systemd that this design stands on, each with what happens without it:
start and trigger limits are off (the 6th start within 10 s would end a unit for good), failures
are paced by Restart= (PID 1 would spin), no Condition is behind a socket or path (the same), no
PrivateUsers= (all peers and owners would be nobody), no Accept=yes (32 ms for each connection).
"""

import glob
import os
import re
import shutil
import tempfile

from tree import BUILD, ROOT, finding, finish, need, run

# systemd-analyze security, tenths. A service with a number of its own says in its unit file, below
# "# Open, and why:", for what work each open item is needed.
THRESHOLD = 15
THRESHOLDS = {
        'unitpost-local.service': 58,
        'unitpost-tables.service': 18,
}
WHY = '# Open, and why:'

UNIT_FOLDER = 'usr/lib/systemd/system'
USER_UNIT_FOLDER = 'usr/lib/systemd/user'

# Services that a start limit may end, with the limit: nothing waits for their next start.
LIMITED = {'unitpost-failure@.service': '1h'}


def source_of(name):
    """The file in units/ that an installed unit comes from."""
    for path in (f'units/{name}', f'units/user/{name}', f'units/user/{name}.in'):
        if os.path.exists(os.path.join(ROOT, path)):
            return path
    return f'units/{name}.in'


def install(folder):
    """Install into FOLDER, with stand-ins for what units call of other packages."""
    result = run(need('meson'), 'install', '-C', BUILD, '--no-rebuild', '--quiet',
                 env=os.environ | {'DESTDIR': folder})
    if result.returncode != 0:
        finding('units/meson.build', 1, 'meson install failed: ' + result.stdout.strip()[-300:])
    os.makedirs(os.path.join(folder, 'usr/bin'), exist_ok=True)
    for name in ('kill', 'timeout'):
        shutil.copy('/bin/true', os.path.join(folder, 'usr/bin', name))


def settings_of(path):
    """[(line number, key, value)] of a unit file."""
    with open(path, encoding='utf-8') as file:
        lines = list(enumerate(file, 1))
    return [(number, match[1], match[2]) for number, line in lines
            if (match := re.match(r'([A-Za-z]+)=(.*)', line))]


def check_verify(paths, *options):
    """OPTIONS say whose units they are, and where their programs."""
    result = run(need('systemd-analyze'), 'verify', '--man=no', '--recursive-errors=no',
                 *options, *map(os.path.basename, paths))
    for line in result.stdout.strip().splitlines():
        match = re.match(r'(?:/\S*/)?([\w@.-]+\.(?:service|socket|path|timer|target|slice))'
                         r'(?::(\d+))?: (.*)', line)
        name, number, text = match.groups() if match else (paths[0], None, line)
        finding(source_of(os.path.basename(name)), int(number or 1), 'verify: ' + text)
    if result.returncode != 0 and not result.stdout.strip():
        finding('units/meson.build', 1, f'systemd-analyze verify ended {result.returncode}')


def check_user_units(folder):
    """The same for what users enable. systemd-analyze cannot have a root directory for these, so
    that copies of them name the programs where they are now. Exposure is counted for no user."""
    units = sorted(glob.glob(os.path.join(folder, USER_UNIT_FOLDER, '*')))
    copies = os.path.join(folder, 'user-units')
    os.mkdir(copies, mode=0o700)
    for unit in units:
        with open(unit, encoding='utf-8') as file:
            text = file.read()
        with open(os.path.join(copies, os.path.basename(unit)), 'w', encoding='utf-8') as file:
            file.write(text.replace('=/usr/lib/', f'={folder}/usr/lib/'))
    os.environ |= {'SYSTEMD_UNIT_PATH': copies + ':', 'XDG_RUNTIME_DIR': copies}
    if units:
        check_verify(units, '--user')
    for name in ('SYSTEMD_UNIT_PATH', 'XDG_RUNTIME_DIR'):
        del os.environ[name]
    for unit in units:
        check_facts(unit, set())
    return units


def check_exposure(path):
    name = os.path.basename(path)
    threshold = THRESHOLDS.get(name, THRESHOLD)
    result = run(need('systemd-analyze'), 'security', '--offline=true', '--no-pager',
                 f'--threshold={threshold}', path)
    if result.returncode != 0:
        level = re.search(r'exposure level for \S+ ([\d.]+)', result.stdout)
        finding(source_of(name), 1, f'exposure {level[1] if level else "unknown"}, at most '
                                    f'{threshold / 10} (systemd-analyze security --offline=true)')
    with open(path, encoding='utf-8') as file:
        if name in THRESHOLDS and WHY not in file.read():
            finding(source_of(name), 1, f'has a threshold of its own and no "{WHY}"')


def check_facts(path, activated):
    """ACTIVATED: names of the services that a socket or path starts."""
    name = os.path.basename(path)
    wanted = {}
    if name.endswith('.service'):
        wanted['StartLimitIntervalSec'] = LIMITED.get(name, '0')
    if name in activated:
        wanted |= {'Restart': 'on-failure', 'RestartSec': '1'}
    if name.endswith(('.socket', '.path')):
        wanted['TriggerLimitIntervalSec'] = '0'
    settings = settings_of(path)
    values = {key: value for _, key, value in settings}
    for key, value in wanted.items():
        if values.get(key) != value:
            finding(source_of(name), 1, f'{key}={values.get(key, "")}: must be {value}')
    for number, key, value in settings:
        if re.match('Condition|Assert', key) and name in activated:
            finding(source_of(name), number, f'{key}= behind a socket or path: PID 1 would spin')
        if (key, value) in (('PrivateUsers', 'yes'), ('Accept', 'yes')):
            finding(source_of(name), number, f'{key}={value}')


def activated_services(paths):
    names = set()
    for path in paths:
        stem, kind = os.path.splitext(os.path.basename(path))
        if kind in ('.socket', '.path'):
            values = {key: value for _, key, value in settings_of(path)}
            names.add(values.get('Service') or values.get('Unit') or stem + '.service')
    return names


with tempfile.TemporaryDirectory() as destination:
    install(destination)
    units = sorted(filter(os.path.isfile,
                          glob.glob(os.path.join(destination, UNIT_FOLDER, '*'))))
    services = [path for path in units if path.endswith('.service')]
    if units:
        check_verify(units, '--root=' + destination)
    for unit in units:
        check_facts(unit, activated_services(units))
    for service in services:
        check_exposure(service)
    for service in set(THRESHOLDS) - set(map(os.path.basename, services)):
        finding('tests/lint/check-units.py', 1, f'{service} has a threshold and is not installed')
    user_units = check_user_units(destination)
    if not user_units:
        finding('units/meson.build', 1, 'no units of users are installed')
finish(len(services) + len(user_units), 'services and units of users')
