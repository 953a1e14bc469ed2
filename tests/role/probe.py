"""A World with tests/role/probe-role.c in it, and its protocol."""

import os
import random
import threading

import harness
from harness import Peer, World

PROBE = os.path.join(harness.BUILD, 'tests', 'role')
SOCKET = '/run/unitpost/probe'


def service_unit(name, options='', environment=''):
    return f'''[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
ExecStart=/somewhere/{name} {options}
Restart=on-failure
RestartSec=1
KillMode=mixed
Environment={environment}
'''


def socket_unit(kind='ListenStream', mode='0666'):
    return f'[Socket]\n{kind}={SOCKET}\nSocketMode={mode}\nPassCredentials=yes\n' \
           'FileDescriptorName=probe\n'


def probe_world(role, main_cf='max_idle = 1s\n', kind='ListenStream', options='',
                environment=''):
    units = {'unitpost-probe.service': service_unit(role, options, environment)}
    if role == 'probe-scanner':
        units['unitpost-probe.path'] = '[Path]\nDirectoryNotEmpty=/var/spool/probe\n'
    else:
        units['unitpost-probe.socket'] = socket_unit(kind)
    return World(units=units, programs=PROBE, main_cf=main_cf)


def ask(peer, verb='echo', number=0):
    """One request; (process, mail_name) of the worker that answered."""
    peer.send_raw(request(verb, number))
    (name, attributes), = peer.receive_answer()
    assert name == 'probe', name
    return int(attributes['number']), attributes['text']


def request(verb='echo', number=0):
    return harness.frame(b'M', harness.message('probe', {'verb': verb, 'number': number,
                                                         'text': ''})) + harness.frame(b'E', b'')


def connect(timeout=10, role='probe-workers'):
    return Peer(SOCKET, role, timeout)


def ask_once(verb='echo', number=0):
    with connect() as peer:
        return ask(peer, verb, number)


def ask_kept(peer):
    """As a client of a kept connection: when the request was not taken it is repeated. What was
    taken is answered: an end of file would be a loss."""
    try:
        return ask(peer)
    except BrokenPipeError:
        return ask_once()


def in_threads(n, function):
    """Call FUNCTION(i) in n threads; their results, or the first exception."""
    results, errors = [None] * n, []

    def call(i):
        try:
            results[i] = function(i)
        except Exception as error:  # handed on below
            errors.append(error)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def mutate(data):
    data = bytearray(data)
    for _ in range(random.randrange(1, 4)):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data[:random.randrange(1, len(data) + 1)])


class suppress_broken:
    """What a client sees when a role has closed in its face."""

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        return kind is not None and issubclass(kind, (EOFError, ConnectionError, KeyError))


def is_running(pid):
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def cpu_seconds(world):
    total = 0
    for pid in [*world.pids.values(), *world.workers('unitpost-probe')]:
        try:
            with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
                fields = file.read().rpartition(')')[2].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
        except FileNotFoundError:
            pass
    return total


def n_wakeups(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('voluntary_ctxt'))
