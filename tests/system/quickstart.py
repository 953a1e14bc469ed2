"""One mail on a booted machine, told to a reader: see tools/dev/quickstart."""

import subprocess
import sys

import machine
import tree

IDLE_SECONDS = 3  # instead of 30, so that nobody has to wait for the services to go


def prepare(booting):
    booting.write('/etc/unitpost/main.cf', f'max_idle = {IDLE_SECONDS}s\n')
    story = (tree.CHECKOUT / 'tools/dev/mail-story').read_text()
    booting.write('/usr/local/bin/mail-story', story, mode=0o755)


def main():
    suite = sys.argv[1]
    machine.end_on_signals()
    try:
        tree.say(f'building unitpost against the libraries of {suite}')
        tree.build(suite)
        tree.say('booting a fresh system with it')
        with machine.Machine(suite, setup=prepare) as booted:
            version = booted.run('systemctl --version').split(' (')[0]
            tree.say(f'{suite} is up, with {version}')
            argv = booted.command(f'mail-story alice bob {IDLE_SECONDS}')
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, check=False,
                                    env=machine.clean_environment()).returncode
    except tree.BedError as error:
        print(error, file=sys.stderr)
        return 1
    print('\n--- The mail arrived.' if status == 0 else '\n--- FAILED: see above.')
    print('\nA shell on such a machine: tools/dev/machine', suite)
    return status


if __name__ == '__main__':
    sys.exit(main())
