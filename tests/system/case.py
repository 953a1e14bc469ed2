"""What the system tests share. A test program is called as `test_NAME.py RELEASE [CASE...]`; each
case prints its figures as it goes."""

import sys
import unittest

import machine
import tree

SUITE = ''


class Case(unittest.TestCase):
    """A test with one machine for all of its cases; `config` is its main.cf, `kind` says what is
    installed."""

    config = ''
    kind = 'tree'
    machine = None

    @classmethod
    def prepare(cls, booting):
        """Put files under the machine before it boots."""
        if cls.config:
            booting.write('/etc/unitpost/main.cf', cls.config)

    @classmethod
    def setUpClass(cls):
        cls.machine = machine.Machine(SUITE, setup=cls.prepare, kind=cls.kind)

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    def figure(self, text):
        print(f'\nfigure: {SUITE} {self._testMethodName}: {text}', file=sys.stderr, flush=True)

    def assert_all_quiet(self):
        """No process, every listener active, nothing failed."""
        self.assertEqual(self.machine.processes(), [])
        self.assertEqual(self.machine.failed_units(), [])
        for unit, state in self.machine.units().items():
            if unit.endswith('.service'):
                self.assertEqual(state, ('inactive', 'dead'), unit)
            else:
                self.assertEqual(state[0], 'active', unit)
                self.assertIn(state[1], ('listening', 'waiting', 'active'), unit)


def main():
    global SUITE
    SUITE = sys.argv.pop(1) if len(sys.argv) > 1 else 'bookworm'
    machine.end_on_signals()
    try:
        tree.ensure_tree(SUITE)[1].close()
        unittest.main(module='__main__', verbosity=2)
    except tree.BedError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
