"""A shell in a booted machine: see tools/dev/machine."""

import subprocess
import sys

import machine
import tree


def main():
    suite = sys.argv[1] if len(sys.argv) > 1 else 'bookworm'
    machine.end_on_signals()
    try:
        with machine.Machine(suite) as booted:
            tree.say(f'{suite}, users: root {" ".join(tree.USERS)}; "exit" ends the machine')
            argv = booted.command('cd; exec bash --login')
            return subprocess.run(argv, env=machine.clean_environment(), check=False).returncode
    except tree.BedError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
