"""A command of a .forward on a booted machine: it has a cgroup of its own, and nothing that it
starts is left when its mail has been delivered, whatever it did to get away."""

import re

import case
import machine

# Says where it runs, forks twice into a session of its own, and ends when that one is ready.
COMMAND = '''#!/bin/sh
cat > /dev/null
cat /proc/self/cgroup > cgroup.new
(setsid sh -c 'setsid sh /usr/local/bin/stay > /dev/null 2>&1 < /dev/null &' &)
while [ ! -s pid ]; do sleep 0.05; done
mv pid stayed-$1
mv cgroup.new cgroup-$1
'''

STAY = '''trap '' HUP INT TERM
echo $$ > pid.new
cat /proc/self/cgroup >> pid.new
mv pid.new pid
sleep 3600
sleep 3600
'''

SERVICE = 'unitpost-local.service'


class Commands(case.Case):
    @classmethod
    def prepare(cls, booting):
        super().prepare(booting)
        booting.write('/usr/local/bin/leave', COMMAND, mode=0o755)
        booting.write('/usr/local/bin/stay', STAY)

    def deliver(self, name):
        """Have alice's .forward run the command; returns once the delivery is in the log."""
        self.machine.run('cat > .forward', user='alice',
                         stdin=f'"|cd $HOME && exec /usr/local/bin/leave {name}"\n')
        self.machine.send('bob', 'alice', 'hello')
        machine.wait_for(lambda: self.sent(name), 60, 'the delivery')

    def sent(self, name):
        return [entry for entry in self.machine.journal('SYSLOG_IDENTIFIER=unitpost/local')
                if f'leave {name}' in entry['MESSAGE'] and 'status=sent' in entry['MESSAGE']]

    def left(self):
        """Processes of alice's, and of the command."""
        return self.machine.run('pgrep -u alice -a; pgrep -fa /usr/local/bin/[s]tay; :')

    def service_cgroups(self):
        """Directories of the service in the hierarchies that systemd manages."""
        path = self.machine.run(f'systemctl show -P ControlGroup {SERVICE}').strip()
        self.assertTrue(path.endswith(f'/{SERVICE}'), path)
        return [directory for directory in
                (self.machine.path('/sys/fs/cgroup' + base + path)
                 for base in ('', '/unified', '/systemd')) if directory.is_dir()]

    def own_cgroup(self, text):
        """Name of the cgroup below the service's in TEXT, a /proc/PID/cgroup; None: the service's
        or none."""
        found = re.search(rf'(?m)^[^:]*:(?:name=systemd)?:.*/{SERVICE}/([^/\n]+)$', text)
        return found and found[1]

    def test_a_double_fork_does_not_outlive_its_delivery(self):
        self.deliver('first')
        self.assertEqual(self.left(), '')
        # It was there, and not by a fault of this test never started.
        self.assertRegex(self.machine.path('/home/alice/stayed-first').read_text(), r'\A[0-9]+\n')

    def test_each_has_a_cgroup_of_its_own_that_is_removed(self):
        names = []
        for name in ('second', 'third'):
            self.deliver(name)
            here = self.own_cgroup(self.machine.path(f'/home/alice/cgroup-{name}').read_text())
            # The fork of the fork never left it.
            self.assertEqual(here, self.own_cgroup(
                self.machine.path(f'/home/alice/stayed-{name}').read_text()))
            names.append(here)
        directories = self.service_cgroups()
        self.figure(f'{names} below {len(directories)} directories of the service')
        if directories:
            self.assertNotIn(None, names)
            self.assertNotEqual(*names)
        for directory in directories:
            self.assertEqual([entry.name for entry in directory.glob('command-*')], [])
        self.assertEqual(self.left(), '')

    def test_what_ignores_the_end_of_its_service_goes_with_it(self):
        """A stop in the middle of a delivery leaves nothing either; the mail waits."""
        self.machine.run('cat > .forward', user='alice',
                         stdin='"|cd $HOME && setsid sh /usr/local/bin/stay & sleep 3600"\n')
        self.machine.send('bob', 'alice', 'hello')
        machine.wait_for(self.left, 30, 'the command')
        self.machine.run(f'systemctl kill --signal=KILL --kill-whom=main {SERVICE}; '
                         f'systemctl stop {SERVICE}')
        self.assertEqual(self.left(), '')
        self.machine.run('rm ~alice/.forward; postqueue -f')
        self.assertEqual(len(self.machine.wait_for_mail('alice', 1)), 1)


if __name__ == '__main__':
    case.main()
